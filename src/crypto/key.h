/*
 * Public keys and signatures.  The algorithm is always stated by the caller,
 * never read from the key or the signature.
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "crypto/hash.h"

enum key_scheme { KEY_RSASSA, KEY_RSAPSS, KEY_ECDSA }; /* RFC 8017; FIPS 186-5 */
enum key_kind { KEY_RSA, KEY_P256, KEY_P384, KEY_OTHER };

struct key; /* a public key, or a key pair */

int key_generate_p256(struct key **ret, struct err *e) MUST_CHECK;
/* DER SubjectPublicKeyInfo; trailing bytes refused; re-encoding must give the same bytes. */
int key_from_spki(const void *der, size_t len, struct key **ret, struct err *e) MUST_CHECK;
/* A PEM text (crypto/pem.h) with exactly one block, PUBLIC KEY. */
int key_from_pem(const void *pem, size_t len, struct key **ret, struct err *e) MUST_CHECK;
/* The first private key of a PEM text, as its pair; one that is encrypted is refused. */
int key_from_private_pem(const void *pem, size_t len, struct key **ret, struct err *e) MUST_CHECK;
int key_from_rsa(const void *modulus, size_t modulus_len, uint32_t exponent, struct key **ret,
    struct err *e) MUST_CHECK;
/* Affine coordinates, big endian, of KEY_P256 or KEY_P384; the point must be on the curve. */
int key_from_point(enum key_kind kind, const void *x, size_t x_len, const void *y, size_t y_len,
    struct key **ret, struct err *e) MUST_CHECK;
void key_free(struct key *k);
static inline void key_freep(struct key **k) { key_free(*k); }

enum key_kind key_kind(const struct key *k);
unsigned key_bits(const struct key *k);
int key_spki(const struct key *k, struct buf *ret, struct err *e) MUST_CHECK;
int key_spki_digest(const struct key *k, unsigned char ret[HASH_SHA256_SIZE], struct err *e) MUST_CHECK;
/* Fit to judge signatures by: RSA of 2048 to 8192 bits with an odd exponent of 65537 to
 * 2^32-1 (FIPS 186-5 section A.1.1), P-256 or P-384.  ERR_UNSUPPORTED says what is not. */
int key_check(const struct key *k, struct err *e) MUST_CHECK;
bool key_equal(const struct key *a, const struct key *b);

/* ECDSA P-256 with SHA-256, DER, low s. */
int key_sign(const struct key *k, const void *data, size_t len, struct buf *ret_der,
    struct err *e) MUST_CHECK;
/* *ret_good says what was found; -1 only when it could not be decided.
 * ECDSA signatures are canonical DER; low_s demands s <= n/2. */
int key_verify(const struct key *k, enum key_scheme scheme, enum hash_alg alg, bool low_s,
    const void *data, size_t len, const void *sig, size_t sig_len, bool *ret_good,
    struct err *e) MUST_CHECK;
/* Builds the canonical DER of an ECDSA signature from r and s, big endian. */
int key_ecdsa_der(const void *r, size_t r_len, const void *s, size_t s_len, struct buf *ret,
    struct err *e) MUST_CHECK;

#endif
