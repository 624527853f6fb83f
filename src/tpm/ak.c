#include <string.h>
#include <tss2/tss2_mu.h>
#include "tpm/ak-cert.h"
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
ak_keep_public(struct tpm *t, const TPM2B_PUBLIC *public, struct err *e)
{
	unsigned char bytes[sizeof(TPMT_PUBLIC)];
	size_t len = 0;
	TSS2_RC rc = Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, bytes, sizeof bytes, &len);

	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPMT_PUBLIC of the attestation key", e);
	buf_reset(&t->ak_public);
	buf_add(&t->ak_public, bytes, len);
	return buf_check(&t->ak_public, e);
}

static int
ak_create(struct tpm *t, const TPM2B_PUBLIC *template, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPM2B_PUBLIC *public = NULL;
	const TPM2B_SENSITIVE_CREATE sensitive = {0};
	const TPM2B_DATA outside = {0};
	const TPML_PCR_SELECTION pcrs = {0};
	ESYS_TR handle;
	TSS2_RC rc;

	rc = Esys_CreatePrimary(t->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
	    ESYS_TR_NONE, &sensitive, template, &outside, &pcrs, &handle, &public, NULL, NULL,
	    NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_CreatePrimary of the attestation key", e);
	t->ak = handle;
	t->ak_persistent = false;
	return ak_keep_public(t, public, e);
}

static int
ak_open_persistent(struct tpm *t, TPM2_HANDLE handle, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPM2B_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
	    &t->ak);

	if (rc != TSS2_RC_SUCCESS) {
		t->ak = ESYS_TR_NONE;
		return tpm_failed(t, rc, "the persistent attestation key", e);
	}
	t->ak_persistent = true;
	rc = Esys_ReadPublic(t->esys, t->ak, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL,
	    NULL);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_ReadPublic of the attestation key", e);
	return ak_keep_public(t, public, e);
}

static int
ak_find(struct tpm *t, struct err *e)
{
	struct ak_place place;
	TPM2B_PUBLIC template;

	if (ak_cert_locate(t, &place, e) != 0)
		return -1;
	if (place.persistent != 0)
		return ak_open_persistent(t, place.persistent, e);
	if (place.template != 0 && ak_cert_template(t, place.template, &template, e) != 0)
		return -1;
	if (place.template == 0)
		ak_template(&template);
	return ak_create(t, &template, e);
}

int
ak_load(struct tpm *t, struct buf *ret_public, struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);

	if ((t->ak == ESYS_TR_NONE || t->ak_public.len == 0) && ak_find(t, e) != 0)
		return -1;
	buf_add(ret_public, t->ak_public.data, t->ak_public.len);
	return buf_check(ret_public, e);
}
