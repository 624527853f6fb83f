/*
 * Attestations of the original AICert, from before certificates: a JSON text with
 * an event log, a quote as tpm2-tools writes it, and a chain.  Of the first
 * generation the log was replayed into PCR 16; of the second into PCR 14, with the
 * outputs in a log of their own in PCR 8.
 *
 * They are read so that it can be said what they are worth, never believed.
 */
#ifndef VERIFY_LEGACY_H
#define VERIFY_LEGACY_H

#include "evidence/pcr-values.h"

#define LEGACY_BYTES_MAX (4u * 1024 * 1024)
#define LEGACY_EVENTS_MAX 4096
#define LEGACY_CHAIN_MAX 8
#define LEGACY_CLAIMS_MAX 16

struct legacy_log {
	char **texts;
	size_t count;
	bool present;
};

struct legacy_claim {               /* an output, as the log calls it */
	char *path, *digest;
};

struct legacy {
	struct legacy_log events, outputs;
	struct buf attest, signature;   /* TPMS_ATTEST, TPMT_SIGNATURE */
	struct pcr_values pcrs;
	struct buf chain[LEGACY_CHAIN_MAX]; /* DER or PEM, leaf first, as it stands there */
	size_t chain_count;
	bool simulated;                 /* it says so itself */
	struct legacy_claim claims[LEGACY_CLAIMS_MAX];
	size_t claim_count;
};

/* ERR_FORMAT for anything else; a document without any evidence is called that. */
int legacy_decode(const void *json, size_t len, struct legacy *ret, struct err *e) MUST_CHECK;
void legacy_free(struct legacy *l);
/* What the log replays to from all zeros in the SHA-256 bank. */
int legacy_replay(const struct legacy_log *l, unsigned char ret[HASH_SHA256_SIZE], struct err *e) MUST_CHECK;

#endif
