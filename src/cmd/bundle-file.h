/* A bundle as a file: read whole and checked when it is opened, objects by need. */
#ifndef CMD_BUNDLE_FILE_H
#define CMD_BUNDLE_FILE_H

#include "object/bundle-reader.h"
#include "object/commit.h"

struct bundle_file {
	int fd;
	const char *path;       /* borrowed, for messages */
	struct bundle b;
};

#define BUNDLE_FILE_INIT {.fd = -1}

/* ERR_CORRUPT: not a bundle, or not whole.  Progress is shown on a terminal. */
int bundle_file_open(const char *path, struct bundle_file *ret, struct err *e) MUST_CHECK;
void bundle_file_close(struct bundle_file *f);
/* Its bytes, hashed again; ERR_LIMIT beyond max. */
int bundle_file_read(const struct bundle_file *f, const struct bundle_object *o, size_t max,
    struct buf *ret, struct err *e) MUST_CHECK;
/* A verify_fetch, with the bundle as its argument. */
int bundle_file_fetch(void *file, const struct oid *id, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;

/* Its commits, newest first; where the bundle has no history, those that it has. */
typedef int bundle_file_commit_fn(void *arg, const struct oid *id, const struct commit *c);
int bundle_file_walk(const struct bundle_file *f, bundle_file_commit_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
