/*
 * An object of which not all is here yet: tmp/fetch/<hex> (store/FORMAT.md).  One process at a
 * time appends to it, and another may go on with it later.  It counts for nothing until all of
 * its bytes were hashed, those from before as well, and have the digest.
 *
 * part_open(), part_store() and part_close() belong to the thread that owns the store; what is
 * between them may be done in any one thread.  Errors do not name the object: callers do.
 */
#ifndef STORE_PART_H
#define STORE_PART_H

#include <stdbool.h>
#include <stdint.h>
#include "base/progress.h"
#include "object/oid.h"
#include "store/store.h"

struct part;

/* max: bytes that it can have.  ERR_BUSY: another process is at it. */
int part_open(struct store *s, const struct oid *id, uint64_t max, struct part **ret,
    struct err *e) MUST_CHECK;
/* Stays for later, unless nothing came.  May be NULL. */
void part_close(struct part *p);
static inline void part_closep(struct part **p) { part_close(*p); }

/* Once, before anything is appended: what is here from before is read and hashed. */
int part_load(struct part *p, struct err *e) MUST_CHECK;
/* Bytes that are here: where to go on. */
uint64_t part_length(const struct part *p);
/* ERR_REFUSED: more than it can have. */
int part_append(struct part *p, const void *data, size_t len, struct err *e) MUST_CHECK;
/* From the beginning. */
int part_restart(struct part *p, struct err *e) MUST_CHECK;

enum part_found {
	PART_WHOLE,         /* the object: part_store() it */
	PART_AGAIN,         /* other bytes, which may be those from before: nothing of them is here
	                     * any more, and it must come once more from the beginning */
	PART_WRONG          /* other bytes; nothing of them is here any more */
};
/* All bytes have come. */
int part_check(struct part *p, enum part_found *ret, struct err *e) MUST_CHECK;
/* After PART_WHOLE: an object of the store, durable as after a put (odb.h). */
int part_store(struct part *p, struct err *e) MUST_CHECK;

/* A file that has the object, as far as its owner is to be believed. */
struct part_source {
	int fd;
	const char *what;           /* names it in errors */
	uint64_t size;              /* of it, from its beginning */
	struct progress *progress;  /* NULL: none; gets all of size, also what was here before */
};
/* All of that: a copy of a large one that was broken off goes on.  ERR_REFUSED and nothing kept when
 * its bytes are others. */
int part_copy(struct store *s, const struct oid *id, const struct part_source *from,
    struct err *e) MUST_CHECK;

#endif
