/* A quote against a key, an expected extraData and PCR values. */
#ifndef EVIDENCE_QUOTE_CHECK_H
#define EVIDENCE_QUOTE_CHECK_H

#include "evidence/ak-public.h"
#include "evidence/attest.h"

/* PCR values by bank; a bank that is absent has no values. */
struct quote_check_pcrs {
	bool has_sha256, has_sha384;
	const unsigned char (*sha256)[32];  /* ATTEST_PCRS values */
	const unsigned char (*sha384)[48];
};

/* The selection every AICert quote has: all of PCR 0-23 in each bank present,
 * SHA-256 first; then the digest of the values in the signature's hash: the whole
 * expected TPMS_ATTEST is built, with clock, firmware and signer as found, and
 * compared.  false: reason says what differs. */
int quote_check_structure(const void *attest, size_t len, const unsigned char extra[32],
    const struct quote_check_pcrs *pcrs, enum hash_alg digest_alg, bool *ret_ok,
    struct buf *reason, struct err *e) MUST_CHECK;
/* pcrDigest over the selected values in the order of the selection. */
int quote_check_digest(const struct attest *a, const struct quote_check_pcrs *pcrs,
    enum hash_alg digest_alg, bool *ret_ok, struct err *e) MUST_CHECK;
/* sig: TPMT_SIGNATURE; its scheme and hash must be those of the key. */
int quote_check_signature(const struct ak_public *ak, const void *attest, size_t attest_len,
    const void *sig, size_t sig_len, bool *ret_ok, struct buf *reason, struct err *e) MUST_CHECK;

#endif
