/* Time stamps: what they prove, and at which time the rest is judged then. */
#include <string.h>
#include "tsa.h"
#include "unit.h"
#include "verify/machine.h"

static struct machine m;
static struct pki *tsa_root, *authority;
static struct trust_entry entries[2];
static struct trust trust;
static struct buf stamp;

/* The AK's certificate ended an hour before; the stamp is from before that. */
static void
stamped(enum trust_purpose purpose, int64_t time)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature", .until = FORGE_TIME - 3600,
	};
	static char name[] = "authority";
	struct reference r;

	machine_new(&m);
	machine_pcrs(&m);
	machine_log(&m);
	machine_chain(&m, &leaf);
	machine_record(&m, HASH_SHA256, "any", &r);
	machine_know(&m, &r, 1);
	machine_finish(&m);
	tsa_root = pki_root("times");
	authority = tsa_make(tsa_root, 0);
	entries[0] = m.entry;
	entries[1] = (struct trust_entry){.name = name, .purpose = purpose, .grants = LEVEL_DEVICE,
	    .not_after = INT64_MAX, .cert = pki_cert(tsa_root)};
	trust = (struct trust){.entries = entries, .count = 2};
	tsa_stamp(&(struct tsa_stamp){.signer = authority, .time = time}, m.f.bytes.data, m.f.bytes.len,
	    &stamp);
	m.rq.trust = &trust;
	m.rq.time_source = "now";
	m.rq.time_stamp = &stamp;
}

static void
drop(void)
{
	x509_free(entries[1].cert);
	pki_free(tsa_root);
	pki_free(authority);
	buf_free(&stamp);
	machine_free(&m);
}

START_TEST(proven_time)
{
	int64_t time = FORGE_TIME - 7200;

	stamped(TRUST_TSA, time);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m.rq);

		ck_assert_msg(v->answer == ANSWER_PASS, "%s", v->checks[CHECK_AK_CHAIN].found);
		ck_assert_int_eq(v->level, LEVEL_VTPM);
		ck_assert_int_eq(v->time, time);
		ck_assert_str_eq(v->time_source, "evidence");
		ck_assert_int_eq(v->checks[CHECK_TIME_PROOF].result, VERDICT_PASS);
		ck_assert_ptr_nonnull(strstr(v->checks[CHECK_TIME_PROOF].found, "by the word of authority"));
	}
	m.rq.time_source = "--at"; /* who asks for a time gets that */
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m.rq);

		ck_assert_int_eq(v->answer, ANSWER_FAIL);
		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_TIME_PROOF].result, VERDICT_PASS);
		ck_assert_int_eq(v->time, FORGE_TIME);
		ck_assert_str_eq(v->time_source, "--at");
	}
	m.rq.time_source = "now";
	m.rq.time_stamp = NULL; /* without it the chain is expired */
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m.rq);

		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_FAIL);
	}
	drop();
}
END_TEST

/* Nobody who counts: no proof, and everything is judged now. */
START_TEST(nobody_who_counts)
{
	static const enum trust_purpose purposes[] = {TRUST_AK, TRUST_EK, TRUST_INTERMEDIATE, TRUST_TSA};

	stamped(purposes[_i], FORGE_TIME - 7200);
	if (purposes[_i] == TRUST_TSA)
		entries[1].not_after = FORGE_TIME - 1;  /* believed once */
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m.rq);

		ck_assert_int_eq(v->checks[CHECK_TIME_PROOF].result, VERDICT_SKIP);
		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_FAIL);
		ck_assert_int_eq(v->time, FORGE_TIME);
		ck_assert_str_eq(v->time_source, "now");
	}
	drop();
}
END_TEST

/* A stamp that is given and does not hold is a fail at every level. */
START_TEST(refused)
{
	stamped(TRUST_TSA, FORGE_TIME + 301);
	m.rq.required = LEVEL_SIMULATED;
	for (int i = 0; i < 2; i++) {
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&m.rq);

		ck_assert_int_eq(v->checks[CHECK_TIME_PROOF].result, VERDICT_FAIL);
		ck_assert_ptr_nonnull(strstr(v->checks[CHECK_TIME_PROOF].found,
		    i == 0 ? "of the future" : "something else"));
		ck_assert_int_eq(v->time, FORGE_TIME);
		ck_assert_int_eq(v->level, LEVEL_NONE);
		/* next: of another certificate */
		buf_reset(&stamp);
		tsa_stamp(&(struct tsa_stamp){.signer = authority, .time = FORGE_TIME - 7200}, "x", 1, &stamp);
	}
	drop();
}
END_TEST

UNIT_SUITE(checks_time)
{
	tcase_add_test(tc, proven_time);
	tcase_add_loop_test(tc, nobody_who_counts, 0, 4);
	tcase_add_test(tc, refused);
}
