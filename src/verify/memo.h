/*
 * What one process has computed about attestation keys, so that a thousand
 * certificates of one machine have its chain judged once.  An item stands for the
 * whole question (the key is a SHA-256 over everything that was asked), never for a
 * certificate; what could not be decided is never kept.  The memory is bounded: a
 * newer item takes an older one's place.  Threads may share a memo.  The trust
 * entries that are asked about must not change, and must live as long as it does.
 */
#ifndef VERIFY_MEMO_H
#define VERIFY_MEMO_H

#include <stddef.h>
#include "base/err.h"
#include "crypto/hash.h"

struct memo;

typedef void memo_drop(void *value);

/* Borrowed by whoever holds it; the value does not change. */
struct memo_item {
	unsigned char key[HASH_SHA256_SIZE];
	size_t refs;
	memo_drop *drop;
	void *value;
};

int memo_new(struct memo **ret, struct err *e) MUST_CHECK;
void memo_free(struct memo *m);     /* every item was released */
static inline void memo_freep(struct memo **m) { memo_free(*m); }

/* NULL: not known. */
struct memo_item *memo_get(struct memo *m, const unsigned char key[HASH_SHA256_SIZE]);
/* Takes value over, also when it fails; the item is held by the caller. */
int memo_put(struct memo *m, const unsigned char key[HASH_SHA256_SIZE], void *value,
    memo_drop *drop, struct memo_item **ret, struct err *e) MUST_CHECK;
void memo_release(struct memo *m, struct memo_item *item); /* NULL is nothing */

#endif
