#include <string.h>
#include "evidence/fixture.h"
#include "evidence/replay.h"
#include "verify/forge.h"
#include "unit.h"

static struct forge f;

static void
refused_with(void (*tweak)(struct attest *, struct attest *), enum verdict_check c,
    const char *found)
{
	forge_new(&f);
	f.tweak = tweak;
	forge_refused(&f, c, found);
}

/* Judged as it stands, without a new statement or quote. */
static void
refused_now(enum verdict_check c, const char *found)
{
	struct verify_request rq;

	forge_encode(&f);
	rq = forge_request(&f);
	forge_fails(&rq, c, found);
	forge_free(&f);
}

static void
made(void)
{
	forge_new(&f);
	forge_finish(&f);
}

/* --- quote.structure --- */

static void
selection_lacks_14(struct attest *start UNUSED, struct attest *final)
{
	final->selection[0].mask &= ~(1u << 14);
}

static void
selection_in_start(struct attest *start, struct attest *final UNUSED)
{
	start->selection[1].mask = 0x00ffff;
}

static void
banks_exchanged(struct attest *start UNUSED, struct attest *final)
{
	final->selection[0].bank = HASH_SHA384;
	final->selection[1].bank = HASH_SHA256;
}

static void
bank_more(struct attest *start UNUSED, struct attest *final)
{
	final->selection[2] = (struct attest_selection){HASH_SHA1, 0xffffff};
	final->selection_count = 3;
}

static void
extra_long(struct attest *start UNUSED, struct attest *final)
{
	final->extra_len = 33;
}

static void
digest_short(struct attest *start UNUSED, struct attest *final)
{
	final->pcr_digest_len = 20;
}

START_TEST(structure)
{
	refused_with(selection_lacks_14, CHECK_QUOTE_STRUCTURE, "quote: another selection");
	refused_with(selection_in_start, CHECK_QUOTE_STRUCTURE, "startQuote: another selection");
	refused_with(banks_exchanged, CHECK_QUOTE_STRUCTURE, "quote: another selection");
}
END_TEST

/* Structures that fail more checks than one, among them this. */
START_TEST(structure_and_more)
{
	static void (*const tweaks[])(struct attest *, struct attest *) = {
		bank_more, extra_long, digest_short,
	};
	struct verify_request rq;

	forge_new(&f);
	f.tweak = tweaks[_i];
	forge_finish(&f);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_QUOTE_STRUCTURE].result, VERDICT_FAIL);
		ck_assert_int_eq(v->answer, ANSWER_FAIL);
	}
	forge_free(&f);
}
END_TEST

START_TEST(not_a_quote)
{
	struct verify_request rq;

	made();
	f.cert.quote.attest.data[5] = 0x14; /* TPM_ST_ATTEST_NV */
	buf_free(&f.cert.quote.signature);
	fixture_sign(f.ak, 0x0018, 0x000b, &f.cert.quote.attest, &f.cert.quote.signature);
	forge_encode(&f);
	rq = forge_request(&f);
	forge_fails(&rq, CHECK_QUOTE_STRUCTURE, "quote: ");
	forge_free(&f);
}
END_TEST

START_TEST(sha384_alone_carries_the_proof)
{
	struct verify_request rq;

	forge_new(&f);
	f.sha256 = false;
	forge_finish(&f);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->answer, ANSWER_PASS);
		ck_assert_str_eq(v->bank, "sha384");
	}
	forge_free(&f);
	forge_new(&f);
	f.sha384 = false;
	forge_finish(&f);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->answer, ANSWER_PASS);
		ck_assert_str_eq(v->bank, "sha256");
	}
	forge_free(&f);
}
END_TEST

/* --- quote.signature --- */

START_TEST(signature)
{
	struct pki *other = pki_leaf("other", NULL);

	made();
	buf_free(&f.cert.quote.signature);
	fixture_sign(other, 0x0018, 0x000b, &f.cert.quote.attest, &f.cert.quote.signature);
	refused_now(CHECK_QUOTE_SIGNATURE, "quote: ");
	made();
	buf_free(&f.cert.start_quote.signature);
	fixture_sign(other, 0x0018, 0x000b, &f.cert.start_quote.attest,
	    &f.cert.start_quote.signature);
	refused_now(CHECK_QUOTE_SIGNATURE, "startQuote: ");
	made();
	f.cert.quote.signature.data[20] ^= 1;
	refused_now(CHECK_QUOTE_SIGNATURE, "quote: ");
	made();
	f.cert.quote.signature.len = 10;
	refused_now(CHECK_QUOTE_SIGNATURE, "quote: ");
	pki_free(other);
}
END_TEST

/* --- quote.binding --- */

static void
extra_of_final(struct attest *start UNUSED, struct attest *final)
{
	final->extra[31] ^= 1;
}

static void
extra_of_start(struct attest *start, struct attest *final UNUSED)
{
	start->extra[0] ^= 1;
}

static void
extra_exchanged(struct attest *start, struct attest *final)
{
	unsigned char extra[32];

	memcpy(extra, start->extra, 32);
	memcpy(start->extra, final->extra, 32);
	memcpy(final->extra, extra, 32);
}

START_TEST(binding)
{
	refused_with(extra_of_final, CHECK_QUOTE_BINDING, "quote: extraData");
	refused_with(extra_of_start, CHECK_QUOTE_BINDING, "startQuote: extraData");
	refused_with(extra_exchanged, CHECK_QUOTE_BINDING, "quote: extraData");
}
END_TEST

/* --- quote.pcrs --- */

START_TEST(pcr_values)
{
	made();
	f.cert.quote.pcrs.sha256[23][0] ^= 1;
	refused_now(CHECK_QUOTE_PCRS, "quote: other values");
	made();
	f.cert.quote.pcrs.sha384[16][47] ^= 1;
	refused_now(CHECK_QUOTE_PCRS, "quote: other values");
	made();
	f.cert.start_quote.pcrs.sha256[16][0] ^= 1;
	refused_now(CHECK_QUOTE_PCRS, "startQuote: other values");
}
END_TEST

/* --- quote.start --- */

static void reset_between(struct attest *start, struct attest *final UNUSED) { start->clock.reset_count--; }
static void restart_between(struct attest *start, struct attest *final UNUSED) { start->clock.restart_count--; }
static void clock_stands(struct attest *start, struct attest *final) { final->clock.clock = start->clock.clock = 5000; }
static void clock_falls(struct attest *start, struct attest *final) { start->clock.clock = 5000; final->clock.clock = 4999; }
static void run_before(struct attest *start, struct attest *final UNUSED) { start->clock.clock = 5001; }
static void run_after(struct attest *start UNUSED, struct attest *final) { final->clock.clock = 4999; }
static void other_firmware(struct attest *start, struct attest *final UNUSED) { start->firmware++; }
static void run_in_another_boot(struct attest *start, struct attest *final)
{
	start->clock.reset_count++;
	final->clock.reset_count++;
}

START_TEST(start_clock)
{
	refused_with(reset_between, CHECK_QUOTE_START, "reset 6");
	refused_with(restart_between, CHECK_QUOTE_START, "restarted 1");
	refused_with(clock_stands, CHECK_QUOTE_START, "5000, then 5000");
	refused_with(clock_falls, CHECK_QUOTE_START, "5000, then 4999");
	refused_with(run_before, CHECK_QUOTE_START, "not between 5001 and 6000");
	refused_with(run_after, CHECK_QUOTE_START, "not between 4000 and 4999");
	refused_with(other_firmware, CHECK_QUOTE_START, "firmware");
	refused_with(run_in_another_boot, CHECK_QUOTE_START, "run_finished");
}
END_TEST

/* The owner's keys quote obfuscated counts: only the quotes compare. */
START_TEST(owner_counts_are_obfuscated)
{
	struct verify_request rq;

	forge_new(&f);
	f.hierarchy = AK_OWNER;
	f.tweak = run_in_another_boot;
	forge_finish(&f);
	rq = forge_request(&f);
	forge_passes(&rq);
	forge_free(&f);
	forge_new(&f);
	f.hierarchy = AK_OWNER;
	f.tweak = reset_between;
	forge_refused(&f, CHECK_QUOTE_START, "reset 6");
}
END_TEST

START_TEST(start_pcrs)
{
	struct verify_request rq;

	for (unsigned pcr = 0; pcr < CERTIFICATE_PCRS; pcr++) {
		for (int bank = 0; bank < 2; bank++) {
			forge_new(&f);
			if (bank == 0)
				f.start_pcrs.sha256[pcr][1] ^= 1;
			else
				f.start_pcrs.sha384[pcr][1] ^= 1;
			if (pcr != 10 && pcr != 16 && pcr != 23) {
				forge_refused(&f, CHECK_QUOTE_START, "PCR ");
				continue;
			}
			forge_finish(&f);
			rq = forge_request(&f);
			forge_passes(&rq);
			forge_free(&f);
		}
	}
}
END_TEST

/* --- inputs.log, outputs.log --- */

/* Changes quoted PCR values behind the events' back and quotes them honestly. */
static void
logs_with(unsigned pcr, int bank, enum verdict_check c)
{
	forge_new(&f);
	forge_number(&f);
	forge_measure(&f);
	if (bank == 0)
		f.pcrs.sha256[pcr][0] ^= 1;
	else
		f.pcrs.sha384[pcr][0] ^= 1;
	forge_seal(&f);
	forge_quote(&f);
	refused_now(c, bank == 0 ? "sha256" : "sha384");
}

START_TEST(logs)
{
	for (int bank = 0; bank < 2; bank++) {
		logs_with(14, bank, CHECK_INPUTS_LOG);
		logs_with(15, bank, CHECK_OUTPUTS_LOG);
	}
}
END_TEST

/* An honest TPM in which something more was extended than the events say. */
static void
extended_twice(size_t at, enum verdict_check c)
{
	struct replay r;
	struct err e;
	unsigned pcr = at < FORGE_STARTED ? 14 : 15;

	forge_new(&f);
	forge_number(&f);
	forge_measure(&f);
	memcpy(r.sha256, f.pcrs.sha256[pcr], 32);
	memcpy(r.sha384, f.pcrs.sha384[pcr], 48);
	UNIT_OK(replay_extend(&r, f.events[at].text, f.events[at].len, &e), &e);
	memcpy(f.pcrs.sha256[pcr], r.sha256, 32);
	memcpy(f.pcrs.sha384[pcr], r.sha384, 48);
	forge_seal(&f);
	forge_quote(&f);
	refused_now(c, "the events give");
}

START_TEST(extended_more_than_said)
{
	extended_twice(FORGE_SEALED, CHECK_INPUTS_LOG);
	extended_twice(FORGE_END, CHECK_OUTPUTS_LOG);
}
END_TEST

/* The quote is of other outputs: the events were changed and sealed again. */
START_TEST(events_changed_after_the_run)
{
	struct certificate_pcrs real;
	struct verify_request rq;

	made();
	real = f.pcrs;
	f.events[FORGE_MODEL].u.output.output.digests.sha256.b[0] ^= 1;
	forge_measure(&f);
	f.pcrs = real;
	forge_seal(&f);
	forge_encode(&f);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_OUTPUTS_LOG].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_QUOTE_BINDING].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_INPUTS_LOG].result, VERDICT_PASS);
	}
	forge_free(&f);
}
END_TEST

UNIT_SUITE(checks_quote)
{
	tcase_add_test(tc, structure);
	tcase_add_loop_test(tc, structure_and_more, 0, 3);
	tcase_add_test(tc, not_a_quote);
	tcase_add_test(tc, sha384_alone_carries_the_proof);
	tcase_add_test(tc, signature);
	tcase_add_test(tc, binding);
	tcase_add_test(tc, pcr_values);
	tcase_add_test(tc, start_clock);
	tcase_add_test(tc, owner_counts_are_obfuscated);
	tcase_add_test(tc, start_pcrs);
	tcase_add_test(tc, logs);
	tcase_add_test(tc, extended_more_than_said);
	tcase_add_test(tc, events_changed_after_the_run);
}
