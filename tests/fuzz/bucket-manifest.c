#include "fuzz.h"

#include "remote/bucket-manifest.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct bucket_manifest m;

	if (bucket_manifest_decode(data, len, &m, NULL) != 0)
		return 0;
	if (bucket_manifest_encode(&m, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	bucket_manifest_free(&m);
	return 0;
}
