#include "fuzz.h"

#include "object/event.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct event ev;

	if (event_decode((const char *)data, len, &ev, NULL) != 0)
		return 0;
	if (event_encode(&ev, NULL) != 0)
		abort();
	fuzz_same(data, len, ev.text, ev.len);
	event_free(&ev);
	return 0;
}
