/* A self-signed certificate and private keys as PEM: for a TLS server's own channel. */
#ifndef CRYPTO_X509_MAKE_H
#define CRYPTO_X509_MAKE_H

#include "crypto/key.h"

/*
 * X.509 v3 (RFC 5280), signed by the key itself with SHA-256: subject
 * CN=name, valid from an hour ago for days, digitalSignature, serverAuth, no CA.
 * It says nothing that a reader could rely on but the key.  PEM is appended.
 */
int x509_make_self_signed(const struct key *k, const char *name, unsigned days, struct buf *ret_pem,
    struct err *e) MUST_CHECK;
/* PKCS #8 in the clear, appended: to be wiped (buf_wipe) as soon as it was used. */
int x509_make_key_pem(const struct key *k, struct buf *ret_pem, struct err *e) MUST_CHECK;

#endif
