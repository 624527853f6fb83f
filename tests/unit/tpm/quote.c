#include "unit.h"

#include <string.h>
#include "evidence/quote-check.h"
#include "evidence/replay.h"
#include "tpm/fixture.h"

static void
quote_free(struct certificate_quote *q)
{
	buf_free(&q->attest);
	buf_free(&q->signature);
}

/* Judges a quote as a verifier does, with the AK's own public area. */
static bool
quote_is_good(const struct certificate_quote *q, const struct buf *public,
    const unsigned char extra[32])
{
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct quote_check_pcrs pcrs;
	bool structure = false, signature = false;
	struct err e;

	fixture_pcrs(&q->pcrs, &pcrs);
	UNIT_OK(ak_public_decode(public->data, public->len, &ak, &e), &e);
	UNIT_OK(quote_check_structure(q->attest.data, q->attest.len, extra, &pcrs, ak.scheme_hash,
	    &structure, &reason, &e), &e);
	UNIT_OK(quote_check_signature(&ak, q->attest.data, q->attest.len, q->signature.data,
	    q->signature.len, &signature, &reason, &e), &e);
	return structure && signature;
}

START_TEST(quote_of_a_fresh_tpm)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	CLEANUP(quote_free) struct certificate_quote q = {0};
	CLEANUP(buf_free) struct buf public = BUF_INIT;
	static const unsigned char zero[48];
	unsigned char extra[32], ones[48];
	struct err e;

	memset(extra, 0x5a, sizeof extra);
	memset(ones, 0xff, sizeof ones);
	UNIT_OK(ak_load(t, &public, &e), &e);
	UNIT_OK(quote_make(t, extra, &q, &e), &e);
	ck_assert(quote_is_good(&q, &public, extra));
	for (unsigned pcr = 0; pcr < 24; pcr++) {
		bool dynamic = pcr >= 17 && pcr <= 22;

		ck_assert_mem_eq(q.pcrs.sha256[pcr], dynamic ? ones : zero, 32);
		ck_assert_mem_eq(q.pcrs.sha384[pcr], dynamic ? ones : zero, 48);
	}
	extra[31] ^= 1;
	ck_assert(!quote_is_good(&q, &public, extra));
}
END_TEST

START_TEST(quote_follows_what_was_extended)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	CLEANUP(buf_free) struct buf public = BUF_INIT;
	struct replay fourteen, fifteen;
	unsigned char extra[32] = {0};
	struct err e;

	replay_start(&fourteen);
	replay_start(&fifteen);
	UNIT_OK(ak_load(t, &public, &e), &e);
	for (int i = 0; i < 10; i++) {
		CLEANUP(quote_free) struct certificate_quote q = {0};
		char text[64];
		size_t len = (size_t)snprintf(text, sizeof text, "event %d", i) * (size_t)(i % 3 != 0);

		UNIT_OK(pcr_extend(t, 14, text, len, &e), &e);
		UNIT_OK(replay_extend(&fourteen, text, len, &e), &e);
		UNIT_OK(pcr_extend(t, 15, text, 3, &e), &e);
		UNIT_OK(replay_extend(&fifteen, text, 3, &e), &e);
		extra[0] = (unsigned char)i;
		UNIT_OK(quote_make(t, extra, &q, &e), &e);
		ck_assert(quote_is_good(&q, &public, extra));
		ck_assert_mem_eq(q.pcrs.sha256[14], fourteen.sha256, 32);
		ck_assert_mem_eq(q.pcrs.sha384[14], fourteen.sha384, 48);
		ck_assert_mem_eq(q.pcrs.sha256[15], fifteen.sha256, 32);
		ck_assert_mem_eq(q.pcrs.sha384[15], fifteen.sha384, 48);
	}
}
END_TEST

START_TEST(quote_clock_agrees_with_the_quote)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	CLEANUP(quote_free) struct certificate_quote q = {0};
	unsigned char extra[32] = {1};
	uint32_t resets, restarts;
	struct attest a;
	uint64_t clock;
	struct err e;

	UNIT_OK(quote_make(t, extra, &q, &e), &e);
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	UNIT_OK(quote_clock(t, &clock, &resets, &restarts, &e), &e);
	ck_assert_uint_ge(clock, a.clock.clock);
	ck_assert_uint_eq(resets, a.clock.reset_count);
	ck_assert_uint_eq(restarts, a.clock.restart_count);
}
END_TEST

START_TEST(quote_signer_is_in_the_endorsement_hierarchy)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	CLEANUP(quote_free) struct certificate_quote q = {0};
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	CLEANUP(buf_free) struct buf public = BUF_INIT, reason = BUF_INIT;
	unsigned char extra[32] = {1}, qualified[68];
	size_t len;
	struct attest a;
	struct err e;

	UNIT_OK(quote_make(t, extra, &q, &e), &e);
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	UNIT_OK(ak_load(t, &public, &e), &e);
	UNIT_OK(ak_public_decode(public.data, public.len, &ak, &e), &e);
	ck_assert(ak_public_attributes_ok(&ak, &reason));
	UNIT_OK(ak_public_qualified(&ak, AK_ENDORSEMENT, qualified, &len, &e), &e);
	ck_assert_uint_eq(len, a.signer_len);
	ck_assert_mem_eq(qualified, a.signer, len);
	UNIT_OK(ak_public_qualified(&ak, AK_NULL, qualified, &len, &e), &e);
	ck_assert(memcmp(qualified, a.signer, len) != 0);
}
END_TEST

START_TEST(quote_extends_only_pcrs_that_exist)
{
	CLEANUP(tpm_closep) struct tpm *t = fixture_open("embedded");
	struct err e;

	UNIT_FAILS(pcr_extend(t, 24, "x", 1, &e), &e, ERR_USAGE);
	UNIT_OK(pcr_extend(t, 23, "x", 1, &e), &e);
}
END_TEST

UNIT_SUITE(quote)
{
	tcase_add_test(tc, quote_of_a_fresh_tpm);
	tcase_add_test(tc, quote_follows_what_was_extended);
	tcase_add_test(tc, quote_clock_agrees_with_the_quote);
	tcase_add_test(tc, quote_signer_is_in_the_endorsement_hierarchy);
	tcase_add_test(tc, quote_extends_only_pcrs_that_exist);
}
