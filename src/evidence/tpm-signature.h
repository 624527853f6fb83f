/* TPMT_SIGNATURE (TPM 2.0 Library part 2, section 11.3.4), and the names bare signatures go by. */
#ifndef EVIDENCE_TPM_SIGNATURE_H
#define EVIDENCE_TPM_SIGNATURE_H

#include "base/buf.h"
#include "crypto/key.h"

#define TPM_SIGNATURE_RSA_MAX 512
#define TPM_SIGNATURE_ECC_MAX 48

struct tpm_signature {
	enum key_scheme scheme;
	enum hash_alg hash;
	unsigned char rsa[TPM_SIGNATURE_RSA_MAX];  /* RSASSA, RSAPSS */
	size_t rsa_len;
	unsigned char r[TPM_SIGNATURE_ECC_MAX], s[TPM_SIGNATURE_ECC_MAX]; /* ECDSA */
	size_t r_len, s_len;
};

/* RSASSA, RSAPSS or ECDSA with SHA-256 or better: SHA-1 is refused by name; trailing
 * bytes and anything but the one encoding: ERR_FORMAT. */
int tpm_signature_decode(const void *data, size_t len, struct tpm_signature *ret,
    struct err *e) MUST_CHECK;
/* The signature as key_verify() takes it for this key.  A TPM writes r and s either as
 * long as the curve's field or without leading zeros: nothing else is taken. */
int tpm_signature_raw(const struct tpm_signature *s, const struct key *k, struct buf *ret,
    struct err *e) MUST_CHECK;

struct tpm_signature_format {
	bool tpmt;                  /* the structure says which; else: */
	enum key_scheme scheme;
	enum hash_alg hash;
};

/* "tpmt", "rsassa-sha256", "rsapss-sha384", "ecdsa-sha512-der", ...; a name with sha1 is
 * taken, so that judging can refuse it by name.  ERR_USAGE for anything else. */
int tpm_signature_format(const char *name, struct tpm_signature_format *ret, struct err *e) MUST_CHECK;

/* Whatever format says, over data, by k.  *ret_ok false: reason says why.  *ret_hash is the
 * signature's hash wherever it could be read (*ret_hash_known). */
struct tpm_signature_found {
	bool ok, hash_known;
	enum hash_alg hash;
};
int tpm_signature_judge(const struct tpm_signature_format *format, const struct key *k,
    const struct buf *data, const struct buf *sig, struct tpm_signature_found *ret,
    struct buf *reason, struct err *e) MUST_CHECK;

#endif
