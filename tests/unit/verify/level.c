#include "verify/level.h"

#include <string.h>
#include "unit.h"

static struct verdict_item checks[CHECK_COUNT];
static struct level_facts facts;

/* Everything passed on a machine that a platform vouches for in hardware. */
static void
all_pass(void)
{
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		checks[c] = (struct verdict_item){.result = VERDICT_PASS};
		facts.counts[c] = true;
	}
	facts.tpm = EVENT_TPM_DEVICE;
	facts.ak_grant = LEVEL_CONFIDENTIAL;
	facts.hardware_grant = LEVEL_CONFIDENTIAL;
	facts.image_measured = true;
	facts.emulated = false;
	facts.boot_fixed = true;
}

/* What may be skipped, alone, at which level: aicert-certificate(5) section 8 as a table. */
static const struct {
	enum verdict_check check;
	const char *levels; /* one letter a level that lets it be skipped: s d v c */
} table[] = {
	{CHECK_OBJECT_ID, ""},
	{CHECK_CERTIFICATE_CANONICAL, ""},
	{CHECK_EVENTS_GRAMMAR, ""},
	{CHECK_AK_CHAIN, "sc"},          /* c: the hardware report alone */
	{CHECK_AK_KEY, ""},
	{CHECK_QUOTE_STRUCTURE, ""},
	{CHECK_QUOTE_SIGNATURE, ""},
	{CHECK_QUOTE_BINDING, ""},
	{CHECK_QUOTE_PCRS, ""},
	{CHECK_QUOTE_START, ""},
	{CHECK_BOOT_LOG, "sv"},          /* v: boot.reference on fixed values */
	{CHECK_BOOT_REFERENCE, "s"},
	{CHECK_INPUTS_LOG, ""},
	{CHECK_OUTPUTS_LOG, ""},
	{CHECK_RUN_EXIT, ""},
	{CHECK_ENVELOPE_STATEMENT, ""},
	{CHECK_ENVELOPE_SIGNATURE, ""},
	{CHECK_HARDWARE_REPORT, "sdv"},
	{CHECK_TIME_PROOF, "sdvc"},
	{CHECK_COMMIT_SIGNATURE, "sdvc"},
	{CHECK_FILES_OUTPUTS, "sdvc"},
	{CHECK_FILES_INPUTS, "sdvc"},
	{CHECK_CHAIN_INPUTS, "sdvc"},
	{CHECK_REVOCATION, "sdvc"},
	{CHECK_POLICY, "sdvc"},
};

static bool
in_table(size_t row, enum verdict_level l)
{
	return strchr(table[row].levels, " sdvc"[l]) != NULL;
}

START_TEST(what_may_be_skipped)
{
	ck_assert_uint_eq(sizeof table / sizeof *table, CHECK_COUNT);
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		ck_assert_int_eq(table[i].check, (int)i);
		for (enum verdict_level l = LEVEL_SIMULATED; l <= LEVEL_CONFIDENTIAL; l++) {
			all_pass();
			checks[i].result = VERDICT_SKIP;
			ck_assert_msg(level_reached(l, checks, &facts) == in_table(i, l), "%s at %s",
			    verdict_check_name(table[i].check), verdict_level_name(l));
			/* a skip for want of an object never counts */
			checks[i].missing = true;
			ck_assert(!level_reached(l, checks, &facts));
			all_pass();
			checks[i].result = VERDICT_FAIL;
			ck_assert(!level_reached(l, checks, &facts));
			/* what does not count is not looked at */
			facts.counts[i] = false;
			if (table[i].check != CHECK_AK_CHAIN)
				ck_assert(level_reached(l, checks, &facts));
		}
	}
}
END_TEST

START_TEST(highest_row)
{
	all_pass();
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_CONFIDENTIAL);
	checks[CHECK_HARDWARE_REPORT].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_VTPM);
	facts.ak_grant = LEVEL_DEVICE;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_DEVICE);
	facts.ak_grant = LEVEL_SIMULATED;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	checks[CHECK_AK_CHAIN].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	checks[CHECK_AK_KEY].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_NONE);
}
END_TEST

START_TEST(software_stays_simulated)
{
	static const enum event_tpm software[] = {
		EVENT_TPM_EMBEDDED, EVENT_TPM_SWTPM, EVENT_TPM_MSSIM,
	};

	all_pass();
	facts.tpm = software[_i];
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
}
END_TEST

/* The kind of TPM is the runner's word: where neither a root nor a report grants, it is
 * worth nothing. */
START_TEST(the_word_device_lifts_nothing)
{
	all_pass();
	facts.tpm = EVENT_TPM_DEVICE;
	facts.ak_grant = facts.hardware_grant = LEVEL_NONE;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	checks[CHECK_AK_CHAIN].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	checks[CHECK_HARDWARE_REPORT].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
}
END_TEST

START_TEST(unmeasured_image_stays_simulated)
{
	all_pass();
	facts.image_measured = false;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
}
END_TEST

START_TEST(boot_log_without_fixed_values)
{
	all_pass();
	checks[CHECK_BOOT_LOG].result = VERDICT_SKIP;
	ck_assert(level_reached(LEVEL_VTPM, checks, &facts));
	ck_assert(!level_reached(LEVEL_DEVICE, checks, &facts));
	facts.boot_fixed = false;
	ck_assert(!level_reached(LEVEL_VTPM, checks, &facts));
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	facts.boot_fixed = true;
	checks[CHECK_BOOT_REFERENCE].result = VERDICT_SKIP;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
}
END_TEST

START_TEST(roots)
{
	all_pass();
	/* the report alone carries confidential */
	checks[CHECK_AK_CHAIN].result = VERDICT_SKIP;
	facts.ak_grant = LEVEL_NONE;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_CONFIDENTIAL);
	facts.hardware_grant = LEVEL_VTPM; /* a root that may not grant it */
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_SIMULATED);
	all_pass();
	facts.hardware_grant = LEVEL_NONE;
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_VTPM);
	all_pass();
	facts.ak_grant = LEVEL_DEVICE; /* a chain that ends at a lesser root lowers it */
	ck_assert_int_eq(level_of(checks, &facts), LEVEL_DEVICE);
	ck_assert(!level_reached(LEVEL_NONE, checks, &facts));
}
END_TEST

UNIT_SUITE(level)
{
	tcase_add_test(tc, what_may_be_skipped);
	tcase_add_test(tc, highest_row);
	tcase_add_test(tc, the_word_device_lifts_nothing);
	tcase_add_loop_test(tc, software_stays_simulated, 0, 3);
	tcase_add_test(tc, unmeasured_image_stays_simulated);
	tcase_add_test(tc, boot_log_without_fixed_values);
	tcase_add_test(tc, roots);
}
