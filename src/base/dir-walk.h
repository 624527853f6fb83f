/* Lists one directory in the order of the raw name bytes, bounded. */
#ifndef BASE_DIR_WALK_H
#define BASE_DIR_WALK_H

#include <stddef.h>
#include "base/err.h"

struct dir_walk {
	char **names; /* sorted as unsigned bytes; without "." and ".." */
	size_t count;
};

#define DIR_WALK_INIT {0}

/* path is opened beneath dirfd without following symlinks; "." is dirfd itself. */
int dir_walk_list(int dirfd, const char *path, size_t max, struct dir_walk *ret,
    struct err *e) MUST_CHECK;
void dir_walk_free(struct dir_walk *w);

#endif
