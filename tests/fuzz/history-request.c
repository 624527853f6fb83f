#include "fuzz.h"

#include "serve/packs.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct packs_request r;

	if (packs_decode(data, len, &r, NULL) == 0)
		packs_request_free(&r);
	return 0;
}
