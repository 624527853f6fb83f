/* The AK and its certificate where clouds leave them: NV indices and a persistent handle
 * written into an embedded TPM beforehand. */
#include <string.h>
#include <tss2/tss2_mu.h>
#include "fixture.h"
#include "tpm/tpm-internal.h"
#include "unit.h"

static const unsigned char der[] = {0x30, 0x82, 0x01, 0x04, 0x02, 0x01, 0x05};
#define DER_LEN (4 + 0x104)

static void
nv_write(struct tpm *t, TPM2_HANDLE index, const void *data, size_t len, size_t size)
{
	TPM2B_NV_PUBLIC public = {.nvPublic = {
		.nvIndex = index, .nameAlg = TPM2_ALG_SHA256, .dataSize = (UINT16)size,
		.attributes = TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA,
	}};
	TPM2B_AUTH auth = {.size = 0};
	TPM2B_MAX_NV_BUFFER bytes;
	ESYS_TR nv;

	ck_assert_uint_eq(Esys_NV_DefineSpace(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
	    ESYS_TR_NONE, &auth, &public, &nv), TSS2_RC_SUCCESS);
	for (size_t at = 0; at < size; at += bytes.size) {
		memset(&bytes, 0, sizeof bytes);
		bytes.size = (UINT16)(size - at < 256 ? size - at : 256);
		if (at < len)
			memcpy(bytes.buffer, (const unsigned char *)data + at,
			    len - at < bytes.size ? len - at : bytes.size);
		ck_assert_uint_eq(Esys_NV_Write(t->esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		    ESYS_TR_NONE, &bytes, (UINT16)at), TSS2_RC_SUCCESS);
	}
	Esys_TR_Close(t->esys, &nv);
}

/* The public area of the project's own AK, changed so that it makes another key. */
static void
other_template(struct tpm *t, TPMT_PUBLIC *ret)
{
	struct buf public = BUF_INIT;
	size_t offset = 0;
	struct err e;

	UNIT_OK(ak_load(t, &public, &e), &e);
	ck_assert_uint_eq(Tss2_MU_TPMT_PUBLIC_Unmarshal(public.data, public.len, &offset, ret),
	    TSS2_RC_SUCCESS);
	ret->unique.ecc.x.size = ret->unique.ecc.y.size = 32;
	memset(ret->unique.ecc.x.buffer, 7, 32);
	memset(ret->unique.ecc.y.buffer, 0, 32);
	buf_free(&public);
}

static void
put_template(struct tpm *t)
{
	unsigned char bytes[sizeof(TPMT_PUBLIC)];
	TPMT_PUBLIC template;
	size_t len = 0;

	other_template(t, &template);
	ck_assert_uint_eq(Tss2_MU_TPMT_PUBLIC_Marshal(&template, bytes, sizeof bytes, &len),
	    TSS2_RC_SUCCESS);
	nv_write(t, 0x01c10003, bytes, len, len);
}

static void
put_persistent(struct tpm *t)
{
	const TPM2B_SENSITIVE_CREATE sensitive = {0};
	const TPM2B_DATA outside = {0};
	const TPML_PCR_SELECTION pcrs = {0};
	TPM2B_PUBLIC template = {0};
	ESYS_TR handle, kept;

	other_template(t, &template.publicArea);
	ck_assert_uint_eq(Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
	    ESYS_TR_NONE, &sensitive, &template, &outside, &pcrs, &handle, NULL, NULL, NULL, NULL),
	    TSS2_RC_SUCCESS);
	ck_assert_uint_eq(Esys_EvictControl(t->esys, ESYS_TR_RH_OWNER, handle, ESYS_TR_PASSWORD,
	    ESYS_TR_NONE, ESYS_TR_NONE, 0x81000003, &kept), TSS2_RC_SUCCESS);
	Esys_TR_Close(t->esys, &kept);
	Esys_FlushContext(t->esys, handle);
}

/* Opened anew: what does it take for its AK, and what for its certificate? */
static void
expect(const char *spec, const struct buf *own, bool same, bool found)
{
	struct tpm *t = fixture_open(spec);
	CLEANUP(certificate_quote_free) struct certificate_quote quote = {0};
	static const unsigned char extra[32] = {3};
	struct buf public = BUF_INIT, cert = BUF_INIT;
	bool got = !found;
	struct err e;

	UNIT_OK(ak_load(t, &public, &e), &e);
	ck_assert(same == (public.len == own->len && memcmp(public.data, own->data, own->len) == 0));
	UNIT_OK(ak_cert_read(t, &cert, &got, &e), &e);
	ck_assert(got == found);
	ck_assert_uint_eq(cert.len, found ? DER_LEN : 0); /* without the index's padding */
	UNIT_OK(quote_make(t, extra, &quote, &e), &e);
	/* and again after the TPM was power-cycled */
	public.len = 0;
	UNIT_OK(tpm_reset(t, &e), &e);
	UNIT_OK(ak_load(t, &public, &e), &e);
	ck_assert(same == (public.len == own->len && memcmp(public.data, own->data, own->len) == 0));
	buf_free(&public);
	buf_free(&cert);
	tpm_close(t);
}

static struct tpm *
prepare(const char *name, char spec[300], struct buf *ret_own)
{
	struct tpm *t;
	struct err e;

	snprintf(spec, 300, "%s", fixture_spec(name));
	t = fixture_open(spec);
	UNIT_OK(ak_load(t, ret_own, &e), &e);
	return t;
}

START_TEST(google_leaves_a_template)
{
	struct buf own = BUF_INIT;
	char spec[300];
	struct tpm *t = prepare("google", spec, &own);

	tpm_close(t);
	expect(spec, &own, true, false);
	t = fixture_open(spec);
	put_template(t);
	tpm_close(t);
	expect(spec, &own, true, false); /* a template without a certificate is nobody's */
	t = fixture_open(spec);
	nv_write(t, 0x01c10002, der, sizeof der, 1024);
	tpm_close(t);
	expect(spec, &own, false, true);
	buf_free(&own);
}
END_TEST

START_TEST(azure_leaves_a_key)
{
	struct buf own = BUF_INIT;
	char spec[300];
	struct tpm *t = prepare("azure", spec, &own);

	put_persistent(t);
	tpm_close(t);
	expect(spec, &own, true, false);
	t = fixture_open(spec);
	nv_write(t, 0x01c101d0, der, sizeof der, DER_LEN);
	tpm_close(t);
	expect(spec, &own, false, true);
	buf_free(&own);
}
END_TEST

START_TEST(an_index_that_holds_no_certificate)
{
	static const unsigned char bad[][4] = {{0x31, 0x82, 0, 1}, {0x30, 0x83, 0, 1}, {0x30, 0x82, 4, 1}};
	struct buf own = BUF_INIT;

	for (size_t i = 0; i < 3; i++) {
		struct buf cert = BUF_INIT;
		char spec[300], name[16];
		struct tpm *t;
		bool found;
		struct err e;

		snprintf(name, sizeof name, "bad-%zu", i);
		t = prepare(name, spec, &own);
		put_persistent(t);
		nv_write(t, 0x01c101d0, bad[i], 4, 1024);
		UNIT_FAILS(ak_cert_read(t, &cert, &found, &e), &e, ERR_FORMAT);
		tpm_close(t);
	}
	buf_free(&own);
}
END_TEST

UNIT_SUITE(tpm_ak_cert)
{
	tcase_add_test(tc, google_leaves_a_template);
	tcase_add_test(tc, azure_leaves_a_key);
	tcase_add_test(tc, an_index_that_holds_no_certificate);
}
