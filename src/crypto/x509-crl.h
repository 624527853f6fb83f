/*
 * Certificate revocation lists (RFC 5280 section 5): complete ones of a CA for
 * its own certificates.  Indirect lists, deltas and lists for some reasons only
 * say too little to be counted.
 */
#ifndef CRYPTO_X509_CRL_H
#define CRYPTO_X509_CRL_H

#include "crypto/x509.h"

struct x509_crl;

/* DER in its one encoding, or PEM with exactly one block X509 CRL. */
int x509_crl_decode(const void *data, size_t len, struct x509_crl **ret, struct err *e) MUST_CHECK;
void x509_crl_free(struct x509_crl *crl);

enum x509_crl_answer {
	X509_CRL_OTHER,     /* not a list for this certificate that counts */
	X509_CRL_STALE,     /* one, but not of this time, and the certificate is not on it */
	X509_CRL_CLEAN,     /* one of this time, and the certificate is not on it */
	X509_CRL_REVOKED    /* on it: by a list of this time, or since a day before */
};

/*
 * Does the list, signed by issuer, speak of c at this time?  A stale list does
 * not show that a certificate is still good; what it revokes stays revoked.
 * reason is added to for every answer but X509_CRL_CLEAN, unless the list is
 * simply another CA's.
 */
int x509_crl_judge(const struct x509_crl *crl, const struct x509_cert *c,
    const struct x509_cert *issuer, int64_t time, enum x509_crl_answer *ret, struct buf *reason,
    struct err *e) MUST_CHECK;

#endif
