/*
 * An object on its way in, resumable: a file tmp/upload/<hex>[-<owner>] in the
 * store, which must outlive the upload, holds what has come so far, also across
 * connections and restarts.  It is its sender's alone: who sends the last byte of
 * what another began owns nothing.  It is hashed as it arrives; with a wrong hash
 * nothing is kept.
 */
#ifndef SERVE_UPLOAD_H
#define SERVE_UPLOAD_H

#include <stdint.h>
#include "object/oid.h"
#include "store/store.h"

struct upload;

#define UPLOAD_KEPT_S (7 * 24 * 3600)   /* parts that nobody continued, unless told otherwise */

struct upload_range {
	uint64_t start;         /* where these bytes belong */
	uint64_t length;        /* how many come now */
	uint64_t total;         /* of the whole object */
	bool resume;            /* false: what came before is thrown away */
	unsigned parts_max;     /* that the owner may have, this one among them; 0: any number */
};

/* owner: of the part, a principal's name; "" where there is one user only.
 * ERR_CONFLICT when start is not what is here already, which is then in
 * *ret_offset, or when another connection is sending the same object.  ERR_LIMIT: no room. */
int upload_open(struct store *s, const struct oid *id, const char *owner,
    const struct upload_range *range, struct upload **ret, uint64_t *ret_offset, struct err *e) MUST_CHECK;
int upload_write(struct upload *u, const void *data, size_t len, struct err *e) MUST_CHECK;
/* All bytes of the range have come. *ret_whole: so has the object, and it is stored
 * now. ERR_REFUSED: the hash is wrong, nothing is kept. */
int upload_finish(struct upload *u, bool *ret_whole, uint64_t *ret_offset,
    struct err *e) MUST_CHECK;
/* What has come so far stays for a later upload_open(). */
void upload_close(struct upload *u);

/*
 * Whether the part has all bytes of its object: then it is stored, as upload_finish() would
 * have if the daemon had not ended in between.  0 also when it is being sent, or is wrong,
 * and then gone.
 */
int upload_complete(struct store *s, const struct oid *id, const char *owner, bool *ret,
    struct err *e) MUST_CHECK;
/* Bytes of a part-sent object; ERR_NOTFOUND when there are none. */
int upload_offset(struct store *s, const struct oid *id, const char *owner, uint64_t *ret,
    struct err *e) MUST_CHECK;
/* Removes parts to which nothing came for kept_s seconds. */
void upload_sweep(struct store *s, int64_t now, int64_t kept_s);

#endif
