/* What branch and tag have in common: names under one prefix. */
#ifndef CMD_NAMED_REFS_H
#define CMD_NAMED_REFS_H

#include "store/store.h"

struct named_refs {
	const char *command;     /* "branch" */
	const char *prefix;      /* "refs/heads/" */
	bool force, remove;
};

/* No argument: list; NAME [REV]: make it at REV (HEAD). */
int named_refs_run(const struct named_refs *n, int argc, char **argv, struct err *e) MUST_CHECK;
/* "Name <email>" for reflogs, malloc'd; of nobody when git knows none: a branch may be made
 * without git's user.name. */
char *named_refs_author(struct store *s, struct err *e) MUST_CHECK;

#endif
