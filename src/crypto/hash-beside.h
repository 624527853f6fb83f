/*
 * Hashing in a thread beside the one that has the bytes: it goes on receiving and writing while
 * what it wrote is hashed.
 */
#ifndef CRYPTO_HASH_BESIDE_H
#define CRYPTO_HASH_BESIDE_H

#include "crypto/hash.h"

struct hash_beside;

/* h is borrowed, and the thread's until hash_beside_settle() or hash_beside_stop(). */
int hash_beside_start(struct hash *h, struct hash_beside **ret, struct err *e) MUST_CHECK;
/* Copies; waits while much is not hashed yet.  What goes wrong is told by hash_beside_settle(). */
void hash_beside_update(struct hash_beside *b, const void *data, size_t len);
/* All of it is hashed, and h is the caller's until the next update. */
int hash_beside_settle(struct hash_beside *b, struct err *e) MUST_CHECK;
/* May be NULL. */
void hash_beside_stop(struct hash_beside *b);

#endif
