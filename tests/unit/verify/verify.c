#include "verify/verify.h"

#include <string.h>
#include "evidence/fixture.h"
#include "object/statement.h"
#include "tpm/tpm.h"
#include "verify/forge.h"
#include "unit.h"

static struct forge f;

static void
made(void)
{
	forge_new(&f);
	forge_finish(&f);
}

START_TEST(skips_have_reasons)
{
	static const struct { enum verdict_check c; const char *reason; } skips[] = {
		{CHECK_AK_CHAIN, "no chain: nobody vouches for the AK"},
		{CHECK_BOOT_LOG, "no boot log"},
		{CHECK_BOOT_REFERENCE, "no reference record for this image"},
		{CHECK_HARDWARE_REPORT, "no hardware report"},
		{CHECK_TIME_PROOF, "no time stamp was given"},
		{CHECK_COMMIT_SIGNATURE, "not judged by this version"},
		{CHECK_FILES_OUTPUTS, "no file was asked for"},
		{CHECK_FILES_INPUTS, "inputs were not asked for"},
		{CHECK_REVOCATION, "no revocation lists were given"},
		{CHECK_POLICY, "no policy is configured"},
	};
	struct verify_request rq;
	struct verdict *v;
	size_t n = 0;

	made();
	rq = forge_request(&f);
	v = forge_judge(&rq);
	for (size_t i = 0; i < sizeof skips / sizeof *skips; i++)
		ck_assert_str_eq(v->checks[skips[i].c].found, skips[i].reason);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		n += v->checks[c].result == VERDICT_SKIP;
	ck_assert_uint_eq(n, sizeof skips / sizeof *skips);
	ck_assert_str_eq(v->bank, "sha256");
	ck_assert_ptr_nonnull(strstr(v->notes[0], "The TPM was simulated"));
	ck_assert_ptr_nonnull(strstr(v->notes[1], "Not proved"));
	verdict_free(v);
	forge_free(&f);
}
END_TEST

START_TEST(a_device_nobody_vouches_for)
{
	struct verify_request rq;
	struct verdict *v;

	forge_new(&f);
	f.events[FORGE_REQUEST].u.request.tpm = EVENT_TPM_DEVICE;
	forge_finish(&f);
	rq = forge_request(&f);
	v = forge_judge(&rq);
	ck_assert_int_eq(v->level, LEVEL_SIMULATED);
	ck_assert_ptr_nonnull(strstr(v->notes[0], "not vouched for"));
	verdict_free(v);
	forge_free(&f);
}
END_TEST

START_TEST(levels_demanded)
{
	struct verify_request rq;

	made();
	rq = forge_request(&f);
	for (enum verdict_level l = LEVEL_NONE; l <= LEVEL_CONFIDENTIAL; l++) {
		struct verdict *v;

		rq.required = l;
		v = forge_judge(&rq);
		ck_assert_int_eq(v->answer, l <= LEVEL_SIMULATED ? ANSWER_PASS : ANSWER_FAIL);
		ck_assert_int_eq(v->level, LEVEL_SIMULATED);
		verdict_free(v);
	}
	forge_free(&f);
}
END_TEST

START_TEST(object_id)
{
	struct verify_request rq;

	made();
	rq = forge_request(&f);
	rq.id.b[31] ^= 1;
	forge_fails(&rq, CHECK_OBJECT_ID, "sha256:");
	forge_free(&f);
}
END_TEST

/* Under the old id (now and then) and under its own: then it must be found out
 * otherwise. */
static void
never_passes(struct buf *bytes, size_t len, size_t at)
{
	struct verify_request rq = forge_request(&f);
	struct verdict *v;
	struct err e;

	rq.data = bytes->data;
	rq.len = len;
	for (int own_id = at % 64 != 0; own_id < 2; own_id++) {
		if (own_id == 1)
			UNIT_OK(oid_from_data(&rq.id, bytes->data, len, &e), &e);
		v = forge_judge(&rq);
		ck_assert_msg(v->answer == ANSWER_FAIL && v->level == LEVEL_NONE, "byte %zu of %zu", at,
		    len);
		verdict_free(v);
	}
}

/* TPM_CLOCK_INFO.safe and the like are signed too: no byte is free. */
START_TEST(every_byte_counts)
{
	size_t parts = 8, from, to;

	made();
	from = f.bytes.len * (size_t)_i / parts;
	to = f.bytes.len * ((size_t)_i + 1) / parts;
	for (size_t i = from; i < to; i++) {
		static const unsigned char masks[] = {0x01, 0x20, 0x80};

		f.bytes.data[i] ^= masks[i % 3];
		never_passes(&f.bytes, f.bytes.len, i);
		f.bytes.data[i] ^= masks[i % 3];
	}
	forge_free(&f);
}
END_TEST

START_TEST(every_length_but_the_whole)
{
	struct verify_request rq;

	made();
	for (size_t len = 0; len < f.bytes.len; len += len < 200 ? 1 : 7)
		never_passes(&f.bytes, len, len);
	rq = forge_request(&f);
	rq.len = f.bytes.len / 2;
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = NULL;
		struct err e;

		UNIT_OK(oid_from_data(&rq.id, rq.data, rq.len, &e), &e);
		v = forge_judge(&rq);
		ck_assert_int_eq(v->checks[CHECK_CERTIFICATE_CANONICAL].result, VERDICT_FAIL);
		for (enum verdict_check c = CHECK_CERTIFICATE_CANONICAL + 1; c < CHECK_COUNT; c++)
			ck_assert_str_eq(v->checks[c].found, "certificate cannot be read");
	}
	forge_free(&f);
}
END_TEST

/* --- a TPM's own evidence --- */

static void
tpm_clock_after(struct tpm *t, uint64_t before)
{
	struct event_run_finished *end = &f.events[FORGE_FINISHED].u.finished;
	struct err e;

	do
		UNIT_OK(quote_clock(t, &end->tpm_clock, &end->reset_count, &end->restart_count, &e), &e);
	while (end->tpm_clock <= before);
}

static void
tpm_quote(struct tpm *t, struct buf *text, struct certificate_quote *ret)
{
	unsigned char extra[32];
	struct err e;

	UNIT_OK(hash_once(HASH_SHA256, text->data, text->len, extra, &e), &e);
	UNIT_OK(quote_make(t, extra, ret, &e), &e);
	buf_free(text);
}

/* The run of forge_new() on an embedded TPM. */
static void
tpm_run(struct tpm *t)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid payload;
	struct attest a;
	struct err e;

	forge_new(&f);
	tpm_banks(t, &f.sha256, &f.sha384);
	buf_reset(&f.ak_public);
	UNIT_OK(ak_load(t, &f.ak_public, &e), &e);
	statement_start_text(&text, f.nonce);
	tpm_quote(t, &text, &f.cert.start_quote);
	UNIT_OK(attest_decode(f.cert.start_quote.attest.data, f.cert.start_quote.attest.len, &a, &e), &e);
	tpm_clock_after(t, a.clock.clock);
	forge_number(&f);
	forge_measure(&f);
	for (size_t i = 0; i < f.count; i++)
		UNIT_OK(pcr_extend(t, (unsigned)f.events[i].pcr, f.events[i].text, f.events[i].len, &e), &e);
	forge_seal(&f);
	UNIT_OK(oid_from_data(&payload, f.cert.envelope.payload.data, f.cert.envelope.payload.len, &e),
	    &e);
	statement_quote_text(&text, f.nonce, &payload);
	tpm_quote(t, &text, &f.cert.quote);
	forge_encode(&f);
}

START_TEST(certificate_of_a_tpm)
{
	struct tpm_open_options o = {.spec = "embedded"};
	CLEANUP(tpm_closep) struct tpm *t = NULL;
	struct verify_request rq;
	struct err e;

	UNIT_OK(tpm_open(&o, &t, &e), &e);
	tpm_run(t);
	rq = forge_request(&f);
	rq.nonce = f.nonce;
	forge_passes(&rq);
	forge_free(&f);
	/* a second run without a reset: PCR 14 and 15 are not zero at its start */
	tpm_run(t);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_QUOTE_START].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_INPUTS_LOG].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_QUOTE_SIGNATURE].result, VERDICT_PASS);
	}
	forge_free(&f);
	UNIT_OK(tpm_reset(t, &e), &e);
	tpm_run(t);
	rq = forge_request(&f);
	forge_passes(&rq);
	forge_free(&f);
}
END_TEST

/* --- identities --- */

static struct verify_identity
identity(struct certificate_quote *quote)
{
	struct verify_identity id = {
		.quote = quote, .ak_public = &f.ak_public, .tpm = EVENT_TPM_EMBEDDED,
		.required = LEVEL_SIMULATED, .time = FORGE_TIME,
	};

	memset(id.nonce, 0x44, sizeof id.nonce);
	memset(id.spki.b, 0x55, OID_SIZE);
	return id;
}

/* The start quote, made to bind an identity. */
static void
identity_extra(struct attest *start, struct attest *final UNUSED)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct verify_identity id = identity(NULL);
	struct err e;

	statement_identity_text(&text, id.nonce, &id.spki);
	UNIT_OK(hash_once(HASH_SHA256, text.data, text.len, start->extra, &e), &e);
}

static void
identity_judged(const struct verify_identity *id, enum verdict_check c, enum verdict_answer answer)
{
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;
	struct err e;

	UNIT_OK(verify_identity(id, &v, &e), &e);
	for (enum verdict_check i = 0; i < CHECK_COUNT; i++)
		ck_assert_msg((v->checks[i].result == VERDICT_FAIL) == (i == c), "%s: %s",
		    verdict_check_name(i), v->checks[i].found);
	ck_assert_int_eq(v->answer, answer);
	ck_assert_int_eq(v->checks[CHECK_QUOTE_START].result, VERDICT_SKIP);
	ck_assert_str_eq(v->checks[CHECK_EVENTS_GRAMMAR].found, "not part of an identity");
}

START_TEST(identity_of_a_runner)
{
	struct verify_identity id;

	forge_new(&f);
	f.tweak = identity_extra;
	forge_finish(&f);
	id = identity(&f.cert.start_quote);
	identity_judged(&id, CHECK_COUNT, ANSWER_PASS);
	/* any other nonce or channel key */
	id.nonce[0] ^= 1;
	identity_judged(&id, CHECK_QUOTE_BINDING, ANSWER_FAIL);
	id = identity(&f.cert.start_quote);
	id.spki.b[31] ^= 1;
	identity_judged(&id, CHECK_QUOTE_BINDING, ANSWER_FAIL);
	/* a quote made for a run is none for an identity */
	id = identity(&f.cert.quote);
	identity_judged(&id, CHECK_QUOTE_BINDING, ANSWER_FAIL);
	id = identity(&f.cert.start_quote);
	id.required = LEVEL_VTPM;
	identity_judged(&id, CHECK_COUNT, ANSWER_FAIL);
	f.cert.start_quote.signature.data[20] ^= 1;
	id.required = LEVEL_SIMULATED;
	identity_judged(&id, CHECK_QUOTE_SIGNATURE, ANSWER_FAIL);
	forge_free(&f);
}
END_TEST

START_TEST(used_device)
{
	struct verify_identity id;

	forge_new(&f);
	f.tweak = identity_extra;
	f.start_pcrs.sha256[14][0] = 1;
	forge_finish(&f);
	id = identity(&f.cert.start_quote);
	/* one that can be reset may have been used */
	identity_judged(&id, CHECK_COUNT, ANSWER_PASS);
	id.tpm = EVENT_TPM_DEVICE;
	identity_judged(&id, CHECK_QUOTE_PCRS, ANSWER_FAIL);
	forge_free(&f);
}
END_TEST

UNIT_SUITE(verify)
{
	tcase_add_test(tc, skips_have_reasons);
	tcase_add_test(tc, a_device_nobody_vouches_for);
	tcase_add_test(tc, levels_demanded);
	tcase_add_test(tc, object_id);
	tcase_add_loop_test(tc, every_byte_counts, 0, 8);
	tcase_add_test(tc, every_length_but_the_whole);
	tcase_add_test(tc, certificate_of_a_tpm);
	tcase_add_test(tc, identity_of_a_runner);
	tcase_add_test(tc, used_device);
}
