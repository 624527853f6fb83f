/* The token file. */
#include "fuzz.h"

#include <string.h>
#include "serve/principal.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct principal_list l;
	struct err e;

	if (principal_parse(data, len, &l, &e) != 0)
		return 0;
	for (size_t i = 0; i < l.count; i++) {
		const struct principal *p = &l.items[i];

		if (p->name[0] == '\0' || p->rights == 0 || (p->rights & ~PRINCIPAL_ALL) != 0 ||
		    principal_find(&l, p->is_key, p->digest) != p)
			abort();
	}
	principal_list_free(&l);
	return 0;
}
