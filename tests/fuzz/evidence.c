#include "fuzz.h"

#include "object/evidence.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct evidence v;

	if (evidence_decode(data, len, &v, NULL) != 0)
		return 0;
	if (evidence_encode(&v, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	evidence_free(&v);
	return 0;
}
