/* The run-time configuration: what is accepted names somebody and says when to end. */
#include "fuzz.h"

#include <string.h>
#include "serve/runtime-config.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct runtime_config c = {0};
	struct err e;

	if (runtime_config_decode(data, len, &c, &e) != 0)
		return 0;
	if (strlen(c.text) != len || memcmp(c.text, data, len) != 0 || c.principals.count == 0 ||
	    c.idle_s < RUNTIME_CONFIG_IDLE_MIN_S || c.idle_s > RUNTIME_CONFIG_IDLE_MAX_S)
		abort();
	runtime_config_free(&c);
	return 0;
}
