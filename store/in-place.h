/*
 * Files of the work tree that are kept where they lie (store.ingest=reference):
 * a promise, not a copy.  Whoever uses their bytes compares the digest; whoever
 * overwrites them breaks the promise, which status and fsck tell.
 */
#ifndef STORE_IN_PLACE_H
#define STORE_IN_PLACE_H

#include <sys/stat.h>
#include "object/oid.h"
#include "store/source.h"
#include "store/store.h"

struct in_place_file {
	struct oid id;
	const char *path;           /* beneath the work tree; borrowed */
	uint64_t size, inode;
	int64_t mtime_ns, ctime_ns;
};

/* The open file fd has these bytes and is beneath the work tree at path: its bytes are
 * synced, the record is durable on return or at the end of the batch. */
int in_place_add(struct store *s, const struct oid *id, int fd, const char *path,
    struct err *e) MUST_CHECK;
/* There are references. */
int in_place_any(struct store *s, bool *ret, struct err *e) MUST_CHECK;
/* The nth file that is there and has the size, as alternates_find(): of those that are as
 * they were (steady), or of those that were touched. */
int in_place_find(struct store *s, const struct oid *id, bool steady, unsigned *nth,
    struct source *ret, struct err *e) MUST_CHECK;

enum in_place_state {
	IN_PLACE_SAME,        /* as it was when it was hashed */
	IN_PLACE_TOUCHED,     /* other times or inode: the bytes must be compared */
	IN_PLACE_LOST         /* gone, another size, or no file */
};
int in_place_look(struct store *s, const struct in_place_file *f, enum in_place_state *ret,
    struct err *e) MUST_CHECK;
/* Reads the file: IN_PLACE_SAME or IN_PLACE_LOST. */
int in_place_verify(struct store *s, const struct in_place_file *f, enum in_place_state *ret,
    struct err *e) MUST_CHECK;
/* Ascending by id, then path; fn returns non-zero to stop. */
typedef int in_place_fn(void *arg, const struct in_place_file *f);
int in_place_each(struct store *s, in_place_fn *fn, void *arg, struct err *e) MUST_CHECK;

/* For gc: nobody else writes until in_place_flush(). */
int in_place_lock(struct store *s, struct err *e) MUST_CHECK;
int in_place_delete(struct store *s, const struct oid *id, struct err *e) MUST_CHECK;
int in_place_flush(struct store *s, struct err *e) MUST_CHECK;
void in_place_rollback(struct store *s);

#endif
