#include <string.h>
#include "crypto/hash.h"
#include "tpm/tpm-internal.h"

#define PCR_SELECT_BYTES 3
#define PCR_ALL 0xffffffu

int
pcr_extend(struct tpm *t, unsigned pcr, const void *data, size_t len, struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);
	TPML_DIGEST_VALUES digests = {0};
	TSS2_RC rc;

	if (pcr >= CERTIFICATE_PCRS)
		return err_set(e, ERR_USAGE, "there is no PCR %u", pcr);
	if (t->sha256) {
		TPMT_HA *d = &digests.digests[digests.count++];

		d->hashAlg = TPM2_ALG_SHA256;
		if (hash_once(HASH_SHA256, data, len, d->digest.sha256, e) != 0)
			return -1;
	}
	if (t->sha384) {
		TPMT_HA *d = &digests.digests[digests.count++];

		d->hashAlg = TPM2_ALG_SHA384;
		if (hash_once(HASH_SHA384, data, len, d->digest.sha384, e) != 0)
			return -1;
	}
	rc = Esys_PCR_Extend(t->esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
	    ESYS_TR_NONE, &digests);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_PCR_Extend", e);
	return 0;
}

static uint32_t
pcr_mask(const TPMS_PCR_SELECTION *s)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < PCR_SELECT_BYTES && i < s->sizeofSelect; i++)
		mask |= (uint32_t)s->pcrSelect[i] << (8 * i);
	return mask;
}

struct pcr_bank {
	TPMI_ALG_HASH alg;
	size_t size;
	unsigned char *values; /* CERTIFICATE_PCRS of size bytes */
	uint32_t left;         /* bit n: PCR n is still to be read */
};

/* Copies the values of one answer. */
static int
pcr_take(struct pcr_bank *b, const TPML_PCR_SELECTION *got, const TPML_DIGEST *values,
    struct err *e)
{
	uint32_t mask = got->count == 1 && got->pcrSelections[0].hash == b->alg ?
	    pcr_mask(&got->pcrSelections[0]) : 0;
	uint32_t n = 0;

	if (mask == 0 || (mask & ~b->left) != 0)
		return err_set(e, ERR_TPM, "TPM2_PCR_Read: the TPM answers for other PCRs");
	for (unsigned pcr = 0; pcr < CERTIFICATE_PCRS; pcr++) {
		if ((mask >> pcr & 1) == 0)
			continue;
		if (n == values->count || values->digests[n].size != b->size)
			return err_set(e, ERR_TPM, "TPM2_PCR_Read: PCR %u is missing", pcr);
		memcpy(b->values + pcr * b->size, values->digests[n++].buffer, b->size);
	}
	b->left &= ~mask;
	return 0;
}

/* The TPM gives as many values as its answer holds: asks until it has all. */
static int
pcr_read_bank(struct tpm *t, struct pcr_bank *b, struct err *e)
{
	while (b->left != 0) {
		CLEANUP(tpm_esys_freep) TPML_PCR_SELECTION *got = NULL;
		CLEANUP(tpm_esys_freep) TPML_DIGEST *values = NULL;
		TPML_PCR_SELECTION wanted = {.count = 1};
		UINT32 counter;
		TSS2_RC rc;

		wanted.pcrSelections[0].hash = b->alg;
		wanted.pcrSelections[0].sizeofSelect = PCR_SELECT_BYTES;
		for (unsigned i = 0; i < PCR_SELECT_BYTES; i++)
			wanted.pcrSelections[0].pcrSelect[i] = (BYTE)(b->left >> (8 * i));
		rc = Esys_PCR_Read(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
		    &counter, &got, &values);
		if (rc != TSS2_RC_SUCCESS)
			return tpm_failed(t, rc, "TPM2_PCR_Read", e);
		if (pcr_take(b, got, values, e) != 0)
			return -1;
	}
	return 0;
}

int
pcr_read_all(struct tpm *t, struct certificate_pcrs *ret, struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);
	struct certificate_pcrs pcrs = {.has_sha256 = t->sha256, .has_sha384 = t->sha384};
	struct pcr_bank sha256 = {TPM2_ALG_SHA256, 32, pcrs.sha256[0], PCR_ALL};
	struct pcr_bank sha384 = {TPM2_ALG_SHA384, 48, pcrs.sha384[0], PCR_ALL};

	if (t->sha256 && pcr_read_bank(t, &sha256, e) != 0)
		return -1;
	if (t->sha384 && pcr_read_bank(t, &sha384, e) != 0)
		return -1;
	*ret = pcrs;
	return 0;
}
