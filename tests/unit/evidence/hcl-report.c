#include "snp-forge.h"

#include <string.h>
#include "unit.h"

static struct snp_forge f;

static void
made(void)
{
	snp_forge_new(&f, false);
}

/* A 32-bit member of the header changed. */
static void
refused(size_t at, uint32_t v, enum err_code code)
{
	CLEANUP(buf_free) struct buf copy = BUF_INIT;
	struct hcl_report h;
	struct err e;

	buf_add(&copy, f.hcl.data, f.hcl.len);
	snp_forge_u32(copy.data + at, v);
	UNIT_FAILS(hcl_report_decode(copy.data, copy.len, &h, &e), &e, code);
}

START_TEST(headers)
{
	uint32_t json, all;

	made();
	json = (uint32_t)f.runtime.len;
	all = (uint32_t)f.hcl.len;
	refused(0, 0x414c4342, ERR_FORMAT);
	refused(4, 0, ERR_UNSUPPORTED);
	refused(4, 3, ERR_UNSUPPORTED);
	refused(8, all + 1, ERR_FORMAT);
	refused(8, all - 1, ERR_FORMAT);
	refused(8, 0xffffffff, ERR_FORMAT);
	refused(12, 1, ERR_UNSUPPORTED);
	refused(16, 1, ERR_FORMAT);
	refused(28, 1u << 31, ERR_FORMAT);
	refused(1216, json + 19, ERR_FORMAT);
	refused(1216, 0xffffffff, ERR_FORMAT);
	refused(1220, 2, ERR_UNSUPPORTED);
	refused(1224, 3, ERR_UNSUPPORTED);
	refused(1228, 2, ERR_UNSUPPORTED);
	refused(1232, json + 1, ERR_FORMAT);
	refused(1232, json - 1, ERR_FORMAT);
	refused(1232, 0, ERR_FORMAT);
	refused(1232, 0xffffffff, ERR_FORMAT);
	snp_forge_free(&f);
}
END_TEST

/* Sizes that agree with one another and not with the bytes. */
START_TEST(agreeing_sizes)
{
	CLEANUP(buf_free) struct buf copy = BUF_INIT;
	uint32_t more;
	struct hcl_report h;
	struct err e;

	made();
	for (more = 1; more < 5000; more += 999) {
		buf_reset(&copy);
		buf_add(&copy, f.hcl.data, f.hcl.len);
		snp_forge_u32(copy.data + 8, (uint32_t)f.hcl.len + more);
		snp_forge_u32(copy.data + 1216, (uint32_t)f.runtime.len + 20 + more);
		snp_forge_u32(copy.data + 1232, (uint32_t)f.runtime.len + more);
		UNIT_FAILS(hcl_report_decode(copy.data, copy.len, &h, &e), &e, ERR_FORMAT);
	}
	while (copy.len <= HCL_REPORT_MAX)
		buf_addc(&copy, 0);
	memcpy(copy.data, f.hcl.data, f.hcl.len);
	UNIT_FAILS(hcl_report_decode(copy.data, copy.len, &h, &e), &e, ERR_FORMAT);
	UNIT_OK(hcl_report_decode(copy.data, copy.len - 1, &h, &e), &e);
	ck_assert_uint_eq(h.len, f.hcl.len);
	snp_forge_free(&f);
}
END_TEST

static void
ak_is(const char *json, enum err_code code)
{
	struct hcl_report h = {.runtime = json, .runtime_len = strlen(json)};
	struct key *k = NULL;
	struct err e;

	ck_assert_msg(hcl_report_ak(&h, &k, &e) != 0 && e.code == code, "%s: %s", json, e.msg);
}

START_TEST(runtimes)
{
	static const struct { const char *json; enum err_code code; } all[] = {
		{"", ERR_FORMAT}, {"{", ERR_FORMAT}, {"null", ERR_FORMAT}, {"[]", ERR_FORMAT},
		{"{}", ERR_FORMAT}, {"{\"keys\":{}}", ERR_FORMAT}, {"{\"keys\":[]}", ERR_FORMAT},
		{"{\"keys\":[null,1,\"HCLAkPub\",{\"kid\":1},{\"kid\":\"HCLEkPub\"}]}", ERR_FORMAT},
		{"{\"keys\":[{\"kid\":\"HCLAkPub\"}]}", ERR_UNSUPPORTED},
		{"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"EC\"}]}", ERR_UNSUPPORTED},
		{"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\"}]}", ERR_FORMAT},
		{"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\"}]}", ERR_FORMAT},
		{"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		    ERR_FORMAT}, /* of 17 bits */
		{"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQ==\",\"e\":\"AQAB\"}]}", ERR_FORMAT},
		{"{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AAEB\",\"e\":\"AQAB\"}]}", ERR_FORMAT},
		{"{\"keys\":[],\"keys\":[]}", ERR_FORMAT},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		ak_is(all[i].json, all[i].code);
}
END_TEST

/* One name, one key: wherever the other stands. */
START_TEST(two_keys)
{
	struct hcl_report h;
	struct key *k = NULL;
	struct err e;

	made();
	snp_forge_runtime(&f, "HCLAkPub", ",{\"kid\":\"HCLEkPub\",\"kty\":\"EC\"}");
	snp_forge_bind(&f);
	UNIT_OK(hcl_report_decode(f.hcl.data, f.hcl.len, &h, &e), &e);
	UNIT_OK(hcl_report_ak(&h, &k, &e), &e);
	ck_assert(key_equal(k, f.ak_key));
	key_free(k);
	snp_forge_runtime(&f, "HCLAkPub", ",{\"kid\":\"HCLAkPub\",\"kty\":\"EC\"}");
	snp_forge_bind(&f);
	UNIT_OK(hcl_report_decode(f.hcl.data, f.hcl.len, &h, &e), &e);
	UNIT_FAILS(hcl_report_ak(&h, &k, &e), &e, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.msg, "two keys"));
	snp_forge_runtime(&f, "HCLEkPub", "");
	snp_forge_bind(&f);
	UNIT_OK(hcl_report_decode(f.hcl.data, f.hcl.len, &h, &e), &e);
	UNIT_FAILS(hcl_report_ak(&h, &k, &e), &e, ERR_FORMAT);
	snp_forge_free(&f);
}
END_TEST

UNIT_SUITE(hcl_report)
{
	tcase_add_unchecked_fixture(tc, snp_forge_prepare, snp_forge_done);
	tcase_add_test(tc, headers);
	tcase_add_test(tc, agreeing_sizes);
	tcase_add_test(tc, runtimes);
	tcase_add_test(tc, two_keys);
}
