/* Certificates made for a test. */
#ifndef UNIT_PKI_H
#define UNIT_PKI_H

#include "base/buf.h"
#include "crypto/x509.h"

struct pki; /* a key pair and its certificate */

enum pki_key { PKI_P256, PKI_RSA2048, PKI_RSA1024, PKI_ED25519, PKI_P384, PKI_RSA4096 };

struct pki_extension {
	const char *oid;            /* NULL: the end of a list */
	unsigned char value[72];
	size_t len;
};

/* How a certificate is signed; every other member 0. */
struct pki_pss {
	const char *hash;           /* NULL: not RSASSA-PSS */
	const char *mask;           /* hash of MGF1; NULL: the same */
	int salt;                   /* 0: the hash's length */
};

struct pki_options {
	const char *name;           /* common name */
	const struct pki *issuer;   /* NULL: self-signed */
	const struct pki *forger;   /* signs instead of the issuer */
	const char *basic;          /* basicConstraints as in openssl.cnf; NULL: none */
	const char *usage;          /* keyUsage; NULL: none */
	const char *eku;            /* extendedKeyUsage; NULL: none */
	bool unknown_critical;      /* a critical extension nobody knows */
	bool sha1;
	struct pki_pss pss;
	const struct pki_extension *extensions;
	enum pki_key key;
	const struct pki *same_key; /* NULL: a new one */
	int64_t from, until;        /* 0: 2020 to 2040 */
};

struct pki *pki_make(const struct pki_options *o);
struct pki *pki_root(const char *name);
struct pki *pki_ca(const char *name, const struct pki *issuer);
struct pki *pki_leaf(const char *name, const struct pki *issuer);
void pki_free(struct pki *p);
static inline void pki_freep(struct pki **p) { pki_free(*p); }
void pki_der(const struct pki *p, struct buf *ret);
void pki_pem(const struct pki *p, struct buf *ret);
void pki_private_pem(const struct pki *p, struct buf *ret);
struct x509_cert *pki_cert(const struct pki *p); /* the caller frees */
struct key *pki_key(const struct pki *p);        /* the caller frees */
/* An RSA signature, or ECDSA in DER, over data. */
void pki_sign(const struct pki *p, enum key_scheme scheme, enum hash_alg alg, const void *data,
    size_t len, struct buf *ret);

#endif
