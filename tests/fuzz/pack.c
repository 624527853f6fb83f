#include "fuzz.h"

#include "remote/pack.h"

/* A pack, and the same bytes as a head: what is told lies within them. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct pack p;

	if (pack_decode(data, len, true, &p, NULL) == 0) {
		for (size_t i = 0; i < p.count; i++)
			if (p.entries[i].offset > len || p.entries[i].size > len - p.entries[i].offset)
				abort();
		if (pack_head(&p, &again, NULL) != 0)
			abort();
		fuzz_same(data, p.head_len, again.data, again.len);
		pack_free(&p);
	}
	if (pack_decode(data, len, false, &p, NULL) == 0) {
		if (p.head_len != len)
			abort();
		pack_free(&p);
	}
	return 0;
}
