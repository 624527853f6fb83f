/* Time stamps: with no authority pinned, nothing is one. */
#include "fuzz.h"

#include "crypto/time-stamp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct time_stamp_request rq = {.data = data, .len = len};
	int64_t time = 0;
	size_t anchor = 0;
	struct err e;
	bool ok;

	if (time_stamp_judge(&rq, &ok, &time, &anchor, &reason, &e) != 0 || ok || reason.len == 0 ||
	    time != 0)
		abort();
	return 0;
}
