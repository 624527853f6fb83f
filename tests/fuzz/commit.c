#include "fuzz.h"

#include "object/commit.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct commit v;

	if (commit_decode(data, len, &v, NULL) != 0)
		return 0;
	if (commit_encode(&v, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	commit_free(&v);
	return 0;
}
