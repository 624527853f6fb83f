/*
 * Claim levels (aicert-certificate(5) section 8): the highest row whose
 * required checks all passed.  A check that failed fails every row.
 */
#ifndef VERIFY_LEVEL_H
#define VERIFY_LEVEL_H

#include "object/event.h"
#include "verify/verdict.h"

struct level_facts {
	enum event_tpm tpm;
	enum verdict_level ak_grant;       /* of the entry the AK's chain ends at, if it passed */
	enum verdict_level hardware_grant; /* of the entry the hardware report ends at, if it passed */
	bool image_measured;               /* input_image is not null */
	bool emulated;                     /* booted where the TPM is a program of whoever started it */
	bool boot_fixed;                   /* boot.reference compared fixed values only */
	/* Checks that count; others are not looked at (an identity has no events). */
	bool counts[CHECK_COUNT];
};

enum verdict_level level_of(const struct verdict_item checks[CHECK_COUNT],
    const struct level_facts *facts);
/* One level alone: would it be reached, higher ones aside? */
bool level_reached(enum verdict_level level, const struct verdict_item checks[CHECK_COUNT],
    const struct level_facts *facts);

#endif
