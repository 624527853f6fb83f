/*
 * Quotes that are not AICert's: any selection, several banks.  An AICert
 * certificate's quotes are judged by evidence/quote-check.h, which expects the
 * whole structure byte for byte.
 */
#ifndef EVIDENCE_QUOTE_ANY_H
#define EVIDENCE_QUOTE_ANY_H

#include "evidence/pcr-values.h"

#define QUOTE_ANY_REQUIRE_MAX 16

/* "sha256:0,1,7" added to what is required of bank; ERR_USAGE for anything else.
 * A SHA-1 requirement is taken: no quote satisfies it. */
int quote_any_require(const char *text, uint32_t ret[PCR_VALUES_BANKS], struct err *e) MUST_CHECK;

/*
 * Of a decoded quote: the signer is a Name, a bank other than SHA-1 is selected, every
 * required PCR is, and pcrDigest is as long as a digest of the signature's hash (alg NULL:
 * unknown; then of any hash but SHA-1).  *ret_ok false: reason says what is not.
 */
int quote_any_structure(const struct attest *a, const uint32_t require[PCR_VALUES_BANKS],
    const enum hash_alg *alg, bool *ret_ok, struct buf *reason, struct err *e) MUST_CHECK;
/* pcrDigest is that of the values. */
int quote_any_pcrs(const struct attest *a, const struct pcr_values *v, enum hash_alg alg,
    bool *ret_ok, struct buf *reason, struct err *e) MUST_CHECK;

#endif
