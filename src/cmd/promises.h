/*
 * Are the files that are kept where they lie (store/in-place.h) still what was
 * recorded?  What is hashed for other reasons meanwhile is not read again.
 */
#ifndef CMD_PROMISES_H
#define CMD_PROMISES_H

#include "store/in-place.h"
#include "store/ingest.h"

struct promise {
	struct in_place_file file;  /* its path is owned */
	bool read, lost;
};

struct promises {
	struct store *s;            /* borrowed */
	struct promise *list;       /* by path */
	size_t count, cap;
};

int promises_load(struct store *s, struct promises *ret, struct err *e) MUST_CHECK;
void promises_free(struct promises *p);
/* For ingest_options.told: arg is the promises, path beneath the work tree. */
void promises_told(void *arg, const char *path, const struct oid *id);
/* Sets lost.  A file whose times changed is read unless it was, with all set any; by the
 * threads of the options, whose flags and cache do not count. */
int promises_check(struct promises *p, const struct ingest_options *o, bool all,
    struct err *e) MUST_CHECK;

#endif
