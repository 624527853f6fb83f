#include <string.h>
#include "base/hex.h"
#include "codec/base64.h"
#include "evidence/fixture.h"
#include "evidence/snp-forge.h"
#include "verify/forge.h"
#include "verify/level.h"
#include "unit.h"

#define RSASSA 0x0014

static struct forge f;
static struct snp_forge snp;
static struct trust trust;

/* A run on a machine whose virtual TPM's key the report names. */
static void
made(void)
{
	snp_forge_new(&snp, false);
	forge_new(&f);
	pki_free(f.ak);
	f.ak = pki_make(&(struct pki_options){.name = "ak", .same_key = snp.ak});
	f.scheme = RSASSA;
	buf_reset(&f.ak_public);
	fixture_public(f.ak, RSASSA, 0x000b, FIXTURE_ATTRIBUTES, &f.ak_public);
}

static void
hardware(const struct buf *report, const struct buf *vcek, const struct buf *ask)
{
	struct certificate_hardware *h = &f.cert.hardware;

	h->present = true;
	buf_reset(&h->report);
	buf_add(&h->report, report->data, report->len);
	buf_reset(&h->chain[0]);
	buf_add(&h->chain[0], vcek->data, vcek->len);
	buf_reset(&h->chain[1]);
	buf_add(&h->chain[1], ask->data, ask->len);
}

static void
trust_ark(const char *name, const char *purpose, const char *demands, const char *more)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	buf_adds(&text, "{\"certificate\":\"");
	base64_encode(&text, snp.chain[2].data, snp.chain[2].len);
	buf_addf(&text, "\",\"grants\":\"confidential\",%s\"mediaType\":"
	    "\"application/vnd.aicert.trust.v1+json\",%s\"name\":\"%s\","
	    "\"notAfter\":\"2040-01-01T00:00:00Z\",\"notBefore\":\"2020-01-01T00:00:00Z\","
	    "\"purpose\":\"%s\"}", demands, more, name, purpose);
	UNIT_OK(trust_add(&trust, text.data, text.len, &e), &e);
}

static void
trust_launch(const char *more)
{
	char text[256], hex[97];

	memset(hex, 0, sizeof hex);
	for (size_t i = 0; i < 48; i++)
		memcpy(hex + 2 * i, "1d", 2);
	snprintf(text, sizeof text, "\"launch\":[{\"idKeyDigest\":\"%s\"}],", hex);
	trust_ark("ark", "snp", text, more);
}

static void
dropped(void)
{
	trust_free(&trust);
	snp_forge_free(&snp);
	forge_free(&f);
}

static void
ends(enum verdict_result result, const char *found)
{
	struct verify_request rq;
	const struct verdict_item *item;
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	v = forge_judge(&rq);
	item = &v->checks[CHECK_HARDWARE_REPORT];
	ck_assert_msg(item->result == result, "%d: %s", item->result, item->found);
	ck_assert(!item->missing);
	if (found != NULL)
		ck_assert_msg(strstr(item->found, found) != NULL, "%s", item->found);
	ck_assert_int_eq(v->answer, result == VERDICT_FAIL ? ANSWER_FAIL : ANSWER_PASS);
	ck_assert_int_eq(v->level, result == VERDICT_FAIL ? LEVEL_NONE : LEVEL_SIMULATED);
}

START_TEST(a_good_report)
{
	made();
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	trust_launch("");
	ends(VERDICT_PASS, NULL);
	dropped();
}
END_TEST

/* Nothing is wrong, and nothing is proven. */
START_TEST(nobody_pins_it)
{
	made();
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_SKIP, "no trust entry");
	trust_ark("another purpose", "ak", "", "");
	trust_ark("tdx", "tdx", "", "");
	ends(VERDICT_SKIP, "the chain of the report ends at no trust entry");
	trust_ark("no launch", "snp", "", "");
	ends(VERDICT_SKIP, "not who emulates the TPM");
	trust_launch(""); /* beside the entry without */
	ends(VERDICT_PASS, NULL);
	dropped();
}
END_TEST

START_TEST(below_the_minimum)
{
	made();
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	trust_launch("\"minimumTcb\":{\"bootloader\":4,\"microcode\":220,\"snp\":24,\"tee\":0},");
	ends(VERDICT_FAIL, "tcb: reported");
	dropped();
}
END_TEST

/* The key of another machine's report does not vouch for the quotes of this one. */
START_TEST(another_ak)
{
	struct snp_forge other = {0};

	made();
	snp_forge_new(&other, false);
	hardware(&other.hcl, &other.chain[0], &other.chain[1]);
	trust_launch("");
	ends(VERDICT_FAIL, "ak: HCLAkPub is another key");
	snp_forge_free(&other);
	dropped();
}
END_TEST

START_TEST(swapped_parts)
{
	struct snp_forge other = {0};
	struct buf report = BUF_INIT;

	made();
	snp_forge_new(&other, false);
	trust_launch("");
	hardware(&snp.hcl, &other.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "chain");
	hardware(&snp.hcl, &snp.chain[0], &other.chain[1]);
	ends(VERDICT_FAIL, "chain");
	hardware(&snp.hcl, &snp.chain[1], &snp.chain[0]);
	ends(VERDICT_FAIL, NULL);
	/* the hardware part of the one with the JSON of the other */
	buf_add(&report, other.hcl.data, other.hcl.len);
	memcpy(report.data + 32, snp.report, SNP_REPORT_SIZE);
	hardware(&report, &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "binding");
	buf_free(&report);
	snp_forge_free(&other);
	dropped();
}
END_TEST

START_TEST(not_what_it_must_be)
{
	struct buf padded = BUF_INIT;

	made();
	trust_launch("");
	buf_add(&padded, snp.hcl.data, snp.hcl.len);
	buf_addc(&padded, 0);
	hardware(&padded, &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "1 bytes after its end");
	buf_free(&padded);
	snp_forge_u32(snp.report + 0x8, 0xb001f);
	snp_forge_bind(&snp);
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "policy: VMPL 0, debugging allowed");
	snp_forge_u32(snp.report + 0x8, 0x3001f);
	snp_forge_bind(&snp);
	snp.report[0x90] ^= 1; /* after it was signed */
	snp_forge_wrap(&snp);
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "signature");
	snp.hcl_type = 4;
	snp_forge_wrap(&snp);
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "Intel TDX");
	hardware(&snp.chain[0], &snp.chain[0], &snp.chain[1]);
	ends(VERDICT_FAIL, "HCL report");
	dropped();
}
END_TEST

/* The report does not say for whom: without a readable AK nothing is judged. */
START_TEST(unreadable_ak)
{
	struct verify_request rq;
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	made();
	hardware(&snp.hcl, &snp.chain[0], &snp.chain[1]);
	trust_launch("");
	forge_finish(&f);
	buf_addc(&f.ak_public, 0);
	forge_encode(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	v = forge_judge(&rq);
	ck_assert_int_eq(v->checks[CHECK_HARDWARE_REPORT].result, VERDICT_SKIP);
	ck_assert_int_eq(v->answer, ANSWER_FAIL);
	dropped();
}
END_TEST

/* It takes a machine with a TPM, not the report alone, and what the entry grants. */
START_TEST(levels)
{
	struct verdict_item checks[CHECK_COUNT];
	struct level_facts facts = {.tpm = EVENT_TPM_DEVICE, .image_measured = true,
	    .hardware_grant = LEVEL_CONFIDENTIAL};

	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		checks[c] = (struct verdict_item){.result = VERDICT_PASS};
		facts.counts[c] = true;
	}
	checks[CHECK_AK_CHAIN].result = VERDICT_SKIP; /* the hardware report alone */
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_CONFIDENTIAL);
	facts.hardware_grant = LEVEL_VTPM;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	facts.hardware_grant = LEVEL_CONFIDENTIAL;
	checks[CHECK_HARDWARE_REPORT].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	facts.tpm = EVENT_TPM_SWTPM;
	checks[CHECK_HARDWARE_REPORT].result = VERDICT_PASS;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
}
END_TEST

/* --- the entries --- */

static void
entry_refused(const char *purpose, const char *demands, const char *more, enum err_code code)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	buf_adds(&text, "{\"certificate\":\"");
	base64_encode(&text, snp.chain[2].data, snp.chain[2].len);
	buf_addf(&text, "\",\"grants\":\"confidential\",%s\"mediaType\":"
	    "\"application/vnd.aicert.trust.v1+json\",%s\"name\":\"x\","
	    "\"notAfter\":\"2040-01-01T00:00:00Z\",\"notBefore\":\"2020-01-01T00:00:00Z\","
	    "\"purpose\":\"%s\"}", demands, more, purpose);
	UNIT_FAILS(trust_add(&trust, text.data, text.len, &e), &e, code);
	ck_assert_uint_eq(trust.count, 0);
}

START_TEST(entries_refused)
{
#define ZEROS "000000000000000000000000000000000000000000000000"
#define ONE "100000000000000000000000000000000000000000000000"
	snp_forge_new(&snp, false);
	entry_refused("ak", "\"launch\":[{\"measurement\":\"" ONE ZEROS "\"}],", "", ERR_FORMAT);
	entry_refused("ak", "", "\"minimumTcb\":{\"bootloader\":0,\"microcode\":0,\"snp\":0,\"tee\":0},",
	    ERR_FORMAT);
	entry_refused("snp", "\"launch\":[],", "", ERR_FORMAT);
	entry_refused("snp", "\"launch\":[{}],", "", ERR_FORMAT);
	entry_refused("snp", "\"launch\":[1],", "", ERR_FORMAT);
	entry_refused("snp", "\"launch\":[{\"measurement\":\"" ZEROS ZEROS "\"}],", "", ERR_FORMAT);
	entry_refused("snp", "\"launch\":[{\"measurement\":\"" ONE "\"}],", "", ERR_FORMAT);
	entry_refused("snp", "\"launch\":[{\"chipId\":\"" ONE ZEROS "\"}],", "", ERR_FORMAT);
	entry_refused("snp", "\"launch\":[{\"idKeyDigest\":\"" ONE ZEROS "\",\"measurement\":\"" ONE ZEROS
	    "\"}],", "", ERR_FORMAT);
	entry_refused("snp", "", "\"minimumTcb\":{},", ERR_FORMAT);
	entry_refused("snp", "", "\"minimumTcb\":{\"bootloader\":256,\"microcode\":0,\"snp\":0,\"tee\":0},",
	    ERR_FORMAT);
	entry_refused("snp", "", "\"minimumTcb\":{\"bootloader\":0,\"microcode\":0,\"snp\":0,\"tee\":0,"
	    "\"vmpl\":0},", ERR_FORMAT);
	snp_forge_free(&snp);
}
END_TEST

START_TEST(entries_read)
{
	snp_forge_new(&snp, false);
	trust_ark("plain", "snp", "", "");
	trust_ark("demanding", "snp", "\"launch\":[{\"measurement\":\"" ONE ZEROS "\"},"
	    "{\"idKeyDigest\":\"" ONE ZEROS "\"}],",
	    "\"minimumTcb\":{\"bootloader\":1,\"fmc\":2,\"microcode\":255,\"snp\":3,\"tee\":4},");
	ck_assert_uint_eq(trust.count, 2);
	ck_assert(trust.entries[0].launch_count == 0 && !trust.entries[0].has_minimum_tcb);
	ck_assert_uint_eq(trust.entries[1].launch_count, 2);
	ck_assert_int_eq(trust.entries[1].launch[0].kind, HARDWARE_MEASUREMENT);
	ck_assert_int_eq(trust.entries[1].launch[1].kind, HARDWARE_ID_KEY);
	ck_assert_uint_eq(trust.entries[1].launch[1].digest[0], 0x10);
	ck_assert(trust.entries[1].has_minimum_tcb);
	ck_assert_uint_eq(trust.entries[1].minimum_tcb.fmc, 2);
	ck_assert_uint_eq(trust.entries[1].minimum_tcb.microcode, 255);
	trust_free(&trust);
	snp_forge_free(&snp);
}
END_TEST

UNIT_SUITE(checks_hardware)
{
	tcase_add_unchecked_fixture(tc, snp_forge_prepare, snp_forge_done);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_good_report);
	tcase_add_test(tc, nobody_pins_it);
	tcase_add_test(tc, below_the_minimum);
	tcase_add_test(tc, another_ak);
	tcase_add_test(tc, swapped_parts);
	tcase_add_test(tc, not_what_it_must_be);
	tcase_add_test(tc, unreadable_ak);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, entries_refused);
	tcase_add_test(tc, entries_read);
}
