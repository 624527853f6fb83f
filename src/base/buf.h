/*
 * A growing byte buffer.  Appending never fails in the caller's face: the
 * first failure (no memory, or the ceiling reached) sticks, later appends do
 * nothing, and buf_check() reports it once at the end.  The bytes are always
 * followed by a NUL that is not counted, so text can be used as a string.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct buf {
	unsigned char *data; /* NULL while empty */
	size_t len;
	size_t cap;
	size_t max;          /* ceiling in bytes; 0: SIZE_MAX / 2 */
	bool failed;
	bool over;           /* failed, because of the ceiling */
};

#define BUF_INIT {0}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *text);
void buf_addc(struct buf *b, int c);
void buf_addu(struct buf *b, uint64_t n);   /* in decimal */
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* Room for len more bytes at data + len; the caller adds to b->len. */
int buf_reserve(struct buf *b, size_t len, struct err *e) MUST_CHECK;
int buf_check(const struct buf *b, struct err *e) MUST_CHECK;

/* The text, "" while empty; borrowed. */
const char *buf_str(const struct buf *b);
/* Gives the allocation away (caller frees); NULL with an error after a failure. */
char *buf_steal(struct buf *b, struct err *e) MUST_CHECK;
void buf_reset(struct buf *b);  /* keeps the allocation and the ceiling */
void buf_free(struct buf *b);   /* zeroises nothing; for secrets use buf_wipe() */
void buf_wipe(struct buf *b);   /* zeroises, then frees */

/* strdup/strndup with an error. */
char *buf_strdup(const char *text, struct err *e) MUST_CHECK;
char *buf_strfmt(struct err *e, const char *fmt, ...) PRINTF(2, 3) MUST_CHECK;

#endif
