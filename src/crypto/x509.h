/* X.509 certificates (RFC 5280): what the AK profile asks of them. */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/key.h"

struct x509_cert;

struct x509_profile {
	bool ca;                 /* basicConstraints CA:TRUE */
	bool has_key_usage;
	bool digital_signature;
	bool key_encipherment;
	bool key_agreement;
	bool key_cert_sign;
	bool crl_sign;
	bool eku_ek;             /* extendedKeyUsage has 2.23.133.8.1 */
	bool eku_foreign;        /* extendedKeyUsage has one of other trades' purposes: servers,
	                          * code, mail, time stamps, OCSP */
	bool eku_other;          /* it has nothing but these */
	bool unknown_critical;   /* a critical extension we do not process */
	int64_t not_before;      /* seconds since 1970 */
	int64_t not_after;
};

/* DER in its one encoding; trailing bytes refused. */
int x509_decode(const void *der, size_t len, struct x509_cert **ret, struct err *e) MUST_CHECK;
/* The certificates in a PEM text (crypto/pem.h), one or more and no other block, into
 * ret[0..*ret_n-1]; more than max: ERR_LIMIT; the caller frees each. */
int x509_decode_pem(const void *pem, size_t len, size_t max, struct x509_cert **ret, size_t *ret_n,
    struct err *e) MUST_CHECK;
void x509_free(struct x509_cert *c);
int x509_profile(const struct x509_cert *c, struct x509_profile *ret, struct err *e) MUST_CHECK;
/* Strict as key_from_spki(). */
int x509_key(const struct x509_cert *c, struct key **ret, struct err *e) MUST_CHECK;
/* Does its extendedKeyUsage name this purpose (dotted)? */
bool x509_has_purpose(const struct x509_cert *c, const char *oid);
int x509_der(const struct x509_cert *c, struct buf *ret, struct err *e) MUST_CHECK;
int x509_digest(const struct x509_cert *c, unsigned char ret[HASH_SHA256_SIZE], struct err *e) MUST_CHECK;
int x509_subject(const struct x509_cert *c, struct buf *ret, struct err *e) MUST_CHECK;
/* Appends the value of the extension with this dotted OID: the bytes inside its OCTET
 * STRING, not decoded.  ERR_NOTFOUND: there is none; ERR_FORMAT: there are several. */
int x509_extension(const struct x509_cert *c, const char *oid, struct buf *ret, struct err *e) MUST_CHECK;
/* Is the certificate's signature RSASSA-PSS (RFC 4055) with exactly this hash, MGF1 with
 * it, a salt of its length and trailer 1?  ERR_UNSUPPORTED: it is not. */
int x509_pss(const struct x509_cert *c, enum hash_alg alg, struct err *e) MUST_CHECK;
/* Where the issuer's certificate can be had: the first http or https URL of
 * authorityInfoAccess (RFC 5280 section 4.2.2.1).  ERR_NOTFOUND: it names none. */
int x509_issuer_url(const struct x509_cert *c, struct buf *ret, struct err *e) MUST_CHECK;
bool x509_equal(const struct x509_cert *a, const struct x509_cert *b);
/* issuer's name and key are those of c's issuer; nothing about time or CA flags. */
bool x509_signed_by(const struct x509_cert *c, const struct x509_cert *issuer);

/*
 * Is chain[0] issued, through chain[1..n-1] in this order, by anchor (or by
 * chain[n-1] alone when anchor is NULL), every one valid at time, path length,
 * CA flags, keyCertSign, signatures with SHA-256 or better?  *ret_ok with the
 * reason in reason when not.
 */
int x509_chain_ok(struct x509_cert *const *chain, size_t n, const struct x509_cert *anchor,
    int64_t time, bool *ret_ok, struct buf *reason, struct err *e) MUST_CHECK;

#endif
