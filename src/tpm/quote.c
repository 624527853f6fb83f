#include <string.h>
#include <tss2/tss2_mu.h>
#include "evidence/quote-check.h"
#include "tpm/tpm-internal.h"

#define QUOTE_TRIES 5
#define QUOTE_SELECT_BYTES 3

static void
quote_select(const struct tpm *t, TPML_PCR_SELECTION *ret)
{
	memset(ret, 0, sizeof *ret);
	if (t->sha256)
		ret->pcrSelections[ret->count++].hash = TPM2_ALG_SHA256;
	if (t->sha384)
		ret->pcrSelections[ret->count++].hash = TPM2_ALG_SHA384;
	for (uint32_t i = 0; i < ret->count; i++) {
		ret->pcrSelections[i].sizeofSelect = QUOTE_SELECT_BYTES;
		memset(ret->pcrSelections[i].pcrSelect, 0xff, QUOTE_SELECT_BYTES);
	}
}

/* One TPM2_Quote, in the key's own scheme. */
static int
quote_sign(struct tpm *t, const unsigned char extra[32], struct buf *ret_attest,
    struct buf *ret_signature, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPM2B_ATTEST *attest = NULL;
	CLEANUP(tpm_esys_freep) TPMT_SIGNATURE *signature = NULL;
	const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
	unsigned char bytes[sizeof(TPMT_SIGNATURE)];
	TPM2B_DATA qualifying = {.size = HASH_SHA256_SIZE};
	TPML_PCR_SELECTION selection;
	size_t len = 0;
	TSS2_RC rc;

	memcpy(qualifying.buffer, extra, HASH_SHA256_SIZE);
	quote_select(t, &selection);
	rc = Esys_Quote(t->esys, t->ak, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying,
	    &scheme, &selection, &attest, &signature);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof bytes, &len);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_Quote", e);
	buf_add(ret_attest, attest->attestationData, attest->size);
	buf_add(ret_signature, bytes, len);
	if (buf_check(ret_attest, e) != 0)
		return -1;
	return buf_check(ret_signature, e);
}

/* Reads the values, quotes, and says whether the quote is of those values. */
static int
quote_try(struct tpm *t, const unsigned char extra[32], struct certificate_quote *q,
    bool *ret_same, struct err *e)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct quote_check_pcrs pcrs;

	buf_reset(&q->attest);
	buf_reset(&q->signature);
	if (pcr_read_all(t, &q->pcrs, e) != 0 ||
	    quote_sign(t, extra, &q->attest, &q->signature, e) != 0)
		return -1;
	pcrs = (struct quote_check_pcrs){
		.has_sha256 = q->pcrs.has_sha256,
		.has_sha384 = q->pcrs.has_sha384,
		.sha256 = (const unsigned char (*)[32])q->pcrs.sha256,
		.sha384 = (const unsigned char (*)[48])q->pcrs.sha384,
	};
	return quote_check_structure(q->attest.data, q->attest.len, extra, &pcrs, HASH_SHA256,
	    ret_same, &reason, e);
}

int
quote_make(struct tpm *t, const unsigned char extra[32], struct certificate_quote *ret,
    struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);
	CLEANUP(buf_free) struct buf public = BUF_INIT;
	struct certificate_quote q = {0};
	bool same = false;
	int rc = ak_load(t, &public, e);

	/* Another process may extend a PCR between the reading and the quote. */
	for (int i = 0; rc == 0 && !same && i < QUOTE_TRIES; i++)
		rc = quote_try(t, extra, &q, &same, e);
	if (rc == 0 && !same)
		rc = err_set(e, ERR_TPM, "TPM2_Quote: not of the PCR values read, %d times",
		    QUOTE_TRIES);
	if (rc != 0) {
		buf_free(&q.attest);
		buf_free(&q.signature);
		return -1;
	}
	*ret = q;
	return 0;
}

int
quote_clock(struct tpm *t, uint64_t *ret_clock, uint32_t *ret_resets, uint32_t *ret_restarts,
    struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);
	CLEANUP(tpm_esys_freep) TPMS_TIME_INFO *now = NULL;
	TSS2_RC rc = Esys_ReadClock(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &now);

	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_ReadClock", e);
	*ret_clock = now->clockInfo.clock;
	*ret_resets = now->clockInfo.resetCount;
	*ret_restarts = now->clockInfo.restartCount;
	return 0;
}
