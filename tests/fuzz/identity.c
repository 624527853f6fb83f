#include "fuzz.h"

#include "runner/identity.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const unsigned char nonce[32];
	struct runner_options o = {.required = LEVEL_SIMULATED};
	struct verdict *v = NULL;
	struct identity id;

	if (identity_decode(data, len, &id, NULL) != 0)
		return 0;
	/* no mutation of the seed is by its key and has this nonce */
	if (identity_judge(&id, nonce, &o, &v, NULL) == 0)
		abort();
	verdict_free(v);
	identity_free(&id);
	return 0;
}
