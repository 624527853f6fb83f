/*
 * The object database: bytes by SHA-256.  Small objects live in
 * objects/small.db, large ones as read-only files objects/ab/<62 hex>.
 * Every read verifies the digest; a mismatch is ERR_CORRUPT.
 */
#ifndef STORE_ODB_H
#define STORE_ODB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/progress.h"
#include "object/oid.h"
#include "store/store.h"

/* There, whatever its bytes are: in the store, or as a reference or in an alternate
 * (elsewhere.h), which all that reads falls back to.  False also when that cannot be
 * found out: for those that only save work by it. */
bool odb_has(struct store *s, const struct oid *id);
/* In the store itself. */
bool odb_has_own(struct store *s, const struct oid *id);
/* The same for those to whom "absent" means something: what may be removed, what is lost. */
int odb_find(struct store *s, const struct oid *id, bool *ret, struct err *e) MUST_CHECK;
int odb_find_own(struct store *s, const struct oid *id, bool *ret, struct err *e) MUST_CHECK;
/*
 * Before relying on objects that are there already: from now until s is closed gc
 * leaves them alone, with all that they name.  Only what odb_has says after this
 * counts.  A put does it by itself.
 */
int odb_keep(struct store *s, const struct oid *ids, size_t count, struct err *e) MUST_CHECK;
/* There, and its bytes, all read, have its digest. */
bool odb_intact(struct store *s, const struct oid *id);
/* The same, but files of the work tree that are only referred to do not count: they may be what
 * is to be replaced. */
bool odb_kept(struct store *s, const struct oid *id);
/* ERR_NOTFOUND names the id. */
int odb_size(struct store *s, const struct oid *id, uint64_t *ret, struct err *e) MUST_CHECK;
/* Whole object into memory, at most max bytes (ERR_LIMIT). */
int odb_read(struct store *s, const struct oid *id, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;
/*
 * Many reads of small objects follow: they share a transaction, of half a second at most, so
 * that others can write between.  Off again before something else is waited for.  A write
 * ends it by itself.
 */
int odb_reading(struct store *s, bool on, struct err *e) MUST_CHECK;
/* The bytes as they are stored, whatever their digest: for a verifier, which
 * re-hashes them and names the damage. */
int odb_read_raw(struct store *s, const struct oid *id, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;
/* Streams the object to sink in pieces; the digest is known only at the end:
 * on ERR_CORRUPT what was sunk must be thrown away.  sink NULL: only verified. */
typedef int odb_sink(void *arg, const void *data, size_t len, struct err *e);
int odb_stream(struct store *s, const struct oid *id, odb_sink *sink, void *arg,
    struct err *e) MUST_CHECK;
/* A read-only descriptor at offset 0 of the object's bytes and their size: the
 * file itself, or a sealed memfd for a small object.  The digest of a file is
 * NOT checked: for serving bytes to a peer that checks them. */
int odb_open(struct store *s, const struct oid *id, int *ret_fd, uint64_t *ret_size,
    struct err *e) MUST_CHECK;

/* Stores bytes; already there is success, after its bytes were read and compared
 * (this holds for every put): damage is replaced. Durable when it returns. */
int odb_put(struct store *s, const void *data, size_t len, struct oid *ret, struct err *e) MUST_CHECK;
/* One pass: reads fd from its position to the end, hashes and writes.
 * expect (may be NULL): ERR_REFUSED and nothing kept when the digest differs.
 * A file that changes its size or mtime while it is read is refused (ERR_CONFLICT). */
int odb_put_fd(struct store *s, int fd, const char *what, const struct oid *expect,
    struct oid *ret, uint64_t *ret_size, struct err *e) MUST_CHECK;
/* The same without a store: nothing is written. */
int odb_hash_fd(int fd, const char *what, struct oid *ret, uint64_t *ret_size,
    struct err *e) MUST_CHECK;
/* Takes a finished file, name beneath dirfd on the store's file system, into the
 * store: hashed, then renamed when large.  The caller guarantees that nobody
 * can still write it. The name is gone afterwards. */
int odb_adopt(struct store *s, int dirfd, const char *name, struct oid *ret, uint64_t *ret_size,
    struct err *e) MUST_CHECK;
/* The same for a file whose bytes the caller has hashed while it wrote them: a large
 * one is not read again. */
int odb_adopt_known(struct store *s, int dirfd, const char *name, const struct oid *id,
    struct err *e) MUST_CHECK;

/* Writes an object as a new file beneath dirfd (reflink, else copy; the bytes that
 * were written are verified): never replaces an existing name (ERR_EXISTS).
 * Never a link to the store's own file: whoever may write that one cannot reach
 * this one through it. mode 0444, 0555, 0644, 0755. */
int odb_export(struct store *s, const struct oid *id, int dirfd, const char *name, unsigned mode,
    struct err *e) MUST_CHECK;
struct odb_export_place {
	int dirfd;
	const char *name;
	unsigned mode;
	bool sync;                  /* the bytes are durable before they have the name */
	struct progress *progress;  /* NULL: none; gets the bytes as they are written */
};
int odb_export_at(struct store *s, const struct oid *id, const struct odb_export_place *place,
    struct err *e) MUST_CHECK;

/* Calls fn for every object in this store, any order; fn returns non-zero to stop, and must
 * not change the store. */
typedef int odb_each_fn(void *arg, const struct oid *id, uint64_t size);
int odb_each(struct store *s, odb_each_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* Ids that begin with prefix (>= 7 hex digits): ERR_NOTFOUND, or ERR_CONFLICT
 * when several do (the message lists some). */
int odb_prefix(struct store *s, const char *prefix, struct oid *ret, struct err *e) MUST_CHECK;

/* Several odb_put in one durable step: a batch of small objects costs one fsync.
 * A batch that lasts is committed about every second, and before a large object is
 * read from a file, so that others need not wait: they may see its objects early.  What is
 * durable for sure is so after odb_batch_end(). */
int odb_batch_begin(struct store *s, struct err *e) MUST_CHECK;
int odb_batch_end(struct store *s, struct err *e) MUST_CHECK;
void odb_batch_abort(struct store *s);
/* A batch of these and nothing else: all are durable when it returns 0.  ids: what the caller
 * has just hashed these very bytes to; NULL: they are hashed here. */
int odb_put_all(struct store *s, const struct oid *ids, const struct buf *bytes, size_t count,
    struct err *e) MUST_CHECK;

#endif
