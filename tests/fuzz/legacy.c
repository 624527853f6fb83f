#include "fuzz.h"

#include "verify/legacy-verdict.h"

/* Whatever it is: a verdict, and never a good one. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct legacy_verdict_request rq = {.subject = "fuzz", .json = data, .len = len,
	    .time = 1763900000, .time_source = "now"};
	struct verdict *v;
	int generation;
	struct err e;

	if (legacy_verdict(&rq, &v, &generation, &e) != 0)
		abort();
	if (v->answer != ANSWER_FAIL || v->level != LEVEL_NONE ||
	    v->checks[CHECK_AK_CHAIN].result == VERDICT_PASS ||
	    v->checks[CHECK_INPUTS_LOG].result == VERDICT_PASS)
		abort();
	verdict_free(v);
	return 0;
}
