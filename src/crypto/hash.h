/* Digests: SHA-256, SHA-384, SHA-512 (FIPS 180-4); SHA-1 only to name it, and it and
 * SM3 to replay boot logs: neither proves anything here. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define HASH_SIZE_MAX 64
#define HASH_SHA256_SIZE 32

enum hash_alg { HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_SM3 };

struct hash; /* a running digest */

size_t hash_size(enum hash_alg alg);
const char *hash_name(enum hash_alg alg);           /* "sha256" */
/* ERR_UNSUPPORTED for a name we do not know. */
int hash_from_name(const char *name, enum hash_alg *ret, struct err *e) MUST_CHECK;

int hash_new(enum hash_alg alg, struct hash **ret, struct err *e) MUST_CHECK;
int hash_update(struct hash *h, const void *data, size_t len, struct err *e) MUST_CHECK;
/* Finishes and may be used again from the start. */
int hash_final(struct hash *h, unsigned char *ret_digest, struct err *e) MUST_CHECK;
void hash_free(struct hash *h);
static inline void hash_freep(struct hash **h) { hash_free(*h); }

int hash_once(enum hash_alg alg, const void *data, size_t len, unsigned char *ret_digest,
    struct err *e) MUST_CHECK;
/* The last call of a thread that used crypto/ or the TPM in process: frees what
 * OpenSSL keeps for the thread, which its own destructors may come too late for. */
void hash_thread_end(void);
/* Constant time. */
bool hash_equal(const void *a, const void *b, size_t len);

#endif
