#include "verify/legacy.h"

#include <string.h>
#include "corpus.h"
#include "verify/legacy-forge.h"
#include "verify/legacy-verdict.h"
#include "unit.h"

static struct legacy_forge f;
static struct trust trust;

static void
trusted(bool root)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	legacy_forge_trust(&f, root, &text);
	UNIT_OK(trust_add(&trust, text.data, text.len, &e), &e);
}

static struct verdict *
judged_bytes(const void *data, size_t len, int64_t time, int generation)
{
	struct legacy_verdict_request rq = {.subject = "file", .json = data, .len = len,
	    .trust = &trust, .time = time, .time_source = "--at"};
	struct verdict *v = NULL;
	struct err e;
	int found = -1;

	UNIT_OK(legacy_verdict(&rq, &v, &found, &e), &e);
	ck_assert_int_eq(found, generation);
	/* whatever the checks say */
	ck_assert_int_eq(v->answer, ANSWER_FAIL);
	ck_assert_int_eq(v->level, LEVEL_NONE);
	return v;
}

static struct verdict *
judged(int generation)
{
	return judged_bytes(f.json.data, f.json.len, LEGACY_FORGE_TIME, generation);
}

static void
is(const struct verdict *v, enum verdict_check c, enum verdict_result r, const char *found)
{
	const struct verdict_item *item = &v->checks[c];

	ck_assert_msg(item->result == r && v->asked[c], "%s: %d: %s", verdict_check_name(c), item->result,
	    item->found);
	if (found != NULL)
		ck_assert_msg(item->found != NULL && strstr(item->found, found) != NULL, "%s", item->found);
}

static bool
noted(const struct verdict *v, const char *text)
{
	for (size_t i = 0; i < v->note_count; i++) {
		if (strstr(v->notes[i], text) != NULL)
			return true;
	}
	return false;
}

/* What both generations lack. */
static void
lacking(const struct verdict *v)
{
	is(v, CHECK_CERTIFICATE_CANONICAL, VERDICT_FAIL, "original AICert");
	is(v, CHECK_EVENTS_GRAMMAR, VERDICT_FAIL, NULL);
	is(v, CHECK_QUOTE_BINDING, VERDICT_FAIL, NULL);
	is(v, CHECK_QUOTE_START, VERDICT_FAIL, NULL);
	is(v, CHECK_BOOT_REFERENCE, VERDICT_SKIP, NULL);
	is(v, CHECK_RUN_EXIT, VERDICT_FAIL, NULL);
	is(v, CHECK_ENVELOPE_STATEMENT, VERDICT_FAIL, NULL);
	is(v, CHECK_ENVELOPE_SIGNATURE, VERDICT_FAIL, NULL);
	ck_assert(v->checks[CHECK_INPUTS_LOG].result != VERDICT_PASS);
	ck_assert(v->checks[CHECK_OUTPUTS_LOG].result != VERDICT_PASS);
	ck_assert(noted(v, "output weights.bin, digest feed"));
	ck_assert(noted(v, "output log.txt, digest beef"));
	ck_assert(noted(v, "no assurance"));
}

START_TEST(first_generation)
{
	struct verdict *v;

	f.generation = 1;
	legacy_forge_make(&f);
	trusted(true);
	v = judged(1);
	lacking(v);
	is(v, CHECK_AK_CHAIN, VERDICT_PASS, NULL);
	is(v, CHECK_AK_KEY, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_SIGNATURE, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_PCRS, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_BINDING, VERDICT_FAIL, "no nonce");
	is(v, CHECK_INPUTS_LOG, VERDICT_FAIL, "PCR 16");
	is(v, CHECK_OUTPUTS_LOG, VERDICT_FAIL, "log of the inputs");
	verdict_free(v);
	trust_free(&trust);
	legacy_forge_free(&f);
}
END_TEST

START_TEST(second_generation)
{
	struct verdict *v;

	f.generation = 2;
	f.nonce = true;
	legacy_forge_make(&f);
	trusted(true);
	v = judged(2);
	lacking(v);
	is(v, CHECK_AK_CHAIN, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_SIGNATURE, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_BINDING, VERDICT_FAIL, "binds nothing");
	is(v, CHECK_INPUTS_LOG, VERDICT_SKIP, "PCR 14");
	is(v, CHECK_OUTPUTS_LOG, VERDICT_SKIP, "PCR 8");
	verdict_free(v);
	trust_free(&trust);
	legacy_forge_free(&f);
}
END_TEST

START_TEST(chains)
{
	struct verdict *v;

	f.generation = 1 + _i;
	f.wrong_chain = true;
	legacy_forge_make(&f);
	v = judged(f.generation);
	is(v, CHECK_AK_CHAIN, VERDICT_FAIL, NULL);
	is(v, CHECK_AK_KEY, VERDICT_SKIP, "nobody vouches for it");
	ck_assert(!noted(v, "own certificate does lead"));
	verdict_free(v);
	trusted(true);
	trusted(false); /* the issuer is known here, not in the file */
	v = judged(f.generation);
	is(v, CHECK_AK_CHAIN, VERDICT_FAIL, NULL);
	is(v, CHECK_QUOTE_SIGNATURE, VERDICT_PASS, NULL);
	ck_assert(noted(v, "own certificate does lead"));
	verdict_free(v);
	v = judged_bytes(f.json.data, f.json.len, 2208988801, f.generation); /* expired */
	is(v, CHECK_AK_CHAIN, VERDICT_FAIL, NULL);
	ck_assert(!noted(v, "own certificate does lead"));
	verdict_free(v);
	trust_free(&trust);
	legacy_forge_free(&f);
}
END_TEST

START_TEST(changed_values)
{
	struct verdict *v;

	f.generation = 1 + _i;
	f.flip_pcr = _i == 0 ? 16 : 14;
	legacy_forge_make(&f);
	trusted(true);
	v = judged(f.generation);
	is(v, CHECK_QUOTE_PCRS, VERDICT_FAIL, NULL);
	is(v, CHECK_INPUTS_LOG, VERDICT_FAIL, "replays to no PCR");
	verdict_free(v);
	trust_free(&trust);
	legacy_forge_free(&f);
}
END_TEST

START_TEST(no_evidence)
{
	static const char *const all[] = {
		"", "{", "null", "[]", "{}", "{\"model\":\"m\",\"certified\":true}",
		"{\"remote_attestation\":{}}", "{\"remote_attestation\":[]}",
		"{\"event_log\":[\"a\"],\"remote_attestation\":{\"quote\":{},\"cert_chain\":[]}}",
		"{\"event_log\":[1],\"remote_attestation\":{}}", "{\"event_log\":[],\"remote_attestation\":{}}",
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct verdict *v = judged_bytes(all[i], strlen(all[i]), LEGACY_FORGE_TIME, 0);

		is(v, CHECK_CERTIFICATE_CANONICAL, VERDICT_FAIL, i == 5 ? "without any evidence" : NULL);
		for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
			ck_assert(v->checks[c].result != VERDICT_PASS);
		verdict_free(v);
	}
}
END_TEST

/* Cut anywhere, any byte changed: an answer, and never a better one. */
START_TEST(damage)
{
	f.generation = 2;
	legacy_forge_make(&f);
	trusted(true);
	for (size_t i = 0; i < f.json.len; i += 97) {
		struct legacy_verdict_request rq = {.subject = "x", .json = f.json.data, .len = i,
		    .trust = &trust, .time = LEGACY_FORGE_TIME, .time_source = "now"};
		struct verdict *v;
		int generation;
		struct err e;

		UNIT_OK(legacy_verdict(&rq, &v, &generation, &e), &e);
		ck_assert_int_eq(generation, 0);
		verdict_free(v);
		rq.len = f.json.len;
		f.json.data[i] ^= 1;
		UNIT_OK(legacy_verdict(&rq, &v, &generation, &e), &e);
		ck_assert_int_eq(v->answer, ANSWER_FAIL);
		verdict_free(v);
		f.json.data[i] ^= 1;
	}
	trust_free(&trust);
	legacy_forge_free(&f);
}
END_TEST

START_TEST(corpus_samples)
{
	CLEANUP(buf_free) struct buf json = BUF_INIT;
	CLEANUP(buf_free) struct buf bom = BUF_INIT;
	struct verdict *v;

	if (!corpus_has("mithril-security_aicert/attestation_sample.json"))
		return;
	corpus_read("mithril-security_aicert/attestation_sample.json", &json);
	v = judged_bytes(json.data, json.len, 1692057600, 1); /* 2023-08-15 */
	is(v, CHECK_AK_CHAIN, VERDICT_FAIL, NULL);
	is(v, CHECK_QUOTE_SIGNATURE, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_PCRS, VERDICT_PASS, NULL);
	is(v, CHECK_QUOTE_BINDING, VERDICT_FAIL, "no nonce");
	is(v, CHECK_INPUTS_LOG, VERDICT_FAIL, "PCR 16");
	ck_assert(noted(v, "helloworld"));
	verdict_free(v);
	corpus_read("mithril-security_aicert/client_tests_bom.json", &bom);
	v = judged_bytes(bom.data, bom.len, 1692057600, 0);
	is(v, CHECK_CERTIFICATE_CANONICAL, VERDICT_FAIL, "without any evidence");
	verdict_free(v);
}
END_TEST

UNIT_SUITE(legacy)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, first_generation);
	tcase_add_test(tc, second_generation);
	tcase_add_loop_test(tc, chains, 0, 2);
	tcase_add_loop_test(tc, changed_values, 0, 2);
	tcase_add_test(tc, no_evidence);
	tcase_add_test(tc, damage);
	tcase_add_test(tc, corpus_samples);
}
