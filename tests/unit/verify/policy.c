#include "verify/policy.h"

#include <string.h>
#include "base/hex.h"
#include "unit.h"
#include "verify/machine.h"

#define MEDIA "\"mediaType\":\"application/vnd.aicert.policy.v1+json\""
#define RUN "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static struct policy policy;

static void
read_policy(const char *text)
{
	struct err e;

	policy_free(&policy);
	UNIT_OK(policy_decode(text, strlen(text), &policy, &e), &e);
}

START_TEST(policy_is_read)
{
	struct oid run, digest;
	struct err e;
	static const char text[] = " {\"minLevel\":\"vtpm\",\n" MEDIA ",\"maxAgeDays\":2,\"images\":[\"a\",\"b\"],"
	    "\"denyRuns\":[\"" RUN "\"],\"akNotBefore\":\"2026-01-01T00:00:00Z\"}\n";

	read_policy(text);
	ck_assert_int_eq(policy.min_level, LEVEL_VTPM);
	ck_assert_int_eq(policy.max_age, 2 * 86400);
	ck_assert(policy.has_ak_not_before);
	ck_assert_int_eq(policy.ak_not_before, 1767225600);
	ck_assert(policy_allows_image(&policy, "b") && !policy_allows_image(&policy, "c"));
	UNIT_OK(hex_decode(run.b, OID_SIZE, RUN, &e), &e);
	ck_assert(policy_denies(&policy, &run));
	run.b[31] ^= 1;
	ck_assert(!policy_denies(&policy, &run));
	UNIT_OK(oid_from_data(&digest, text, strlen(text), &e), &e);
	ck_assert(oid_equal(&digest, &policy.digest));
	read_policy("{" MEDIA ",\"minLevel\":\"simulated\"}");
	ck_assert(policy_allows_image(&policy, "anything"));
	policy_free(&policy);
}
END_TEST

START_TEST(policy_refused)
{
	static const char *const bad[] = {
		"", "{}", "[]", "{" MEDIA "}", "{\"minLevel\":\"vtpm\"}",
		"{\"mediaType\":\"application/json\",\"minLevel\":\"vtpm\"}",
		"{" MEDIA ",\"minLevel\":\"VTPM\"}", "{" MEDIA ",\"minLevel\":\"none\"}", "{" MEDIA ",\"minLevel\":3}",
		"{" MEDIA ",\"minlevel\":\"vtpm\"}", "{" MEDIA ",\"minLevel\":\"vtpm\",\"allowRuns\":[]}",
		"{" MEDIA ",\"minLevel\":\"vtpm\",\"minLevel\":\"simulated\"}",
		"{" MEDIA ",\"images\":[]}", "{" MEDIA ",\"images\":\"a\"}", "{" MEDIA ",\"images\":[\"\"]}",
		"{" MEDIA ",\"images\":[null]}", "{" MEDIA ",\"denyRuns\":[]}", "{" MEDIA ",\"denyRuns\":[\"9f86\"]}",
		"{" MEDIA ",\"denyRuns\":[7]}",
		"{" MEDIA ",\"denyRuns\":[\"9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08\"]}",
		"{" MEDIA ",\"maxAgeDays\":0}", "{" MEDIA ",\"maxAgeDays\":36501}", "{" MEDIA ",\"maxAgeDays\":\"1\"}",
		"{" MEDIA ",\"akNotBefore\":\"2026-01-01\"}", "{" MEDIA ",\"akNotBefore\":null}",
	};
	struct err e;

	ck_assert_int_eq(policy_decode(bad[_i], strlen(bad[_i]), &policy, &e), -1);
	ck_assert(e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED);
	ck_assert_ptr_null(policy.images);
	ck_assert_ptr_null(policy.denied);
}
END_TEST

/* --- what it makes of certificates --- */

static struct machine m;

/* Everything in order: vtpm; the AK was certified in 2020, the image is "base". */
static void
good(void)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature",
	};
	struct reference r;

	machine_new(&m);
	machine_pcrs(&m);
	machine_log(&m);
	machine_chain(&m, &leaf);
	machine_record(&m, HASH_SHA256, "a platform", &r);
	machine_know(&m, &r, 1);
	machine_finish(&m);
	m.rq.policy = &policy;
}

static void
passes(const char *text)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	read_policy(text);
	v = forge_judge(&m.rq);
	ck_assert_msg(v->answer == ANSWER_PASS, "%s: %s", text, v->checks[CHECK_POLICY].found);
	ck_assert_int_eq(v->checks[CHECK_POLICY].result, VERDICT_PASS);
	ck_assert(oid_equal(&v->policy_digest, &policy.digest));
}

static void
fails(const char *text, const char *found)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	read_policy(text);
	v = forge_judge(&m.rq);
	ck_assert_int_eq(v->answer, ANSWER_FAIL);
	ck_assert_int_eq(v->level, LEVEL_NONE);
	ck_assert_int_eq(v->checks[CHECK_POLICY].result, VERDICT_FAIL);
	ck_assert_msg(strstr(v->checks[CHECK_POLICY].found, found) != NULL, "%s",
	    v->checks[CHECK_POLICY].found);
}

START_TEST(policy_demands)
{
	char text[512], run[65];
	struct oid id;
	struct err e;

	good();
	passes("{" MEDIA ",\"minLevel\":\"vtpm\",\"images\":[\"other\",\"base\"],"
	    "\"akNotBefore\":\"2019-01-01T00:00:00Z\",\"maxAgeDays\":1,\"denyRuns\":[\"" RUN "\"]}");
	fails("{" MEDIA ",\"images\":[\"bas\",\"base 1\"]}", "base");
	fails("{" MEDIA ",\"akNotBefore\":\"2020-01-01T00:00:01Z\"}", "certified at 2020-01-01T00:00:00Z");
	passes("{" MEDIA ",\"akNotBefore\":\"2020-01-01T00:00:00Z\"}");
	UNIT_OK(oid_from_data(&id, m.f.cert.envelope.payload.data, m.f.cert.envelope.payload.len, &e), &e);
	oid_hex(&id, run);
	snprintf(text, sizeof text, "{" MEDIA ",\"denyRuns\":[\"" RUN "\",\"%s\"]}", run);
	fails(text, run);
	/* finished 2026-11-18T09:10:00Z, judged at 11:06:40 */
	m.rq.time = FORGE_TIME + 86400;
	fails("{" MEDIA ",\"maxAgeDays\":1}", "finished at 2026-11-18T09:10:00Z");
	passes("{" MEDIA ",\"maxAgeDays\":2}");
	m.rq.time = 1794993000 - 301;
	fails("{" MEDIA ",\"maxAgeDays\":2}", "finished at");
	m.rq.time++;
	passes("{" MEDIA ",\"maxAgeDays\":2}");
	machine_free(&m);
	policy_free(&policy);
}
END_TEST

/* What would have to vouch is not there: the demand is not met. */
START_TEST(policy_fails_closed)
{
	good();
	m.rq.required = LEVEL_SIMULATED;
	m.rq.trust = NULL;
	fails("{" MEDIA ",\"akNotBefore\":\"2019-01-01T00:00:00Z\"}", "no chain says");
	m.rq.references = NULL;
	fails("{" MEDIA ",\"images\":[\"base\"]}", "no reference record matches");
	passes("{" MEDIA ",\"minLevel\":\"simulated\"}");
	machine_free(&m);
	policy_free(&policy);
}
END_TEST

/* minLevel raises what is required, and never lowers it. */
START_TEST(policy_level)
{
	static const struct { enum verdict_level asked; const char *min; enum verdict_level is; } cases[] = {
		{LEVEL_SIMULATED, "confidential", LEVEL_CONFIDENTIAL}, {LEVEL_VTPM, "simulated", LEVEL_VTPM},
		{LEVEL_SIMULATED, "vtpm", LEVEL_VTPM}, {LEVEL_CONFIDENTIAL, "device", LEVEL_CONFIDENTIAL},
	};

	good();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(forge_verdict_freep) struct verdict *v = NULL;
		char text[256];

		snprintf(text, sizeof text, "{" MEDIA ",\"minLevel\":\"%s\"}", cases[i].min);
		read_policy(text);
		m.rq.required = cases[i].asked;
		v = forge_judge(&m.rq);
		ck_assert_int_eq(v->required, cases[i].is);
		ck_assert_int_eq(v->level, LEVEL_VTPM);
		ck_assert_int_eq(v->answer, cases[i].is <= LEVEL_VTPM ? ANSWER_PASS : ANSWER_FAIL);
	}
	machine_free(&m);
	policy_free(&policy);
}
END_TEST

UNIT_SUITE(policy)
{
	tcase_add_test(tc, policy_is_read);
	tcase_add_loop_test(tc, policy_refused, 0, 25);
	tcase_add_test(tc, policy_demands);
	tcase_add_test(tc, policy_fails_closed);
	tcase_add_test(tc, policy_level);
}
