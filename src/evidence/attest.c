/*
 * TPMS_ATTEST of a quote (TPM 2.0 Library part 2, section 10.12.12).
 *
 * Invariants: what attest_decode() accepts, attest_encode() gives back byte for
 * byte; the type is TPM_ST_ATTEST_QUOTE, never another certification that
 * happens to have the same bytes at the same place; every bank is named once.
 */
#include "evidence/attest.h"

#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tpm2_types.h>
#include "evidence/tpm-alg.h"

#define ATTEST_SELECT_BYTES (ATTEST_PCRS / 8)
#define ATTEST_HEADER 6 /* magic, type */

static uint32_t
attest_be(const unsigned char *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* Before anything else: tss2-mu would read any type of certification. */
static int
attest_check_header(const unsigned char *p, size_t len, struct err *e)
{
	if (len < ATTEST_HEADER)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: %zu bytes are too few", len);
	if (attest_be(p, 4) != TPM2_GENERATED_VALUE)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: magic is not TPM_GENERATED_VALUE");
	if (attest_be(p + 4, 2) != TPM2_ST_ATTEST_QUOTE)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: type 0x%04x is not TPM_ST_ATTEST_QUOTE",
		    (unsigned)attest_be(p + 4, 2));
	return 0;
}

static int
attest_take_bank(const TPMS_PCR_SELECTION *s, struct attest *a, struct err *e)
{
	struct attest_selection *bank = &a->selection[a->selection_count];

	bank->mask = 0;
	if (!tpm_alg_to_hash(s->hash, &bank->bank))
		return err_set(e, ERR_UNSUPPORTED, "TPMS_ATTEST: PCR bank 0x%04x is not known",
		    s->hash);
	for (size_t i = 0; i < a->selection_count; i++) {
		if (a->selection[i].bank == bank->bank)
			return err_set(e, ERR_FORMAT, "TPMS_ATTEST: bank %s is selected twice",
			    hash_name(bank->bank));
	}
	if (s->sizeofSelect != ATTEST_SELECT_BYTES)
		return err_set(e, ERR_UNSUPPORTED, "TPMS_ATTEST: a selection of %u bytes, not %d",
		    s->sizeofSelect, ATTEST_SELECT_BYTES);
	for (unsigned i = 0; i < ATTEST_SELECT_BYTES; i++)
		bank->mask |= (uint32_t)s->pcrSelect[i] << (8 * i);
	if (bank->mask == 0)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: bank %s selects no PCR",
		    hash_name(bank->bank));
	a->selection_count++;
	return 0;
}

static int
attest_take_selection(const TPML_PCR_SELECTION *l, struct attest *a, struct err *e)
{
	if (l->count == 0)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: the quote selects no PCR");
	if (l->count > ATTEST_BANKS_MAX)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: %u PCR banks are too many", l->count);
	for (uint32_t i = 0; i < l->count; i++) {
		if (attest_take_bank(&l->pcrSelections[i], a, e) != 0)
			return -1;
	}
	return 0;
}

static int
attest_take(void *ret, size_t cap, size_t *ret_len, const void *data, size_t len, const char *what,
    struct err *e)
{
	if (len > cap)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: %s of %zu bytes", what, len);
	memcpy(ret, data, len);
	*ret_len = len;
	return 0;
}

static int
attest_from_mu(const TPMS_ATTEST *t, struct attest *a, struct err *e)
{
	const TPMS_QUOTE_INFO *q = &t->attested.quote;

	a->clock.clock = t->clockInfo.clock;
	a->clock.reset_count = t->clockInfo.resetCount;
	a->clock.restart_count = t->clockInfo.restartCount;
	a->clock.safe = t->clockInfo.safe == TPM2_YES;
	a->firmware = t->firmwareVersion;
	if (attest_take(a->extra, sizeof a->extra, &a->extra_len, t->extraData.buffer,
	    t->extraData.size, "extraData", e) != 0 ||
	    attest_take(a->signer, sizeof a->signer, &a->signer_len, t->qualifiedSigner.name,
	    t->qualifiedSigner.size, "qualifiedSigner", e) != 0 ||
	    attest_take(a->pcr_digest, sizeof a->pcr_digest, &a->pcr_digest_len,
	    q->pcrDigest.buffer, q->pcrDigest.size, "pcrDigest", e) != 0)
		return -1;
	return attest_take_selection(&q->pcrSelect, a, e);
}

int
attest_decode(const void *data, size_t len, struct attest *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct attest a = {0};
	TPMS_ATTEST t = {0};
	size_t offset = 0;

	if (attest_check_header(data, len, e) != 0)
		return -1;
	if (Tss2_MU_TPMS_ATTEST_Unmarshal(data, len, &offset, &t) != TSS2_RC_SUCCESS)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: cut short or malformed");
	if (offset != len)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: %zu bytes after the structure",
		    len - offset);
	if (attest_from_mu(&t, &a, e) != 0 || attest_encode(&a, &again, e) != 0)
		return -1;
	if (again.len != len || memcmp(again.data, data, len) != 0)
		return err_set(e, ERR_FORMAT, "TPMS_ATTEST: not its one encoding");
	*ret = a;
	return 0;
}

static int
attest_to_mu(const struct attest *a, TPMS_ATTEST *t, struct err *e)
{
	TPMS_QUOTE_INFO *q = &t->attested.quote;

	if (a->extra_len > sizeof a->extra || a->signer_len > sizeof a->signer ||
	    a->pcr_digest_len > sizeof a->pcr_digest || a->selection_count > ATTEST_BANKS_MAX)
		return err_set(e, ERR_USAGE, "TPMS_ATTEST: a member is too long");
	t->magic = TPM2_GENERATED_VALUE;
	t->type = TPM2_ST_ATTEST_QUOTE;
	t->qualifiedSigner.size = (UINT16)a->signer_len;
	memcpy(t->qualifiedSigner.name, a->signer, a->signer_len);
	t->extraData.size = (UINT16)a->extra_len;
	memcpy(t->extraData.buffer, a->extra, a->extra_len);
	t->clockInfo.clock = a->clock.clock;
	t->clockInfo.resetCount = a->clock.reset_count;
	t->clockInfo.restartCount = a->clock.restart_count;
	t->clockInfo.safe = a->clock.safe ? TPM2_YES : TPM2_NO;
	t->firmwareVersion = a->firmware;
	q->pcrSelect.count = (UINT32)a->selection_count;
	for (size_t i = 0; i < a->selection_count; i++) {
		TPMS_PCR_SELECTION *s = &q->pcrSelect.pcrSelections[i];

		s->hash = tpm_alg_from_hash(a->selection[i].bank);
		s->sizeofSelect = ATTEST_SELECT_BYTES;
		for (unsigned b = 0; b < ATTEST_SELECT_BYTES; b++)
			s->pcrSelect[b] = (BYTE)(a->selection[i].mask >> (8 * b));
	}
	q->pcrDigest.size = (UINT16)a->pcr_digest_len;
	memcpy(q->pcrDigest.buffer, a->pcr_digest, a->pcr_digest_len);
	return 0;
}

int
attest_encode(const struct attest *a, struct buf *ret, struct err *e)
{
	unsigned char bytes[sizeof(TPMS_ATTEST)];
	TPMS_ATTEST t = {0};
	size_t offset = 0;

	if (attest_to_mu(a, &t, e) != 0)
		return -1;
	if (Tss2_MU_TPMS_ATTEST_Marshal(&t, bytes, sizeof bytes, &offset) != TSS2_RC_SUCCESS)
		return err_set(e, ERR_INTERNAL, "TPMS_ATTEST: cannot be encoded");
	buf_add(ret, bytes, offset);
	return buf_check(ret, e);
}

bool
attest_selects(const struct attest *a, enum hash_alg bank, unsigned pcr)
{
	if (pcr >= ATTEST_PCRS)
		return false;
	for (size_t i = 0; i < a->selection_count; i++) {
		if (a->selection[i].bank == bank)
			return (a->selection[i].mask >> pcr & 1) != 0;
	}
	return false;
}
