/*
 * Time stamps (RFC 3161): somebody else's signature over a digest and a time.  The answer
 * of a time stamping authority, or the token alone; SHA-256 imprints, signed with SHA-256
 * or better.
 */
#ifndef CRYPTO_TIME_STAMP_H
#define CRYPTO_TIME_STAMP_H

#include "crypto/x509.h"

#define TIME_STAMP_BYTES_MAX (64u * 1024)

struct time_stamp_request {
	const void *data;           /* DER: TimeStampResp or TimeStampToken */
	size_t len;
	unsigned char imprint[HASH_SHA256_SIZE];    /* what must have been stamped */
	const struct x509_cert *const *anchors;     /* pinned: an authority, or who certified it */
	size_t anchor_count;
};

/* *ret_ok: whole, for this imprint, by an authority that an anchor vouches for and that was
 * valid at the time it states; then *ret_time and *ret_anchor (its index) are written.  Else
 * reason says why not. */
int time_stamp_judge(const struct time_stamp_request *rq, bool *ret_ok, int64_t *ret_time,
    size_t *ret_anchor, struct buf *reason, struct err *e) MUST_CHECK;

#endif
