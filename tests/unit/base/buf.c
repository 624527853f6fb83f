#include "unit.h"

#include <stdint.h>
#include <string.h>
#include "base/buf.h"

START_TEST(test_buf_empty)
{
	struct buf b = BUF_INIT;
	struct err e;

	ck_assert_str_eq(buf_str(&b), "");
	UNIT_OK(buf_check(&b, &e), &e);
	buf_free(&b);
	buf_wipe(&b);
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(test_buf_append)
{
	struct buf b = BUF_INIT;
	struct err e;

	buf_adds(&b, "ab");
	buf_addc(&b, 'c');
	buf_add(&b, "\0d", 2);
	buf_addf(&b, "-%d-%s", 42, "x");
	UNIT_OK(buf_check(&b, &e), &e);
	ck_assert_uint_eq(b.len, 10);
	ck_assert_mem_eq(b.data, "abc\0d-42-x", 11); /* and the NUL not counted */
	buf_free(&b);
}
END_TEST

/* Every length across the growth steps keeps the bytes and the NUL. */
START_TEST(test_buf_grows)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < 5000; i++) {
		buf_addc(&b, (int)(i % 251));
		ck_assert_uint_eq(b.len, i + 1);
		ck_assert_uint_lt(b.len, b.cap);
		ck_assert_uint_eq(b.data[b.len], 0);
	}
	for (size_t i = 0; i < 5000; i++)
		ck_assert_uint_eq(b.data[i], i % 251);
	buf_free(&b);
}
END_TEST

/* Formatted at every length of what is there already: with room and without. */
START_TEST(test_buf_formats)
{
	for (size_t before = 0; before < 200; before++) {
		struct buf b = BUF_INIT;

		for (size_t i = 0; i < before; i++)
			buf_addc(&b, '.');
		buf_addf(&b, "%s", "0123456789abcdef");
		buf_addu(&b, before == 0 ? 0 : before == 1 ? UINT64_MAX : 1234567890123456789u);
		ck_assert_str_eq(buf_str(&b) + before, before == 0 ? "0123456789abcdef0" : before == 1 ?
		    "0123456789abcdef18446744073709551615" : "0123456789abcdef1234567890123456789");
		ck_assert_uint_eq(b.len, strlen(buf_str(&b)));
		buf_free(&b);
	}
}
END_TEST

START_TEST(test_buf_long_format)
{
	struct buf b = BUF_INIT;
	struct err e;

	buf_adds(&b, "front ");
	buf_addf(&b, "%0300d", 7);
	UNIT_OK(buf_check(&b, &e), &e);
	ck_assert_uint_eq(b.len, 306);
	ck_assert_int_eq(b.data[305], '7');
	buf_free(&b);
}
END_TEST

/* Exactly the ceiling fits; one byte more fails, and the failure sticks. */
START_TEST(test_buf_ceiling)
{
	struct buf b = {.max = 8};
	struct err e;

	buf_adds(&b, "12345678");
	UNIT_OK(buf_check(&b, &e), &e);
	buf_addc(&b, '9');
	UNIT_FAILS(buf_check(&b, &e), &e, ERR_LIMIT);
	ck_assert_str_eq(buf_str(&b), "12345678");
	buf_reset(&b);
	UNIT_OK(buf_check(&b, &e), &e);
	ck_assert_str_eq(buf_str(&b), "");
	buf_addf(&b, "%d", 123456789);
	UNIT_FAILS(buf_check(&b, &e), &e, ERR_LIMIT);
	buf_adds(&b, "x"); /* would fit, but the text has a hole already */
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_ptr_null(buf_steal(&b, &e));
	UNIT_FAILS(buf_reserve(&b, 1, &e), &e, ERR_LIMIT);
	buf_free(&b);
	ck_assert_uint_eq(b.max, 8); /* the ceiling outlives the bytes */
}
END_TEST

/* Sums that would wrap are refused, whatever the ceiling says. */
START_TEST(test_buf_no_overflow)
{
	static const size_t ceilings[] = {0, SIZE_MAX / 2, SIZE_MAX - 1, SIZE_MAX};

	for (size_t i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
		struct buf b = {.max = ceilings[i]};
		struct err e;

		buf_adds(&b, "x");
		ck_assert_int_ne(buf_reserve(&b, SIZE_MAX, &e), 0);
		buf_reset(&b);
		buf_adds(&b, "x");
		ck_assert_int_ne(buf_reserve(&b, SIZE_MAX - 1, &e), 0);
		buf_reset(&b);
		ck_assert_int_ne(buf_reserve(&b, SIZE_MAX / 2 + 1, &e), 0);
		buf_free(&b);
	}
}
END_TEST

START_TEST(test_buf_reserve)
{
	struct buf b = BUF_INIT;
	struct err e;

	UNIT_OK(buf_reserve(&b, 1000, &e), &e);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_uint_gt(b.cap, 1000);
	memset(b.data, 'z', 1000);
	b.len = 1000;
	buf_adds(&b, "!");
	ck_assert_int_eq(b.data[1000], '!');
	buf_free(&b);
}
END_TEST

START_TEST(test_buf_steal)
{
	struct buf b = BUF_INIT;
	struct err e;
	char *text = buf_steal(&b, &e);

	ck_assert_str_eq(text, ""); /* of an empty one: an empty text, not NULL */
	free(text);
	buf_adds(&b, "mine");
	text = buf_steal(&b, &e);
	ck_assert_str_eq(text, "mine");
	ck_assert_ptr_null(b.data);
	ck_assert_uint_eq(b.len, 0);
	free(text);
	buf_free(&b);
}
END_TEST

START_TEST(test_buf_strings)
{
	struct err e;
	char *copy = buf_strdup("text", &e);
	char *made = buf_strfmt(&e, "%s-%d", copy, 5);

	ck_assert_str_eq(copy, "text");
	ck_assert_str_eq(made, "text-5");
	free(copy);
	free(made);
}
END_TEST

UNIT_SUITE(buf)
{
	tcase_add_test(tc, test_buf_empty);
	tcase_add_test(tc, test_buf_append);
	tcase_add_test(tc, test_buf_grows);
	tcase_add_test(tc, test_buf_formats);
	tcase_add_test(tc, test_buf_long_format);
	tcase_add_test(tc, test_buf_ceiling);
	tcase_add_test(tc, test_buf_no_overflow);
	tcase_add_test(tc, test_buf_reserve);
	tcase_add_test(tc, test_buf_steal);
	tcase_add_test(tc, test_buf_strings);
}
