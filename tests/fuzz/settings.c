/* One key of the configuration: "key=value". */
#include "fuzz.h"

#include <string.h>
#include "serve/settings.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct settings s;
	char text[4096], *value;
	struct err e;

	if (len >= sizeof text)
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	value = strchr(text, '=');
	if (value == NULL || settings_init(&s, &e) != 0)
		return 0;
	*value++ = '\0';
	if (settings_set(&s, text, value, &e) == 0 && (s.queue < 0 || s.queue > 64 || s.tpm == NULL))
		abort();
	settings_free(&s);
	return 0;
}
