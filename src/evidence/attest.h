/* Judging TPM structures by building the expected bytes (TPM 2.0 Library part 2). */
#ifndef EVIDENCE_ATTEST_H
#define EVIDENCE_ATTEST_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "crypto/hash.h"

#define ATTEST_PCRS 24
#define ATTEST_BANKS_MAX 8

struct attest_selection {
	enum hash_alg bank;
	uint32_t mask;              /* bit n: PCR n */
};

struct attest_clock {           /* TPMS_CLOCK_INFO */
	uint64_t clock;             /* milliseconds */
	uint32_t reset_count, restart_count;
	bool safe;
};

/* What the TPM itself says and nobody else can know. */
struct attest {
	unsigned char extra[64];    /* TPM2B_DATA */
	size_t extra_len;
	unsigned char signer[68];   /* qualified signer: TPM2B_NAME with its nameAlg */
	size_t signer_len;
	struct attest_clock clock;
	uint64_t firmware;
	struct attest_selection selection[ATTEST_BANKS_MAX];
	size_t selection_count;
	unsigned char pcr_digest[64];
	size_t pcr_digest_len;
};

/* A quote and nothing else: other types, wrong magic, trailing bytes, duplicate
 * or unknown banks, an empty selection: ERR_FORMAT / ERR_UNSUPPORTED, by name. */
int attest_decode(const void *data, size_t len, struct attest *ret, struct err *e) MUST_CHECK;
/* The bytes of a TPMS_ATTEST quote with these members: for comparing. */
int attest_encode(const struct attest *a, struct buf *ret, struct err *e) MUST_CHECK;
bool attest_selects(const struct attest *a, enum hash_alg bank, unsigned pcr);

#endif
