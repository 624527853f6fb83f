#include "snp-forge.h"

#include <string.h>
#include "unit.h"

static unsigned char good[SNP_REPORT_SIZE];

/* Unsigned: reading looks at the shape alone. */
static void
made(uint32_t version)
{
	static struct snp_forge f;

	snp_forge_new(&f, version >= 3);
	memcpy(good, f.report, sizeof good);
	snp_forge_u32(good, version);
	snp_forge_free(&f);
}

static void
refused(size_t at, unsigned char v, enum err_code code, const char *what)
{
	unsigned char p[SNP_REPORT_SIZE];
	struct snp_report r;
	struct err e;

	memcpy(p, good, sizeof p);
	p[at] ^= v;
	UNIT_FAILS(snp_report_decode(p, sizeof p, &r, &e), &e, code);
	ck_assert_msg(strstr(e.msg, what) != NULL, "%s", e.msg);
}

START_TEST(fields)
{
	struct snp_report r;
	struct err e;

	made(5);
	good[0x10] = 0xf0;
	good[0x20] = 0x1a;
	good[0x40] = 0x25;
	good[0x18a] = 7;
	UNIT_OK(snp_report_decode(good, sizeof good, &r, &e), &e);
	ck_assert_uint_eq(r.version, 5);
	ck_assert_uint_eq(r.guest_svn, 5);
	ck_assert_uint_eq(r.policy, 0x3001f);
	ck_assert(r.smt && !r.debug && !r.migration && r.has_cpuid);
	ck_assert_uint_eq(r.family_id[0], 0xf0);
	ck_assert_uint_eq(r.image_id[0], 0x1a);
	ck_assert_uint_eq(r.platform_info, 0x25);
	ck_assert_uint_eq(r.measurement[47], 0x4d);
	ck_assert_uint_eq(r.host_data[31], 0x48);
	ck_assert_uint_eq(r.id_key_digest[0], 0x1d);
	ck_assert_uint_eq(r.author_key_digest[0], 0);
	ck_assert_uint_eq(r.report_id[0], 0x52);
	ck_assert_uint_eq(r.report_id_ma[31], 0xff);
	ck_assert_uint_eq(r.cpuid_family, 0x1a);
	ck_assert_uint_eq(r.cpuid_model, 2);
	ck_assert_uint_eq(r.cpuid_stepping, 7);
	ck_assert_uint_eq(r.chip_id[7], 0xc1);
	ck_assert_uint_eq(r.reported_tcb[0], 1);
	ck_assert_uint_eq(r.launch_tcb[7], 72);
	ck_assert_uint_eq(r.r[47], good[SNP_REPORT_SIGNED]); /* little endian there */
	ck_assert_uint_eq(r.s[0], good[SNP_REPORT_SIGNED + 72 + 47]);
}
END_TEST

START_TEST(reserved_bytes)
{
	static const size_t zeros[] = {
		0x4c, 0x4f, 0x18b, 0x19f, 0x1eb, 0x1ef, 0x208, 0x29f, 0x2a0 + 48, 0x2a0 + 71, 0x2a0 + 120,
		0x2a0 + 143, 0x2a0 + 144, SNP_REPORT_SIZE - 1,
	};

	made((uint32_t)_i);
	if (_i == 2)
		memset(good + 0x188, 0, 3);
	for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++)
		refused(zeros[i], 0x40, ERR_FORMAT, "reserved bytes");
}
END_TEST

/* Bytes that a later version gave a meaning. */
START_TEST(bytes_by_version)
{
	unsigned char cpu[3];
	struct snp_report r;
	struct err e;

	made(3);
	refused(0x1f8, 1, ERR_FORMAT, "0x1f8");
	refused(0x207, 1, ERR_FORMAT, "0x1f8");
	made(5);
	good[0x1f8] = good[0x207] = 1;
	UNIT_OK(snp_report_decode(good, sizeof good, &r, &e), &e);
	made(3);
	memcpy(cpu, good + 0x188, sizeof cpu);
	ck_assert_uint_ne(cpu[0], 0);
	snp_forge_u32(good, 2);
	UNIT_FAILS(snp_report_decode(good, sizeof good, &r, &e), &e, ERR_FORMAT);
	memset(good + 0x188, 0, 3);
	UNIT_OK(snp_report_decode(good, sizeof good, &r, &e), &e);
	ck_assert(!r.has_cpuid);
}
END_TEST

START_TEST(heads)
{
	made(2);
	for (unsigned v = 0; v < 256; v++) {
		if (v != 2 && v != 3 && v != 5)
			refused(0, (unsigned char)(v ^ 2), ERR_UNSUPPORTED, "version");
	}
	refused(3, 1, ERR_UNSUPPORTED, "version");
	refused(0x34, 1, ERR_UNSUPPORTED, "signature algorithm 0");
	refused(0x37, 1, ERR_UNSUPPORTED, "signature algorithm");
	refused(0x48, 1 << 2, ERR_UNSUPPORTED, "VLEK");
	refused(0x48, 7 << 2, ERR_UNSUPPORTED, "signing key 7");
	refused(0x48, 1 << 5, ERR_FORMAT, "reserved bits");
	refused(0x4b, 0x80, ERR_FORMAT, "reserved bits");
	refused(0xa, 2, ERR_FORMAT, "policy"); /* the bit that is always one */
	refused(0xb, 4, ERR_FORMAT, "policy");
	refused(0xf, 0x80, ERR_FORMAT, "policy");
}
END_TEST

START_TEST(layouts_of_levels)
{
	unsigned char raw[8] = {1, 2, 3, 4, 0, 0, 0, 8};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct snp_tcb t;
	struct err e;

	UNIT_OK(snp_report_tcb(raw, SNP_TURIN, &t, &e), &e);
	snp_report_tcb_text(&t, true, &text);
	ck_assert_str_eq(buf_str(&text), "fmc=1,bootloader=2,tee=3,snp=4,microcode=8");
	UNIT_FAILS(snp_report_tcb(raw, SNP_MILAN, &t, &e), &e, ERR_FORMAT);
	memcpy(raw, "\1\2\0\0\0\0\7\10", 8);
	UNIT_OK(snp_report_tcb(raw, SNP_GENOA, &t, &e), &e);
	buf_reset(&text);
	snp_report_tcb_text(&t, false, &text);
	ck_assert_str_eq(buf_str(&text), "bootloader=1,tee=2,snp=7,microcode=8");
	UNIT_FAILS(snp_report_tcb(raw, SNP_TURIN, &t, &e), &e, ERR_FORMAT);
	for (size_t i = 2; i < 6; i++) {
		raw[i] = 1;
		UNIT_FAILS(snp_report_tcb(raw, SNP_MILAN, &t, &e), &e, ERR_FORMAT);
		raw[i] = 0;
	}
}
END_TEST

START_TEST(products)
{
	static const struct { uint8_t family, model; int milan, genoa, turin; } all[] = {
		{0x19, 0x01, 1, 0, 0}, {0x19, 0x0f, 1, 0, 0}, {0x19, 0x11, 0, 1, 0}, {0x19, 0xa0, 0, 1, 0},
		{0x19, 0x20, 0, 0, 0}, {0x1a, 0x02, 0, 0, 1}, {0x1a, 0x11, 0, 0, 1}, {0x1a, 0x20, 0, 0, 0},
		{0x17, 0x31, 0, 0, 0}, {0, 0, 0, 0, 0},
	};
	struct snp_report r = {.has_cpuid = true};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		r.cpuid_family = all[i].family;
		r.cpuid_model = all[i].model;
		ck_assert_int_eq(snp_report_is_product(&r, SNP_MILAN), all[i].milan);
		ck_assert_int_eq(snp_report_is_product(&r, SNP_GENOA), all[i].genoa);
		ck_assert_int_eq(snp_report_is_product(&r, SNP_TURIN), all[i].turin);
	}
	r.has_cpuid = false; /* version 2 does not say */
	ck_assert(snp_report_is_product(&r, SNP_GENOA));
}
END_TEST

/* Numbers that are no signature, and keys that are none of a VCEK. */
START_TEST(odd_signatures)
{
	static struct snp_forge f;
	struct key *vcek, *other = NULL;
	struct snp_report r;
	bool ok = true;
	struct err e;

	snp_forge_new(&f, false);
	vcek = pki_key(f.vcek);
	UNIT_OK(snp_report_decode(f.report, sizeof f.report, &r, &e), &e);
	UNIT_OK(snp_report_verify(&r, f.report, vcek, &ok, &e), &e);
	ck_assert(ok);
	UNIT_OK(key_generate_p256(&other, &e), &e);
	UNIT_OK(snp_report_verify(&r, f.report, other, &ok, &e), &e);
	ck_assert(!ok);
	UNIT_OK(snp_report_verify(&r, f.report, f.ak_key, &ok, &e), &e);
	ck_assert(!ok);
	memset(r.s, 0xff, sizeof r.s);
	UNIT_OK(snp_report_verify(&r, f.report, vcek, &ok, &e), &e);
	ck_assert(!ok);
	memset(r.r, 0, sizeof r.r);
	memset(r.s, 0, sizeof r.s);
	UNIT_OK(snp_report_verify(&r, f.report, vcek, &ok, &e), &e);
	ck_assert(!ok);
	key_free(other);
	key_free(vcek);
	snp_forge_free(&f);
}
END_TEST

UNIT_SUITE(snp_report)
{
	tcase_add_unchecked_fixture(tc, snp_forge_prepare, snp_forge_done);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, fields);
	tcase_add_loop_test(tc, reserved_bytes, 2, 4);
	tcase_add_test(tc, bytes_by_version);
	tcase_add_test(tc, heads);
	tcase_add_test(tc, layouts_of_levels);
	tcase_add_test(tc, products);
	tcase_add_test(tc, odd_signatures);
}
