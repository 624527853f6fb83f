#include "fuzz.h"

#include "object/certificate.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct certificate v;

	if (certificate_decode(data, len, &v, NULL) != 0)
		return 0;
	if (certificate_encode(&v, &again, NULL) != 0)
		abort();
	fuzz_same(data, len, again.data, again.len);
	certificate_free(&v);
	return 0;
}
