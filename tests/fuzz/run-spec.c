#include "fuzz.h"

#include "object/run-spec.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(jcs_freep) struct jcs *back = NULL;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct run_spec s;

	if (jcs_decode(data, len, 1u << 20, &v, NULL) != 0 || run_spec_from_jcs(v, &s, NULL) != 0)
		return 0;
	back = run_spec_to_jcs(&s);
	if (jcs_encode(back, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	run_spec_free(&s);
	return 0;
}
