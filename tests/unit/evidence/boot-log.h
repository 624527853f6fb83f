/* Boot logs of our own making, with the PCRs a TPM would have after them. */
#ifndef UNIT_EVIDENCE_BOOT_LOG_H
#define UNIT_EVIDENCE_BOOT_LOG_H

#include "evidence/event-log.h"

struct boot_log {
	struct buf bytes;
	bool agile;
	enum hash_alg banks[EVENT_LOG_BANKS_MAX];
	size_t bank_count;
	/* As the TPM has them: extended with every event that is not EV_NO_ACTION. */
	unsigned char pcrs[EVENT_LOG_BANKS_MAX][EVENT_LOG_PCRS][HASH_SIZE_MAX];
	size_t offset;              /* of the last event */
};

/* SHA-1 alone and its format; or a Spec ID Event03 with these banks. */
void boot_log_new_sha1(struct boot_log *b);
void boot_log_new(struct boot_log *b, const enum hash_alg *banks, size_t n);
void boot_log_free(struct boot_log *b);

/* What is hashed and what is logged may differ. */
void boot_log_add(struct boot_log *b, uint32_t pcr, uint32_t type, const void *hashed,
    size_t hashed_len, const void *payload, size_t payload_len);
/* Digests of what is not here, one a bank of the log. */
void boot_log_digests(struct boot_log *b, uint32_t pcr, uint32_t type,
    unsigned char (*digests)[HASH_SIZE_MAX], const void *payload, size_t payload_len);
/* The same text hashed and logged, without its NUL. */
void boot_log_text(struct boot_log *b, uint32_t pcr, uint32_t type, const char *text);
void boot_log_separator(struct boot_log *b, uint32_t pcr);
/* UEFI_VARIABLE_DATA; hashed as a whole or its data alone. */
void boot_log_variable(struct boot_log *b, uint32_t pcr, uint32_t type, const char *name,
    const char *data, bool whole);
/* EV_NO_ACTION; seeds PCR 0 as a TPM started at that locality would be: comes first. */
void boot_log_startup(struct boot_log *b, unsigned locality);
/* A boot as of a UKI: PCR 0-7 by firmware, 4 and 9 and 11 by the image. */
void boot_log_typical(struct boot_log *b);
/* One PCR after another, as event_log_compare() takes them; the caller frees. */
unsigned char *boot_log_values(const struct boot_log *b, size_t bank);

void boot_log_number(struct buf *ret, uint64_t n, size_t bytes); /* little-endian */

#endif
