/* The rules of one ignore file, as gitignore(5) says: libgit2 judges them. */
#ifndef GIT_IGNORE_RULES_H
#define GIT_IGNORE_RULES_H

#include <stdbool.h>
#include "base/err.h"

enum ignore_rules_answer {
	IGNORE_RULES_SILENT,    /* no rule speaks of it: ask the file of the directory above */
	IGNORE_RULES_LEAVE_OUT,
	IGNORE_RULES_KEEP       /* a rule with '!' */
};

struct ignore_rules;

/* Neither git's own ignore files nor the user's have a say. */
int ignore_rules_new(const char *text, struct ignore_rules **ret, struct err *e) MUST_CHECK;
/* path: relative to the directory of the file.  What lies in a directory that is
 * left out is not to be asked for. */
int ignore_rules_match(const struct ignore_rules *r, const char *path, bool directory,
    enum ignore_rules_answer *ret, struct err *e) MUST_CHECK;
void ignore_rules_free(struct ignore_rules *r);
static inline void ignore_rules_freep(struct ignore_rules **r) { ignore_rules_free(*r); }

#endif
