#include "codec/zstd.h"

#include <string.h>
#include "unit.h"

START_TEST(zstd_round)
{
	static const size_t sizes[] = {1, 255, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3000000};
	struct err e;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		CLEANUP(buf_free) struct buf packed = BUF_INIT, again = BUF_INIT;
		unsigned char *data = malloc(sizes[i] + 1);

		for (size_t k = 0; k < sizes[i]; k++)
			data[k] = (unsigned char)(k * k >> 7);
		UNIT_OK(zstd_compress(data, sizes[i], &packed, &e), &e);
		UNIT_OK(zstd_expand(packed.data, packed.len, sizes[i], &again, &e), &e);
		ck_assert_uint_eq(again.len, sizes[i]);
		ck_assert(memcmp(again.data, data, sizes[i]) == 0);
		free(data);
	}
}
END_TEST

/* One that expands to more or less than it should, one that is cut, and none at all. */
START_TEST(zstd_refused)
{
	CLEANUP(buf_free) struct buf packed = BUF_INIT, out = BUF_INIT;
	char *zeros = calloc(1, 20000000);
	struct err e;

	UNIT_OK(zstd_compress(zeros, 20000000, &packed, &e), &e);
	ck_assert_uint_lt(packed.len, 20000);
	UNIT_FAILS(zstd_expand(packed.data, packed.len, 1000, &out, &e), &e, ERR_FORMAT);
	ck_assert_uint_lt(out.cap, 1000000);
	UNIT_FAILS(zstd_expand(packed.data, packed.len, 19999999, &out, &e), &e, ERR_FORMAT);
	buf_reset(&out);
	UNIT_FAILS(zstd_expand(packed.data, packed.len, 20000001, &out, &e), &e, ERR_FORMAT);
	for (size_t len = 0; len < packed.len; len += 97) {
		buf_reset(&out);
		ck_assert_int_ne(zstd_expand(packed.data, len, 20000000, &out, &e), 0);
	}
	buf_reset(&out);
	UNIT_FAILS(zstd_expand("plain bytes\n", 12, 12, &out, &e), &e, ERR_FORMAT);
	free(zeros);
}
END_TEST

UNIT_SUITE(zstd)
{
	tcase_add_test(tc, zstd_round);
	tcase_add_test(tc, zstd_refused);
}
