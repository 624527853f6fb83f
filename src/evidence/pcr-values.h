/* PCR values as a document gives them: {"sha256":{"0":"<hex>",...},...}. */
#ifndef EVIDENCE_PCR_VALUES_H
#define EVIDENCE_PCR_VALUES_H

#include "evidence/attest.h"

#define PCR_VALUES_BANKS 4      /* SHA-1, SHA-256, SHA-384, SHA-512, as enum hash_alg counts */
#define PCR_VALUES_NAME_SIZE 32
#define PCR_VALUES_BYTES_MAX (64u * 1024)

struct pcr_values {
	uint32_t given[PCR_VALUES_BANKS];   /* bit n: PCR n has a value */
	unsigned char value[PCR_VALUES_BANKS][ATTEST_PCRS][HASH_SIZE_MAX];
	char unknown[PCR_VALUES_NAME_SIZE]; /* the first bank that was passed over, cut short; "": none */
};

/* Any RFC 8259 text, each bank and each PCR (0 to 23, decimal) once, values in hex
 * of the bank's length, in either case.  A bank we do not know is passed
 * over, as a file from a TPM may have it; a quote that covers it does not pass. */
int pcr_values_decode(const void *json, size_t len, struct pcr_values *ret, struct err *e) MUST_CHECK;
/* Borrowed; NULL when not given. */
const unsigned char *pcr_values_get(const struct pcr_values *v, enum hash_alg bank, unsigned pcr);
/* pcrDigest over the values a selects, in the selection's order.  A value that is not given:
 * *ret_ok false, reason names it. */
int pcr_values_digest(const struct pcr_values *v, const struct attest *a, enum hash_alg alg,
    unsigned char ret[HASH_SIZE_MAX], bool *ret_ok, struct buf *reason, struct err *e) MUST_CHECK;

#endif
