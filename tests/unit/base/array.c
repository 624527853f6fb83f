#include "unit.h"

#include <stdint.h>
#include <stdlib.h>
#include "base/array.h"

START_TEST(array_keeps_what_it_holds)
{
	uint32_t *items = NULL;
	size_t count = 0, cap = 0;
	struct err e;

	while (count < 100000) {
		UNIT_OK(ARRAY_ROOM(items, count, cap, &e), &e);
		ck_assert_uint_lt(count, cap);
		items[count] = (uint32_t)count;
		count++;
	}
	ck_assert_uint_lt(cap, 4 * count);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(items[i], i);
	free(items);
}
END_TEST

/* More than there is, and more than a size can say. */
START_TEST(array_without_memory_is_as_it_was)
{
	static const size_t most[] = {SIZE_MAX / 16, SIZE_MAX};
	struct item { char bytes[64]; } *items = malloc(sizeof *items), *before = items;
	size_t count = most[_i], cap = most[_i];
	struct err e;

	ck_assert_ptr_nonnull(items);
	UNIT_FAILS(ARRAY_ROOM(items, count, cap, &e), &e, ERR_NOMEM);
	ck_assert_ptr_eq(items, before);
	ck_assert_uint_eq(cap, most[_i]);
	free(items);
}
END_TEST

UNIT_SUITE(array)
{
	tcase_add_test(tc, array_keeps_what_it_holds);
	tcase_add_loop_test(tc, array_without_memory_is_as_it_was, 0, 2);
}
