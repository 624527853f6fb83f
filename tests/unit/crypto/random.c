#include "unit.h"

#include <stdbool.h>
#include <string.h>
#include "crypto/random.h"

START_TEST(random_fills_exactly)
{
	unsigned char p[600];
	struct err e;

	memset(p, 0, sizeof p);
	UNIT_OK(random_bytes(p + 1, 0, &e), &e);
	ck_assert_uint_eq(p[1], 0);
	UNIT_OK(random_bytes(p + 1, sizeof p - 2, &e), &e);
	ck_assert_uint_eq(p[0], 0);
	ck_assert_uint_eq(p[sizeof p - 1], 0);
}
END_TEST

/* Every byte place must take more than one value over 64 draws. */
START_TEST(random_varies_in_every_place)
{
	unsigned char first[32], next[32];
	bool varied[32] = {false};
	struct err e;

	UNIT_OK(random_bytes(first, sizeof first, &e), &e);
	for (int n = 0; n < 64; n++) {
		UNIT_OK(random_bytes(next, sizeof next, &e), &e);
		for (size_t i = 0; i < sizeof next; i++)
			varied[i] |= next[i] != first[i];
	}
	for (size_t i = 0; i < sizeof next; i++)
		ck_assert(varied[i]);
}
END_TEST

UNIT_SUITE(random)
{
	tcase_add_test(tc, random_fills_exactly);
	tcase_add_test(tc, random_varies_in_every_place);
}
