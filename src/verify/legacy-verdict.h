/*
 * What an attestation of the original AICert is worth (aicert-verify(1)): its
 * quote is judged as any other, and every check of a certificate that it cannot
 * satisfy fails by name.  The verdict is fail and the level is null, always; a
 * check that passed says only what it says.
 */
#ifndef VERIFY_LEGACY_VERDICT_H
#define VERIFY_LEGACY_VERDICT_H

#include "verify/trust.h"
#include "verify/verdict.h"

struct legacy_verdict_request {
	const char *subject;
	const void *json;
	size_t len;
	const struct trust *trust;
	int64_t time;
	const char *time_source;
};

/* *ret_generation: 1, 2, or 0 for a document that is none. */
int legacy_verdict(const struct legacy_verdict_request *rq, struct verdict **ret,
    int *ret_generation, struct err *e) MUST_CHECK;

#endif
