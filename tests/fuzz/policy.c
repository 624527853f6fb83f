#include "fuzz.h"

#include "verify/policy.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(policy_free) struct policy p = {0};
	struct err e;

	if (policy_decode(data, len, &p, &e) != 0) {
		if (p.denied != NULL || p.images != NULL)
			abort();
		return 0;
	}
	if (p.min_level == LEVEL_NONE && !p.has_ak_not_before && p.max_age == 0 && p.denied_count == 0 &&
	    p.image_count == 0)
		abort(); /* a policy demands something */
	for (size_t i = 0; i < p.denied_count; i++) {
		if (!policy_denies(&p, &p.denied[i]))
			abort();
	}
	for (size_t i = 0; i < p.image_count; i++) {
		if (!policy_allows_image(&p, p.images[i]))
			abort();
	}
	return 0;
}
