/* A fresh store in a fresh directory, and shorthands. */
#ifndef UNIT_STORE_FIXTURE_H
#define UNIT_STORE_FIXTURE_H

#include "base/buf.h"
#include "object/oid.h"
#include "store/store.h"

struct fixture {
	char path[128];     /* the work tree */
	char store[160];    /* its .aicert */
	int dirfd;
	struct store *s;
};

/* Removed with the test's directory. */
void fixture_open(struct fixture *f);
void fixture_reopen(struct fixture *f, unsigned flags);
void fixture_close(struct fixture *f);
/* len bytes that depend on seed and do not repeat; malloc'd. */
unsigned char *fixture_bytes(size_t len, unsigned seed);
/* Writes a file beneath the work tree. */
void fixture_write(const struct fixture *f, const char *name, const void *data, size_t len);
void fixture_read(int dirfd, const char *name, struct buf *ret);
/* A root run-less commit object (import of a blob) with that time and parents. */
struct object_ref fixture_commit(struct fixture *f, const char *message, long time,
    const struct oid *parents, size_t count);
/* Entries of a directory; the leases of tmp/ are not counted. */
int fixture_count(int dirfd, const char *dir);

#endif
