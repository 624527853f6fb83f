/* The documents that requests carry; each is strict about its mediaType, so all get all. */
#include "fuzz.h"

#include "serve/hub.h"
#include "serve/objects.h"
#include "serve/run-request.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct run_spec spec = {0};
	struct object_ref ref;
	unsigned char nonce[32];
	struct jcs *list = NULL;
	struct err e;

	if (hub_decode(data, len, "refs/heads/main", &ref, &e) == 0 && ref.type > OBJECT_EVIDENCE)
		abort();
	if (objects_decode(data, len, &list, &e) == 0) {
		if (jcs_length(jcs_get(list, "objects")) > OBJECTS_MAX)
			abort();
		jcs_free(list);
	}
	if (run_request_decode(data, len, nonce, &spec, &e) == 0) {
		if (spec.command_count == 0)
			abort();
		run_spec_free(&spec);
	}
	return 0;
}
