#include "fuzz.h"

#include "crypto/hash.h"
#include "store/stat-cache-row.h"

/* The input is a row without its digest, which no mutation would ever hit. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf row = BUF_INIT;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	const struct stat_cache_key key = {2049, 77, 0};
	unsigned char digest[HASH_SHA256_SIZE];
	struct stat_cache_row v;
	size_t used;

	if (hash_once(HASH_SHA256, data, len, digest, NULL) != 0)
		abort();
	buf_add(&row, data, len);
	buf_add(&row, digest, sizeof digest);
	if (stat_cache_row_decode(&key, row.data, row.len, &v, NULL) != 0)
		return 0;
	if (stat_cache_row_encode(&key, &v.whole, v.entries, v.count, &again, &used, NULL) != 0 || used != v.count)
		abort();
	fuzz_same(row.data, row.len, again.data, again.len);
	stat_cache_row_free(&v);
	return 0;
}
