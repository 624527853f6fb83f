/*
 * The root file system of a run: for `host` an empty frame into which the
 * runner's own /usr and its like are bound; for `rootfs:` and `oci:` what is
 * unpacked from the image file.
 */
#ifndef RUN_ROOTFS_H
#define RUN_ROOTFS_H

#include <stdbool.h>
#include "object/run-spec.h"
#include "store/store.h"

struct rootfs_bind {
	char *path;             /* the same outside and inside; absolute */
	bool directory;
	bool hidden;            /* in one before it: nothing is to be seen there */
};

struct rootfs {
	struct rootfs_bind *binds; /* read-only */
	size_t count;
};

#define ROOTFS_INIT {0}

/*
 * Makes "rootfs" beneath run_dirfd.  For an image file, its bytes are read from
 * the store, whose digest checks apply, and unpacked; all image files together
 * are bounded.  The frame's files are ours: the image must not need them.  s is hidden where
 * `host` would show it, with its work tree; NULL: there is none.
 */
int rootfs_prepare(struct store *s, const struct run_spec *spec, int run_dirfd, struct rootfs *ret,
    struct err *e) MUST_CHECK;
void rootfs_free(struct rootfs *r);

#endif
