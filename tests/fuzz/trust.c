#include "fuzz.h"

#include "verify/trust.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(trust_free) struct trust t = {0};
	struct err e;

	if (trust_add(&t, data, len, &e) != 0) {
		if (t.count != 0)
			abort();
		return 0;
	}
	/* the same entry twice is one too many */
	if (t.count != 1 || trust_add(&t, data, len, &e) == 0 || e.code != ERR_EXISTS || t.count != 1)
		abort();
	return 0;
}
