/* What the file system beneath a store is worth to locks. */
#ifndef STORE_FILESYSTEM_H
#define STORE_FILESYSTEM_H

#include <stdbool.h>
#include "base/err.h"

struct filesystem {
	const char *name;   /* "NFS"; "local" for all that is not in the list */
	bool network;       /* other machines can write to it, or it is served by a program */
	bool locks_seen;    /* flock(2) and byte-range locks are seen by all who can write to it */
	bool dates_files;   /* a file's ctime is of its own, and of no other that has its number later */
	bool dates_names;   /* a directory never gets or loses a name without a change of its times */
};

int filesystem_look(int fd, struct filesystem *ret, struct err *e) MUST_CHECK;
/* By the number that statfs(2) gives. */
struct filesystem filesystem_of(unsigned long magic);

#endif
