#include "fuzz.h"

#include "net/http.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct http_response rs = {.status = 409, .content_type = "application/problem+json"};
	struct err e;

	buf_add(&rs.body, data, len);
	if (http_problem(&rs, "what", &e) != -1 || e.code == ERR_NONE || e.code >= ERR_CODES_)
		abort();
	/* whatever it says, it is one line of text */
	for (const char *p = e.msg; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
	http_response_free(&rs);
	return 0;
}
