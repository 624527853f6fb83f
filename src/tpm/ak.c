#include <string.h>
#include <tss2/tss2_mu.h>
#include "tpm/tpm-internal.h"

static void
ak_template(TPM2B_PUBLIC *ret)
{
	TPMS_ECC_PARMS *ecc = &ret->publicArea.parameters.eccDetail;

	memset(ret, 0, sizeof *ret);
	ret->publicArea.type = TPM2_ALG_ECC;
	ret->publicArea.nameAlg = TPM2_ALG_SHA256;
	/* noDA: a TPM in lockout after a power cut still quotes */
	ret->publicArea.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
	    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
	    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
	ecc->symmetric.algorithm = TPM2_ALG_NULL;
	ecc->scheme.scheme = TPM2_ALG_ECDSA;
	ecc->scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	ecc->curveID = TPM2_ECC_NIST_P256;
	ecc->kdf.scheme = TPM2_ALG_NULL;
}

static int
ak_create(struct tpm *t, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPM2B_PUBLIC *public = NULL;
	const TPM2B_SENSITIVE_CREATE sensitive = {0};
	const TPM2B_DATA outside = {0};
	const TPML_PCR_SELECTION pcrs = {0};
	unsigned char bytes[sizeof(TPMT_PUBLIC)];
	TPM2B_PUBLIC template;
	ESYS_TR handle;
	size_t len = 0;
	TSS2_RC rc;

	ak_template(&template);
	rc = Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
	    ESYS_TR_NONE, &sensitive, &template, &outside, &pcrs, &handle, &public, NULL, NULL,
	    NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_CreatePrimary of the attestation key", e);
	t->ak = handle;
	rc = Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, bytes, sizeof bytes, &len);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPMT_PUBLIC of the attestation key", e);
	buf_reset(&t->ak_public);
	buf_add(&t->ak_public, bytes, len);
	return buf_check(&t->ak_public, e);
}

int
ak_load(struct tpm *t, struct buf *ret_public, struct err *e)
{
	if ((t->ak == ESYS_TR_NONE || t->ak_public.len == 0) && ak_create(t, e) != 0)
		return -1;
	buf_add(ret_public, t->ak_public.data, t->ak_public.len);
	return buf_check(ret_public, e);
}
