#include "snp-forge.h"

#include <string.h>
#include "unit.h"

static struct snp_forge f;

static void
freep(struct x509_cert **c)
{
	x509_free(*c);
}

static int
reading(struct snp_vcek *ret, struct err *e)
{
	CLEANUP(freep) struct x509_cert *c = NULL;

	snp_forge_vcek(&f);
	c = pki_cert(f.vcek);
	return snp_vcek_read(c, ret, e);
}

static void
refused(enum err_code code, const char *what)
{
	struct snp_vcek v;
	struct err e;

	UNIT_FAILS(reading(&v, &e), &e, code);
	ck_assert_msg(strstr(e.msg, what) != NULL, "%s", e.msg);
}

static void
changed(const char *suffix, const char *value, size_t len)
{
	struct pki_extension *x = snp_forge_extension(&f, suffix);

	memcpy(x->value, value, len);
	x->len = len;
}

START_TEST(what_it_says)
{
	struct snp_vcek v;
	struct err e;

	snp_forge_new(&f, false);
	UNIT_OK(reading(&v, &e), &e);
	ck_assert_int_eq(v.product, SNP_MILAN);
	ck_assert_mem_eq(v.tcb, "\4\0\0\0\0\0\30\333", 8);
	ck_assert_uint_eq(v.chip_id[63], 0xc1);
	changed("2", "\x16\x05Genoa", 7);
	UNIT_OK(reading(&v, &e), &e);
	ck_assert_int_eq(v.product, SNP_GENOA);
	snp_forge_free(&f);
	snp_forge_new(&f, true);
	UNIT_OK(reading(&v, &e), &e);
	ck_assert_int_eq(v.product, SNP_TURIN);
	ck_assert_mem_eq(v.tcb, "\1\2\3\4\0\0\0\110", 8);
	ck_assert(v.chip_id[7] == 0xc1 && v.chip_id[8] == 0);
	snp_forge_free(&f);
}
END_TEST

START_TEST(malformed)
{
	static const struct { const char *suffix, *value; size_t len; enum err_code code; } all[] = {
		{"2", "\x16\x08Naples-A", 10, ERR_UNSUPPORTED}, {"2", "\x16\x08Milano-A", 10, ERR_UNSUPPORTED},
		{"2", "\x16\x04Mila", 6, ERR_UNSUPPORTED}, {"2", "\x0c\x05Milan", 7, ERR_FORMAT},
		{"2", "\x16\x06Milan", 7, ERR_FORMAT}, {"2", "\x16\x06Milan\0", 8, ERR_UNSUPPORTED},
		{"2", "\x16", 1, ERR_FORMAT}, {"3.1", "\2\1", 2, ERR_FORMAT}, {"3.1", "\2\1\200", 3, ERR_FORMAT},
		{"3.2", "\2\2\0\1", 4, ERR_FORMAT}, {"3.3", "\2\2\1\0", 4, ERR_FORMAT},
		{"3.8", "\4\1\1", 3, ERR_FORMAT}, {"3.8", "\2\1\1\0", 4, ERR_FORMAT},
		{"4", "12345678", 8, ERR_FORMAT},
	};

	snp_forge_new(&f, false);
	changed(all[_i].suffix, all[_i].value, all[_i].len);
	refused(all[_i].code, "");
	snp_forge_free(&f);
}
END_TEST

/* Every extension it is judged by must be there, once. */
START_TEST(absent_and_twice)
{
	static const char *const all[] = {"2", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "4"};

	snp_forge_new(&f, false);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct pki_extension *x = snp_forge_extension(&f, all[i]);
		const char *oid = x->oid;

		x->oid = "1.2.3.4.5.9";
		refused(ERR_FORMAT, "no extension");
		x->oid = oid;
		f.extensions[f.extension_count] = *x;
		refused(ERR_FORMAT, "twice");
		memset(&f.extensions[f.extension_count], 0, sizeof *x);
	}
	snp_forge_free(&f);
}
END_TEST

START_TEST(other_kinds)
{
	CLEANUP(freep) struct x509_cert *ask = NULL;
	CLEANUP(pki_freep) struct pki *ca = NULL;
	CLEANUP(freep) struct x509_cert *c = NULL;
	struct snp_vcek v;
	struct err e;

	snp_forge_new(&f, false);
	f.extensions[f.extension_count] = (struct pki_extension){SNP_FORGE_OID "5", "cloud", 5};
	refused(ERR_UNSUPPORTED, "VLEK");
	memset(&f.extensions[f.extension_count], 0, sizeof f.extensions[0]);
	ca = pki_make(&(struct pki_options){.name = "SEV-VCEK", .key = PKI_P384,
	    .basic = "critical,CA:TRUE", .extensions = f.extensions});
	c = pki_cert(ca);
	UNIT_FAILS(snp_vcek_read(c, &v, &e), &e, ERR_FORMAT);
	ask = pki_cert(f.ask);
	UNIT_FAILS(snp_vcek_read(ask, &v, &e), &e, ERR_FORMAT);
	snp_forge_free(&f);
}
END_TEST

static void
differs(const struct snp_vcek *v, const struct snp_report *r, const char *what)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	ck_assert(!snp_vcek_matches(v, r, &reason));
	ck_assert_msg(strstr(buf_str(&reason), what) != NULL, "%s", buf_str(&reason));
}

START_TEST(matches)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct snp_report r;
	struct snp_vcek v;
	struct err e;

	snp_forge_new(&f, true);
	UNIT_OK(reading(&v, &e), &e);
	UNIT_OK(snp_report_decode(f.report, sizeof f.report, &r, &e), &e);
	ck_assert(snp_vcek_matches(&v, &r, &reason));
	r.chip_id[8] = 1; /* after the id of a Turin come zeros */
	differs(&v, &r, "another chip");
	r.chip_id[8] = 0;
	r.cpuid_family = 0x19;
	differs(&v, &r, "family 25");
	r.cpuid_family = 0x1a;
	for (size_t i = 0; i < 8; i++) {
		r.reported_tcb[i] ^= 0x80;
		differs(&v, &r, i > 3 && i < 7 ? "reserved" : "the report states fmc=");
		v.tcb[i] ^= 0x80; /* the key agrees: wrong in reserved bytes all the same */
		if (i > 3 && i < 7)
			differs(&v, &r, "reserved");
		else
			ck_assert(snp_vcek_matches(&v, &r, &reason));
		r.reported_tcb[i] ^= 0x80;
		v.tcb[i] ^= 0x80;
	}
	snp_forge_free(&f);
}
END_TEST

UNIT_SUITE(snp_vcek)
{
	tcase_add_unchecked_fixture(tc, snp_forge_prepare, snp_forge_done);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_it_says);
	tcase_add_loop_test(tc, malformed, 0, 14);
	tcase_add_test(tc, absent_and_twice);
	tcase_add_test(tc, other_kinds);
	tcase_add_test(tc, matches);
}
