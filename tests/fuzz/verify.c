#include "fuzz.h"

#include "verify/verify.h"

/* Nobody here has a TPM's key: whatever the bytes say, they do not pass. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct verify_request rq = {
		.data = data,
		.len = len,
		.required = LEVEL_SIMULATED,
		.time = 1780000000,
		.time_source = "--at",
		.chain = VERIFY_CHAIN_JUDGED,
	};
	struct verdict *v;
	struct err e;

	if (oid_from_data(&rq.id, data, len, &e) != 0 || verify_certificate(&rq, &v, &e) != 0 ||
	    v->answer == ANSWER_PASS || v->level != LEVEL_NONE)
		abort();
	verdict_free(v);
	return 0;
}
