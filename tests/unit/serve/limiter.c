#include "serve/limiter.h"

#include "unit.h"

START_TEST(ten_failures_a_minute)
{
	struct limiter *l;
	struct err e;

	UNIT_OK(limiter_new(&l, &e), &e);
	for (int i = 0; i < LIMITER_FAILURES; i++) {
		ck_assert_uint_eq(limiter_wait(l, "192.0.2.1", 100 + i), 0);
		limiter_failed(l, "192.0.2.1", 100 + i);
	}
	ck_assert_uint_eq(limiter_wait(l, "192.0.2.1", 110), LIMITER_WINDOW_S - 10);
	ck_assert_uint_eq(limiter_wait(l, "192.0.2.2", 110), 0); /* another address */
	ck_assert_uint_eq(limiter_wait(l, "192.0.2.1", 159), 1);
	ck_assert_uint_eq(limiter_wait(l, "192.0.2.1", 160), 0);
	limiter_failed(l, "192.0.2.1", 160); /* a window of its own */
	ck_assert_uint_eq(limiter_wait(l, "192.0.2.1", 161), 0);
	limiter_free(l);
}
END_TEST

START_TEST(a_site_of_ipv6_is_one)
{
	struct limiter *l;
	char address[64];
	struct err e;

	UNIT_OK(limiter_new(&l, &e), &e);
	for (int i = 0; i < LIMITER_FAILURES; i++) {
		snprintf(address, sizeof address, "2001:db8:1:2::%x", i);
		limiter_failed(l, address, 5);
	}
	ck_assert_uint_gt(limiter_wait(l, "2001:db8:1:2:ffff::1", 6), 0);
	ck_assert_uint_eq(limiter_wait(l, "2001:db8:1:3::1", 6), 0);
	limiter_free(l);
}
END_TEST

START_TEST(many_addresses_are_bounded)
{
	struct limiter *l;
	char address[64];
	struct err e;

	UNIT_OK(limiter_new(&l, &e), &e);
	for (int i = 0; i < 3 * LIMITER_ADDRESSES; i++) {
		snprintf(address, sizeof address, "10.%d.%d.1", i / 256, i % 256);
		limiter_failed(l, address, i / 100);
	}
	for (int i = 0; i < LIMITER_FAILURES; i++)
		limiter_failed(l, "192.0.2.1", 31); /* still counts when the table is full */
	ck_assert_uint_gt(limiter_wait(l, "192.0.2.1", 31), 0);
	limiter_free(l);
}
END_TEST

UNIT_SUITE(serve_limiter)
{
	tcase_add_test(tc, ten_failures_a_minute);
	tcase_add_test(tc, a_site_of_ipv6_is_one);
	tcase_add_test(tc, many_addresses_are_bounded);
}
