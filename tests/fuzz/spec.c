#include "fuzz.h"

#include "run/spec.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct spec s;
	struct err e;

	if (spec_decode("fuzz.yaml", data, len, &s, &e) != 0) {
		if (e.code != ERR_SPEC || strncmp(e.msg, "fuzz.yaml", 9) != 0)
			abort();
		return 0;
	}
	if (s.command_count == 0 || s.output_count == 0)
		abort();
	spec_free(&s);
	return 0;
}
