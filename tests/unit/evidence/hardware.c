#include "snp-forge.h"

#include <string.h>
#include "base/hex.h"
#include "unit.h"

static struct snp_forge f;

static void
judged(const struct hardware_request *rq, struct hardware *h)
{
	struct err e;

	memset(h, 0, sizeof *h);
	UNIT_OK(hardware_judge(rq, h, &e), &e);
}

/* The request ends so, decided by this part; found: what it says, or NULL. */
static void
ends(const struct hardware_request *rq, enum hardware_result wanted, enum hardware_part part,
    const char *found)
{
	CLEANUP(hardware_free) struct hardware h = {0};
	enum hardware_part decided = HARDWARE_PARTS;
	enum hardware_result r;

	judged(rq, &h);
	r = hardware_result(&h, &decided);
	ck_assert_msg(r == wanted && decided == part, "%d by %s (%s)", r, hardware_part_name(decided),
	    buf_str(&h.parts[decided].found));
	if (found != NULL)
		ck_assert_msg(strstr(buf_str(&h.parts[part].found), found) != NULL, "%s",
		    buf_str(&h.parts[part].found));
}

static void
passes(enum hardware_format format)
{
	struct hardware_request rq = snp_forge_request(&f, format);
	struct hardware h;

	judged(&rq, &h);
	for (enum hardware_part p = 0; p < HARDWARE_PARTS; p++) {
		bool open = format == HARDWARE_SNP && (p == HARDWARE_BINDING || p == HARDWARE_AK);

		ck_assert_msg(h.parts[p].result == (open ? HARDWARE_SKIPPED : HARDWARE_PASSED), "%s: %s",
		    hardware_part_name(p), buf_str(&h.parts[p].found));
	}
	ck_assert(h.has_report && h.has_vcek && (h.ak != NULL) == (format == HARDWARE_HCL));
	hardware_free(&h);
}

static void
fails(enum hardware_part part, const char *found)
{
	struct hardware_request rq = snp_forge_request(&f, HARDWARE_HCL);

	ends(&rq, HARDWARE_FAILED, part, found);
}

START_TEST(good_ones)
{
	snp_forge_new(&f, _i == 1);
	passes(HARDWARE_SNP);
	passes(HARDWARE_HCL);
	f.hcl_version = 2;
	snp_forge_wrap(&f);
	passes(HARDWARE_HCL);
	snp_forge_free(&f);
}
END_TEST

START_TEST(big_authorities)
{
	f.ca_key = PKI_RSA4096;
	snp_forge_new(&f, false);
	passes(HARDWARE_HCL);
	snp_forge_free(&f);
}
END_TEST

/* --- the launch --- */

START_TEST(a_launch_must_be_pinned)
{
	struct hardware_request rq;

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	f.pin.launch_count = 0;
	ends(&rq, HARDWARE_UNPINNED, HARDWARE_LAUNCH, "idkey:1d1d");
	f.pin.launch_count = 1;
	for (size_t i = 0; i < sizeof f.launch.digest; i++) {
		f.launch.digest[i] ^= 0x80;
		ends(&rq, HARDWARE_UNPINNED, HARDWARE_LAUNCH, NULL);
		f.launch.digest[i] ^= 0x80;
	}
	f.launch.kind = HARDWARE_MEASUREMENT; /* the digest of the one as the other */
	ends(&rq, HARDWARE_UNPINNED, HARDWARE_LAUNCH, "measurement:4d4d");
	memset(f.launch.digest, 0x4d, sizeof f.launch.digest);
	passes(HARDWARE_HCL);
	snp_forge_free(&f);
}
END_TEST

START_TEST(nobody_signed_the_launch)
{
	struct hardware_request rq;

	snp_forge_new(&f, false);
	memset(f.report + 0xe0, 0, 48);
	snp_forge_bind(&f);
	memset(f.launch.digest, 0, sizeof f.launch.digest);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	ends(&rq, HARDWARE_UNPINNED, HARDWARE_LAUNCH, "idkey:0000");
	snp_forge_free(&f);
}
END_TEST

/* Each pin stands alone: the identity of one is no use with the ARK of another. */
START_TEST(pins_are_not_mixed)
{
	struct pki *other = pki_make(&(struct pki_options){.name = "ARK", .key = PKI_RSA2048,
	    .basic = "critical,CA:TRUE", .usage = "critical,keyCertSign"});
	struct x509_cert *root = pki_cert(other);
	struct hardware_launch wrong = {.kind = HARDWARE_ID_KEY, .digest = {1}};
	struct hardware_pin pins[3];
	struct hardware_request rq;
	struct hardware h;

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.pins = pins;
	pins[0] = (struct hardware_pin){.ark = f.root, .launch = &wrong, .launch_count = 1};
	pins[1] = (struct hardware_pin){.ark = root, .launch = &f.launch, .launch_count = 1};
	rq.pin_count = 2;
	ends(&rq, HARDWARE_UNPINNED, HARDWARE_LAUNCH, NULL);
	pins[2] = f.pin;
	rq.pin_count = 3;
	judged(&rq, &h);
	ck_assert_uint_eq(h.pin, 2);
	hardware_free(&h);
	/* a stricter entry takes nothing from the one that is met */
	pins[0] = f.pin;
	pins[0].has_minimum = true;
	pins[0].minimum.microcode = 255;
	judged(&rq, &h);
	ck_assert_int_eq(h.parts[HARDWARE_TCB].result, HARDWARE_PASSED);
	ck_assert_uint_eq(h.pin, 2);
	hardware_free(&h);
	rq.pin_count = 1;
	ends(&rq, HARDWARE_FAILED, HARDWARE_TCB, "microcode=219");
	rq.pin_count = 0;
	ends(&rq, HARDWARE_UNPINNED, HARDWARE_CHAIN, "no pinned root");
	x509_free(root);
	pki_free(other);
	snp_forge_free(&f);
}
END_TEST

/* --- patch levels --- */

static void
minimum(uint8_t *level, uint8_t now)
{
	f.pin.has_minimum = true;
	*level = now;
	passes(HARDWARE_HCL);
	*level = (uint8_t)(now + 1);
	fails(HARDWARE_TCB, "reported");
	*level = 0;
}

START_TEST(minimum_levels)
{
	snp_forge_new(&f, _i == 1);
	minimum(&f.pin.minimum.bootloader, _i == 1 ? 2 : 4);
	minimum(&f.pin.minimum.tee, _i == 1 ? 3 : 0);
	minimum(&f.pin.minimum.snp, _i == 1 ? 4 : 24);
	minimum(&f.pin.minimum.microcode, _i == 1 ? 72 : 219);
	minimum(&f.pin.minimum.fmc, _i == 1 ? 1 : 0);
	snp_forge_free(&f);
}
END_TEST

/* An update after the launch does not make good what was launched before it. */
START_TEST(levels_at_launch)
{
	snp_forge_new(&f, false);
	f.report[0x1f7] = 218;
	snp_forge_bind(&f);
	passes(HARDWARE_HCL);
	f.pin.has_minimum = true;
	f.pin.minimum.microcode = 219;
	fails(HARDWARE_TCB, "at launch bootloader=4,tee=0,snp=24,microcode=218");
	f.report[0x1f7] = 219;
	f.report[0x1f3] = 1; /* reserved: the level cannot be read */
	snp_forge_bind(&f);
	fails(HARDWARE_TCB, "reserved");
	snp_forge_free(&f);
}
END_TEST

/* --- the chain --- */

static void
unpinned(const char *found)
{
	struct hardware_request rq = snp_forge_request(&f, HARDWARE_HCL);

	ends(&rq, HARDWARE_UNPINNED, HARDWARE_CHAIN, found);
}

/* Another maker's whole chain, ARK of the same name: everything is right but the pin. */
START_TEST(another_maker)
{
	struct snp_forge other = {0};

	snp_forge_new(&other, false);
	snp_forge_new(&f, false);
	f.pin.ark = other.root;
	unpinned("no pinned root");
	f.pin.ark = f.root;
	passes(HARDWARE_HCL);
	snp_forge_free(&other);
	snp_forge_free(&f);
}
END_TEST

/* Any one part of another machine in the place of ours. */
START_TEST(swapped_parts)
{
	struct snp_forge other = {0};
	struct hardware_request rq;
	struct buf chain[2];

	snp_forge_new(&other, false);
	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.chain = chain;
	chain[0] = other.chain[0];
	chain[1] = f.chain[1];
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, NULL);
	chain[0] = f.chain[0];
	chain[1] = other.chain[1];
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, NULL);
	rq.chain = other.chain;
	ends(&rq, HARDWARE_FAILED, HARDWARE_SIGNATURE, NULL); /* after an unpinned chain */
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.ak = other.ak_key;
	ends(&rq, HARDWARE_FAILED, HARDWARE_AK, "another key");
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.report = other.hcl.data;
	rq.len = other.hcl.len;
	ends(&rq, HARDWARE_FAILED, HARDWARE_SIGNATURE, NULL);
	snp_forge_free(&other);
	snp_forge_free(&f);
}
END_TEST

START_TEST(swapped_runtime)
{
	struct snp_forge other = {0};

	snp_forge_new(&other, false);
	snp_forge_new(&f, false);
	/* our report with the JSON, and so the key, of another machine */
	buf_reset(&f.runtime);
	buf_add(&f.runtime, other.runtime.data, other.runtime.len);
	snp_forge_wrap(&f);
	fails(HARDWARE_BINDING, NULL);
	snp_forge_free(&other);
	snp_forge_free(&f);
}
END_TEST

START_TEST(chains_of_wrong_shape)
{
	struct hardware_request rq;
	struct buf chain[4];

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.chain_count = 3;
	ends(&rq, HARDWARE_PASSED, HARDWARE_REPORT, NULL); /* with its root */
	rq.exact = true;
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, "3 certificates");
	rq.exact = false;
	rq.chain = chain;
	rq.chain_count = 1;
	chain[0] = f.chain[0];
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, "1 certificate instead");
	rq.chain_count = 2;
	chain[0] = f.chain[1];
	chain[1] = f.chain[0];
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, NULL);
	chain[0] = f.chain[1]; /* the ASK as a VCEK */
	chain[1] = f.chain[2];
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, "1 certificates below the root");
	chain[0] = f.chain[0];
	chain[1] = f.chain[1];
	chain[1].len--;
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, "certificate 1");
	snp_forge_free(&f);
}
END_TEST

START_TEST(chains_out_of_time)
{
	struct hardware_request rq;

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.time = 1577836799;
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, "not yet valid");
	rq.time = 2208988801;
	ends(&rq, HARDWARE_FAILED, HARDWARE_CHAIN, "expired");
	snp_forge_free(&f);
}
END_TEST

/* Signatures that libcrypto would verify, with parameters that AMD's do not have. */
START_TEST(signatures_of_another_kind)
{
	static const struct pki_pss all[] = {
		{NULL, NULL, 0}, {"SHA256", NULL, 0}, {"SHA512", NULL, 0}, {"SHA384", "SHA256", 0},
		{"SHA384", NULL, 32},
	};

	snp_forge_new(&f, false);
	f.pss = all[_i];
	snp_forge_vcek(&f);
	snp_forge_bind(&f);
	fails(HARDWARE_CHAIN, "not signed with RSASSA-PSS");
	snp_forge_free(&f);
}
END_TEST

/* --- what a report says --- */

START_TEST(policies)
{
	static const struct { size_t at; uint32_t v; const char *found; } all[] = {
		{0x8, 0xb001f, "debugging allowed"}, {0x8, 0x7001f, "migration allowed"},
		{0x30, 1, "VMPL 1"}, {0x30, 3, "VMPL 3"}, {0x30, 0xffffffff, "VMPL 4294967295"},
	};

	snp_forge_new(&f, false);
	snp_forge_u32(f.report + all[_i].at, all[_i].v);
	snp_forge_bind(&f);
	fails(HARDWARE_POLICY, all[_i].found);
	snp_forge_free(&f);
}
END_TEST

START_TEST(report_data_bare)
{
	unsigned char data[64];
	struct hardware_request rq;

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_SNP);
	memcpy(data, f.report + 0x50, sizeof data);
	rq.report_data = data;
	ends(&rq, HARDWARE_PASSED, HARDWARE_REPORT, NULL);
	data[63] ^= 1;
	ends(&rq, HARDWARE_FAILED, HARDWARE_BINDING, NULL);
	snp_forge_free(&f);
}
END_TEST

/* The second half must be zero: nothing else may share the report. */
START_TEST(report_data_half)
{
	snp_forge_new(&f, false);
	f.report[0x50 + 63] = 1;
	snp_forge_sign(&f);
	snp_forge_wrap(&f);
	fails(HARDWARE_BINDING, NULL);
	snp_forge_free(&f);
}
END_TEST

START_TEST(no_key_to_compare)
{
	struct hardware_request rq;
	struct hardware h;

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	rq.ak = NULL;
	judged(&rq, &h);
	ck_assert_int_eq(h.parts[HARDWARE_AK].result, HARDWARE_SKIPPED);
	ck_assert(key_equal(h.ak, f.ak_key));
	hardware_free(&h);
	snp_forge_free(&f);
}
END_TEST

START_TEST(another_chip)
{
	snp_forge_new(&f, false);
	f.report[0x1a0 + 63] ^= 1;
	snp_forge_bind(&f);
	fails(HARDWARE_VCEK, "another chip");
	f.report[0x1a0 + 63] ^= 1;
	f.report[0x187]--; /* reported microcode */
	snp_forge_bind(&f);
	fails(HARDWARE_VCEK, "microcode=219, the report states bootloader=4,tee=0,snp=24,microcode=218");
	snp_forge_free(&f);
}
END_TEST

START_TEST(named_tdx)
{
	unsigned char quote[SNP_REPORT_SIZE] = {4, 0, 2, 0, 0x81};
	struct hardware_request rq;

	snp_forge_new(&f, false);
	f.hcl_type = 4;
	snp_forge_wrap(&f);
	fails(HARDWARE_REPORT, "Intel TDX");
	rq = snp_forge_request(&f, HARDWARE_SNP);
	rq.report = quote;
	rq.len = 700;
	ends(&rq, HARDWARE_FAILED, HARDWARE_REPORT, "Intel TDX");
	quote[0] = 0x81;
	rq.len = sizeof quote;
	ends(&rq, HARDWARE_FAILED, HARDWARE_REPORT, "Intel TDX");
	snp_forge_free(&f);
}
END_TEST

/* --- every bit --- */

/* Cheap and without the chain, which no bit of a report can change. */
static bool
bit_found(const void *hcl, size_t len)
{
	struct hcl_report h;
	struct snp_report r;
	struct key *vcek = pki_key(f.vcek);
	bool bound = false, good = false;
	struct err e;

	if (hcl_report_decode(hcl, len, &h, &e) == 0 && h.type == HCL_REPORT_SNP &&
	    snp_report_decode(h.hardware, SNP_REPORT_SIZE, &r, &e) == 0) {
		UNIT_OK(hcl_report_bound(&h, r.report_data, &bound, &e), &e);
		if (bound)
			UNIT_OK(snp_report_verify(&r, h.hardware, vcek, &good, &e), &e);
	}
	key_free(vcek);
	return !good;
}

START_TEST(every_bit)
{
	snp_forge_new(&f, false);
	ck_assert(!bit_found(f.hcl.data, f.hcl.len));
	for (size_t i = (size_t)_i; i < f.hcl.len * 8; i += 8) {
		f.hcl.data[i / 8] ^= (unsigned char)(1u << i % 8);
		ck_assert_msg(bit_found(f.hcl.data, f.hcl.len), "bit %zu of byte %zu", i % 8, i / 8);
		f.hcl.data[i / 8] ^= (unsigned char)(1u << i % 8);
	}
	snp_forge_free(&f);
}
END_TEST

START_TEST(every_length)
{
	struct hardware_request rq;

	snp_forge_new(&f, false);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	for (rq.len = 0; rq.len < f.hcl.len; rq.len++)
		ends(&rq, HARDWARE_FAILED, HARDWARE_REPORT, NULL);
	rq = snp_forge_request(&f, HARDWARE_SNP);
	for (rq.len = 0; rq.len < SNP_REPORT_SIZE; rq.len++)
		ends(&rq, HARDWARE_FAILED, HARDWARE_REPORT, NULL);
	snp_forge_free(&f);
}
END_TEST

/* What pads an NV index is allowed where it is read from one, not in a certificate. */
START_TEST(padding)
{
	struct hardware_request rq;

	snp_forge_new(&f, false);
	for (int i = 0; i < 100; i++)
		buf_addc(&f.hcl, 0);
	rq = snp_forge_request(&f, HARDWARE_HCL);
	ends(&rq, HARDWARE_PASSED, HARDWARE_REPORT, NULL);
	rq.exact = true;
	ends(&rq, HARDWARE_FAILED, HARDWARE_REPORT, "100 bytes after its end");
	rq.exact = false;
	f.hcl.data[f.hcl.len - 1] = 1;
	ends(&rq, HARDWARE_FAILED, HARDWARE_REPORT, "not zero");
	snp_forge_free(&f);
}
END_TEST

START_TEST(launch_texts)
{
	static const char *const bad[] = {
		"", "idkey", "idkey:", "idkey:00", "other:", "measurement:zz", "idKey:", ":",
	};
	struct hardware_launch l;
	char text[128] = "measurement:";
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(hardware_launch_parse(bad[i], &l, &e), &e, ERR_FORMAT);
	memset(text + 12, '0', 96);
	UNIT_FAILS(hardware_launch_parse(text, &l, &e), &e, ERR_FORMAT);
	text[107] = 'a';
	UNIT_OK(hardware_launch_parse(text, &l, &e), &e);
	ck_assert_int_eq(l.kind, HARDWARE_MEASUREMENT);
	ck_assert_uint_eq(l.digest[47], 0xa);
	text[107] = 'A';
	UNIT_FAILS(hardware_launch_parse(text, &l, &e), &e, ERR_FORMAT);
}
END_TEST

UNIT_SUITE(hardware)
{
	tcase_add_unchecked_fixture(tc, snp_forge_prepare, snp_forge_done);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, good_ones, 0, 2);
	tcase_add_test(tc, big_authorities);
	tcase_add_test(tc, a_launch_must_be_pinned);
	tcase_add_test(tc, nobody_signed_the_launch);
	tcase_add_test(tc, pins_are_not_mixed);
	tcase_add_loop_test(tc, minimum_levels, 0, 2);
	tcase_add_test(tc, levels_at_launch);
	tcase_add_test(tc, another_maker);
	tcase_add_test(tc, swapped_parts);
	tcase_add_test(tc, swapped_runtime);
	tcase_add_test(tc, chains_of_wrong_shape);
	tcase_add_test(tc, chains_out_of_time);
	tcase_add_loop_test(tc, signatures_of_another_kind, 0, 5);
	tcase_add_loop_test(tc, policies, 0, 5);
	tcase_add_test(tc, report_data_bare);
	tcase_add_test(tc, report_data_half);
	tcase_add_test(tc, no_key_to_compare);
	tcase_add_test(tc, another_chip);
	tcase_add_test(tc, named_tdx);
	tcase_add_loop_test(tc, every_bit, 0, 8);
	tcase_add_test(tc, every_length);
	tcase_add_test(tc, padding);
	tcase_add_test(tc, launch_texts);
}
