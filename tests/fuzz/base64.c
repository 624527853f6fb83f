#include "fuzz.h"

#include "codec/base64.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	CLEANUP(buf_free) struct buf again = BUF_INIT;

	if (base64_decode(&bytes, (const char *)data, len, NULL) != 0)
		return 0;
	base64_encode(&again, bytes.data, bytes.len);
	fuzz_same(data, len, again.data, again.len);
	return 0;
}
