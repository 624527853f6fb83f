/* RFC 4648 section 4 with padding, one spelling only: no line breaks, no
 * spare bits, so that equal text means equal bytes. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include <stdbool.h>
#include "base/buf.h"

void base64_encode(struct buf *ret, const void *data, size_t len);
/* Needs no memory. */
bool base64_canonical(const char *text, size_t len);
int base64_decode(struct buf *ret, const char *text, size_t len, struct err *e) MUST_CHECK;
/* Section 5 without padding, as JSON Web Keys have it (RFC 7515 section 2). */
int base64_decode_url(struct buf *ret, const char *text, size_t len, struct err *e) MUST_CHECK;

#endif
