#include "serve/shares.h"

#include <stdio.h>
#include "unit.h"

START_TEST(each_and_all_are_bounded)
{
	struct shares *s;
	struct err e;

	UNIT_OK(shares_new(10, &s, &e), &e);
	ck_assert(shares_take(s, "a", 4, 6));
	ck_assert(!shares_take(s, "a", 3, 6));
	ck_assert(shares_take(s, "a", 2, 6));
	ck_assert(!shares_take(s, "a", 1, 6));
	ck_assert(!shares_take(s, "b", 7, 6));
	ck_assert(!shares_take(s, "b", 5, 6)); /* all together */
	ck_assert(shares_take(s, "b", 4, 6));
	ck_assert(!shares_take(s, "c", 1, 6));
	shares_give(s, "a", 6);
	ck_assert(shares_take(s, "c", 6, 6));
	shares_give(s, "nobody", 3); /* has none to give */
	ck_assert(!shares_take(s, "d", 1, 6));
	ck_assert(!shares_take(s, "d", UINT64_MAX, UINT64_MAX));
	shares_give(s, "b", 4);
	shares_give(s, "c", 6);
	ck_assert(shares_take(s, "d", 10, 10));
	shares_free(s);
	shares_free(NULL);
}
END_TEST

START_TEST(many_come_and_go)
{
	struct shares *s;
	char name[16];
	struct err e;

	UNIT_OK(shares_new(1000, &s, &e), &e);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof name, "n%d", i);
			ck_assert(shares_take(s, name, 1, 1));
			ck_assert(!shares_take(s, name, 1, 1));
		}
		ck_assert(!shares_take(s, "more", 1, 1));
		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof name, "n%d", (i * 7) % 1000);
			shares_give(s, name, 1);
		}
	}
	shares_free(s);
}
END_TEST

UNIT_SUITE(serve_shares)
{
	tcase_add_test(tc, each_and_all_are_bounded);
	tcase_add_test(tc, many_come_and_go);
}
