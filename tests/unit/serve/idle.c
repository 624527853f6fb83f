#include "serve/idle.h"

#include "unit.h"

START_TEST(nobody_comes)
{
	struct idle *i;
	struct err e;

	UNIT_OK(idle_new(100, 1000, &i, &e), &e);
	ck_assert(!idle_due(i, false, 1099));
	ck_assert(idle_due(i, false, 1100));
	ck_assert(!idle_due(i, true, 1100)); /* a run is work, and begins the time anew */
	ck_assert(!idle_due(i, false, 1199));
	ck_assert(idle_due(i, false, 1200));
	idle_free(i);
}
END_TEST

START_TEST(requests_count_while_they_last)
{
	struct idle *i;
	struct err e;

	UNIT_OK(idle_new(100, 0, &i, &e), &e);
	idle_begin(i, 90);
	idle_begin(i, 90);
	idle_end(i, false, 95);
	ck_assert(!idle_due(i, false, 5000));
	idle_end(i, false, 5000);
	ck_assert(!idle_due(i, false, 5099));
	ck_assert(idle_due(i, false, 5100));
	idle_free(i);
}
END_TEST

START_TEST(a_fetched_run_is_the_end)
{
	struct idle *i;
	struct err e;

	UNIT_OK(idle_new(100, 0, &i, &e), &e);
	idle_begin(i, 10);
	idle_end(i, true, 10);
	ck_assert(!idle_due(i, false, 10 + IDLE_FETCHED_S - 1));
	idle_begin(i, 20); /* its outputs */
	idle_end(i, false, 25);
	ck_assert(!idle_due(i, false, 25 + IDLE_FETCHED_S - 1));
	ck_assert(idle_due(i, false, 25 + IDLE_FETCHED_S));
	ck_assert(!idle_due(i, true, 26)); /* where a TPM can make another run */
	ck_assert(!idle_due(i, false, 26 + IDLE_FETCHED_S));
	idle_free(i);
	UNIT_OK(idle_new(10, 0, &i, &e), &e);
	idle_begin(i, 0);
	idle_end(i, true, 0);
	ck_assert(idle_due(i, false, 10)); /* never longer than was asked for */
	idle_free(i);
}
END_TEST

UNIT_SUITE(serve_idle)
{
	tcase_add_test(tc, nobody_comes);
	tcase_add_test(tc, requests_count_while_they_last);
	tcase_add_test(tc, a_fetched_run_is_the_end);
}
