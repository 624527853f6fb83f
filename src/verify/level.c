#include "verify/level.h"

/* What a level lets be skipped. */
enum level_skip {
	LEVEL_NEVER,        /* must pass */
	LEVEL_MAY,          /* may be skipped, for whatever reason but a missing object */
	LEVEL_BOOT_FIXED,   /* may be skipped if boot.reference passed on fixed values */
	LEVEL_BY_HARDWARE   /* may be skipped if hardware.report passed */
};

struct level_row {
	enum verdict_level least_grant;   /* of the root that vouches for the AK; NONE: any or none */
	enum level_skip ak_chain, boot_log, boot_reference, hardware_report;
};

static const struct level_row level_rows[] = {
	[LEVEL_SIMULATED] = {
		.least_grant = LEVEL_NONE,
		.ak_chain = LEVEL_MAY,
		.boot_log = LEVEL_MAY,
		.boot_reference = LEVEL_MAY,
		.hardware_report = LEVEL_MAY,
	},
	[LEVEL_DEVICE] = {
		.least_grant = LEVEL_DEVICE,
		.ak_chain = LEVEL_NEVER,
		.boot_log = LEVEL_NEVER,
		.boot_reference = LEVEL_NEVER,
		.hardware_report = LEVEL_MAY,
	},
	[LEVEL_VTPM] = {
		.least_grant = LEVEL_VTPM,
		.ak_chain = LEVEL_NEVER,
		.boot_log = LEVEL_BOOT_FIXED,
		.boot_reference = LEVEL_NEVER,
		.hardware_report = LEVEL_MAY,
	},
	[LEVEL_CONFIDENTIAL] = {
		.least_grant = LEVEL_VTPM,
		.ak_chain = LEVEL_BY_HARDWARE,
		.boot_log = LEVEL_NEVER,
		.boot_reference = LEVEL_NEVER,
		.hardware_report = LEVEL_NEVER,
	},
};

/* Checks that may be skipped in every row: what was not asked for or not configured. */
static const bool level_optional[CHECK_COUNT] = {
	[CHECK_TIME_PROOF] = true,
	[CHECK_COMMIT_SIGNATURE] = true,
	[CHECK_FILES_OUTPUTS] = true,
	[CHECK_FILES_INPUTS] = true,
	[CHECK_CHAIN_INPUTS] = true,
	[CHECK_REVOCATION] = true,
	[CHECK_POLICY] = true,
};

static enum level_skip
level_rule(const struct level_row *row, enum verdict_check c)
{
	switch (c) {
	case CHECK_AK_CHAIN:
		return row->ak_chain;
	case CHECK_BOOT_LOG:
		return row->boot_log;
	case CHECK_BOOT_REFERENCE:
		return row->boot_reference;
	case CHECK_HARDWARE_REPORT:
		return row->hardware_report;
	default:
		return level_optional[c] ? LEVEL_MAY : LEVEL_NEVER;
	}
}

static bool
level_passed(const struct verdict_item checks[CHECK_COUNT], enum verdict_check c)
{
	return checks[c].result == VERDICT_PASS;
}

static bool
level_check_ok(const struct level_row *row, enum verdict_check c,
    const struct verdict_item checks[CHECK_COUNT], const struct level_facts *facts)
{
	if (checks[c].result != VERDICT_SKIP)
		return checks[c].result == VERDICT_PASS;
	if (checks[c].missing)
		return false;
	switch (level_rule(row, c)) {
	case LEVEL_NEVER:
		return false;
	case LEVEL_MAY:
		return true;
	case LEVEL_BOOT_FIXED:
		return level_passed(checks, CHECK_BOOT_REFERENCE) && facts->boot_fixed;
	case LEVEL_BY_HARDWARE:
		return level_passed(checks, CHECK_HARDWARE_REPORT);
	}
	return false;
}

/* Software TPMs, also those that look like hardware from inside, and unmeasured images stay
 * simulated whatever vouches for them. */
static bool
level_root_ok(enum verdict_level level, const struct verdict_item checks[CHECK_COUNT],
    const struct level_facts *facts)
{
	const struct level_row *row = &level_rows[level];

	if (level == LEVEL_SIMULATED)
		return true;
	if (facts->tpm != EVENT_TPM_DEVICE || facts->emulated || !facts->image_measured)
		return false;
	if (level == LEVEL_CONFIDENTIAL && facts->hardware_grant < LEVEL_CONFIDENTIAL)
		return false;
	if (level_passed(checks, CHECK_AK_CHAIN))
		return facts->ak_grant >= row->least_grant;
	return row->ak_chain == LEVEL_BY_HARDWARE;
}

bool
level_reached(enum verdict_level level, const struct verdict_item checks[CHECK_COUNT],
    const struct level_facts *facts)
{
	if (level < LEVEL_SIMULATED || level > LEVEL_CONFIDENTIAL ||
	    !level_root_ok(level, checks, facts))
		return false;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (facts->counts[c] && !level_check_ok(&level_rows[level], c, checks, facts))
			return false;
	}
	return true;
}

enum verdict_level
level_of(const struct verdict_item checks[CHECK_COUNT], const struct level_facts *facts)
{
	for (enum verdict_level l = LEVEL_CONFIDENTIAL; l >= LEVEL_SIMULATED; l--) {
		if (level_reached(l, checks, facts))
			return l;
	}
	return LEVEL_NONE;
}
