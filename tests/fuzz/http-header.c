#include "fuzz.h"

#include "net/http-internal.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_response r = HTTP_RESPONSE_INIT;

	/* not ended by a NUL, as libcurl hands it over */
	http_header_take((const char *)data, len, &r);
	if (r.upload_offset < -1 || r.retry_after < -1 || r.log_offset < -1 || r.range_start < -1)
		abort();
	return 0;
}
