/*
 * The layout of remotes that only keep named pieces of bytes (aicert-remote(5)
 * "Buckets"): a directory that a web server serves, S3, a git tree.
 *
 *     manifest            which packs there are, and all refs; changed by compare-and-swap
 *     packs/<sha256>      small objects, many in one piece (pack.h), compressed with zstd;
 *                         the name is of what is expanded
 *     packs/<sha256>.idx  its head
 *     objects/<sha256>    a blob of more than PACK_BLOB_MAX bytes
 *
 * The manifest is text:
 *
 *     aicert bucket 1\n
 *     head <name>\n                                   the branch to check out, or no such line
 *     pack <sha256> <bytes of the head> <bytes>\n     in the order of arrival
 *     ref <name> <type> sha256:<hex>\n                sorted by name
 *
 * Whoever adds writes the pieces first, durably, and the manifest last; a piece that no
 * manifest names is litter.  A transport gives struct bucket_ops and gets all functions
 * of struct remote_ops but open, close and expect (NULL): bucket_refs and so on, with a
 * struct bucket as the first member of its state.
 */
#ifndef REMOTE_BUCKET_H
#define REMOTE_BUCKET_H

#include "remote/remote.h"

#define BUCKET_MANIFEST "manifest"
#define BUCKET_MANIFEST_MAX (32u * 1024 * 1024)
#define BUCKET_KEY_MAX 96
#define BUCKET_TAG_SIZE 256

typedef void bucket_moved(void *arg, uint64_t n);

/* The names of pieces are only those above, all ASCII, no escaping ever needed. */
struct bucket_ops {
	/* A whole piece, at most max bytes.  ERR_NOTFOUND: it is not there.  ret_tag (may be
	 * NULL): what write() takes to tell this version from later ones; "" where the
	 * transport has none. */
	int (*read)(void *self, const char *key, size_t max, struct buf *ret,
	    char ret_tag[BUCKET_TAG_SIZE], struct err *e);
	/* A whole piece, durable on return.  For the manifest tag is that of read(), or NULL when it must
	 * not be there: ERR_CONFLICT when that is not so any more (by the storage's own
	 * compare-and-swap, never by looking first).  For others tag is NULL, and a piece that is
	 * there already has the same bytes: it may be left as it is.  Of those with pieces (below) it
	 * may be called in another thread, while nothing else of it is called. */
	int (*write)(void *self, const char *key, const void *data, size_t len, const char *tag,
	    struct err *e);
	/* Large pieces, objects/<sha256>; all NULL where they are not held (git).  Those of a
	 * reader (read_only) may leave write and put NULL.  n at a time:
	 * the transport moves several in parallel and says of each item what came of it (HAS,
	 * LACKS, FAILED).  get stores into r->store only what has the digest and resumes. */
	int (*missing)(void *self, struct remote_item *items, size_t n, struct err *e);
	int (*get)(void *self, struct remote_item *items, size_t n, struct err *e);
	int (*put)(void *self, struct remote_item *items, size_t n, struct err *e);
	/* Bytes of a pack, about; 0: as many as one may have.  For who takes many small pieces as
	 * easily as a few large ones: a reader works on one while the next is expanded. */
	size_t piece;
};

struct bucket_view;     /* the manifest and the heads of its packs, as last read */

/* Set ops, self and remote; the rest begins as zero. */
struct bucket {
	const struct bucket_ops *ops;
	void *self;
	struct remote *remote;
	struct bucket_view *view;
};

/* Of struct remote_ops; r->state must begin with a struct bucket. */
int bucket_refs(struct remote *r, struct remote_refs *ret, struct err *e) MUST_CHECK;
int bucket_missing(struct remote *r, struct remote_item *items, size_t n, struct err *e) MUST_CHECK;
int bucket_read(struct remote *r, const struct oid *id, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;
/* For those that give pieces: see struct bucket_ops. */
int bucket_offer(struct remote *r, struct remote_item *item, const void *data, struct err *e) MUST_CHECK;
int bucket_get(struct remote *r, struct remote_item *items, size_t n, struct err *e) MUST_CHECK;
int bucket_put(struct remote *r, struct remote_item *items, size_t n, struct err *e) MUST_CHECK;
int bucket_update(struct remote *r, struct remote_update *updates, size_t n, struct err *e) MUST_CHECK;
/* Frees what is in *b, not *b itself. */
void bucket_end(struct bucket *b);

#endif
