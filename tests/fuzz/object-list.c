#include "fuzz.h"

#include "runner/transfer-internal.h"

/* What a runner says it lacks of ten objects. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct transfer_item items[10] = {0};
	struct transfer_list asked = {.items = items, .count = 10}, got = {0};

	for (unsigned char i = 0; i < 10; i++)
		items[i].id.b[31] = i;
	if (transfer_list_decode(data, len, &asked, &got, NULL) == 0) {
		if (got.count > asked.count)
			abort();
		for (size_t i = 0; i < got.count; i++)
			if (!transfer_list_has(&asked, &got.items[i].id))
				abort();
	}
	transfer_list_free(&got);
	return 0;
}
