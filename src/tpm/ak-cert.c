#include "tpm/ak-cert.h"

#include <string.h>
#include <tss2/tss2_mu.h>

#define AK_CERT_MAX 8192
#define AK_CERT_CHUNK 512   /* what every TPM gives in one answer */

/* In this order: Azure; Google Cloud, P-256, then RSA. */
static const struct ak_place ak_cert_places[] = {
	{.certificate = 0x01c101d0, .persistent = 0x81000003},
	{.certificate = 0x01c10002, .template = 0x01c10003},
	{.certificate = 0x01c10000, .template = 0x01c10001},
};

int
ak_cert_locate(struct tpm *t, struct ak_place *ret, struct err *e)
{
	for (size_t i = 0; i < sizeof ak_cert_places / sizeof *ak_cert_places; i++) {
		const struct ak_place *p = &ak_cert_places[i];
		bool certificate, key;

		if (tpm_has_handle(t, p->certificate, &certificate, e) != 0 ||
		    tpm_has_handle(t, p->persistent | p->template, &key, e) != 0)
			return -1;
		if (certificate && key) {
			*ret = *p;
			return 0;
		}
	}
	*ret = (struct ak_place){0};
	return 0;
}

/* By the index's own authorization, which is empty, else by the owner's. */
static int
ak_cert_chunk(struct tpm *t, ESYS_TR nv, uint16_t len, uint16_t offset, struct buf *ret,
    struct err *e)
{
	CLEANUP(tpm_esys_freep) TPM2B_MAX_NV_BUFFER *data = NULL;
	TSS2_RC rc = Esys_NV_Read(t->esys, nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, len,
	    offset, &data);

	if (rc != TSS2_RC_SUCCESS)
		rc = Esys_NV_Read(t->esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		    ESYS_TR_NONE, len, offset, &data);
	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_NV_Read of the attestation key's certificate", e);
	if (data->size != len)
		return err_set(e, ERR_TPM, "TPM2_NV_Read: fewer bytes than asked for");
	buf_add(ret, data->buffer, data->size);
	return buf_check(ret, e);
}

static int
ak_cert_chunks(struct tpm *t, ESYS_TR nv, struct buf *ret, struct err *e)
{
	CLEANUP(tpm_esys_freep) TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_NV_ReadPublic(t->esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
	    NULL);

	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "TPM2_NV_ReadPublic", e);
	if (public->nvPublic.dataSize > AK_CERT_MAX)
		return err_set(e, ERR_LIMIT, "an NV index of %u bytes", public->nvPublic.dataSize);
	for (uint16_t at = 0; at < public->nvPublic.dataSize;) {
		uint16_t left = (uint16_t)(public->nvPublic.dataSize - at);
		uint16_t n = left < AK_CERT_CHUNK ? left : AK_CERT_CHUNK;

		if (ak_cert_chunk(t, nv, n, at, ret, e) != 0)
			return -1;
		at = (uint16_t)(at + n);
	}
	return 0;
}

static int
ak_cert_index(struct tpm *t, TPM2_HANDLE index, struct buf *ret, struct err *e)
{
	ESYS_TR nv = ESYS_TR_NONE;
	TSS2_RC rc = Esys_TR_FromTPMPublic(t->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
	    &nv);
	int result;

	if (rc != TSS2_RC_SUCCESS)
		return tpm_failed(t, rc, "an NV index", e);
	result = ak_cert_chunks(t, nv, ret, e);
	(void)Esys_TR_Close(t->esys, &nv);
	return result;
}

int
ak_cert_template(struct tpm *t, TPM2_HANDLE index, TPM2B_PUBLIC *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	size_t offset = 0;

	if (ak_cert_index(t, index, &bytes, e) != 0)
		return -1;
	memset(ret, 0, sizeof *ret);
	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes.data, bytes.len, &offset, &ret->publicArea) !=
	    TSS2_RC_SUCCESS)
		return err_set(e, ERR_FORMAT, "NV index 0x%08x is not a key's template", index);
	return 0;
}

/* The length that the DER itself states: an index may be larger than what is in it.
 * ITU-T X.690 section 8.1.3; 0: not a SEQUENCE that fits. */
static size_t
ak_cert_der_length(const unsigned char *p, size_t len)
{
	size_t n;

	if (len < 4 || p[0] != 0x30)
		return 0;
	if (p[1] == 0x82)
		n = 4 + ((size_t)p[2] << 8 | p[3]);
	else if (p[1] == 0x81)
		n = 3 + (size_t)p[2];
	else
		n = p[1] < 0x80 ? 2 + (size_t)p[1] : 0;
	return n <= len ? n : 0;
}

int
ak_cert_read(struct tpm *t, struct buf *ret_der, bool *ret_found, struct err *e)
{
	CLEANUP(tpm_unlock) struct tpm *locked UNUSED = tpm_lock(t);
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct ak_place place;
	size_t len;

	if (ak_cert_locate(t, &place, e) != 0)
		return -1;
	if (place.certificate == 0) {
		*ret_found = false;
		return 0;
	}
	if (ak_cert_index(t, place.certificate, &bytes, e) != 0)
		return -1;
	len = ak_cert_der_length(bytes.data, bytes.len);
	if (len == 0)
		return err_set(e, ERR_FORMAT, "NV index 0x%08x does not hold a certificate",
		    place.certificate);
	buf_add(ret_der, bytes.data, len);
	*ret_found = true;
	return buf_check(ret_der, e);
}
