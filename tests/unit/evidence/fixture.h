/*
 * A software attestation key and its quotes, with the TPM's structures written
 * by hand: an encoder that shares nothing with the one under test.
 */
#ifndef UNIT_EVIDENCE_FIXTURE_H
#define UNIT_EVIDENCE_FIXTURE_H

#include "evidence/quote-check.h"
#include "pki.h"

#define FIXTURE_ATTRIBUTES 0x00050472u /* fixedTPM ... noDA, restricted, sign */

struct fixture_quote {
	struct pki *pki;
	struct buf public;      /* TPMT_PUBLIC */
	struct ak_public ak;
	struct buf attest;
	struct buf signature;   /* TPMT_SIGNATURE */
	unsigned char extra[32];
	unsigned char sha256[24][32];
	unsigned char sha384[24][48];
	struct quote_check_pcrs pcrs;
};

void fixture_u16(struct buf *b, unsigned v);
void fixture_u32(struct buf *b, uint32_t v);
void fixture_2b(struct buf *b, const void *data, size_t len);
/* pki must be P-256 or RSA-2048; scheme and hash are TPM algorithm numbers. */
void fixture_public(const struct pki *pki, unsigned scheme, unsigned hash, uint32_t attributes,
    struct buf *ret);
void fixture_sign(const struct pki *pki, unsigned scheme, unsigned hash, const struct buf *attest,
    struct buf *ret);
/* Attest with the selections given as hash, mask pairs; digest of 32 bytes. */
void fixture_attest(const struct attest *a, struct buf *ret);
/* A good quote: all of PCR 0-23 in both banks. */
void fixture_make(struct fixture_quote *q, enum pki_key key, unsigned scheme, unsigned hash);
void fixture_free(struct fixture_quote *q);

#endif
