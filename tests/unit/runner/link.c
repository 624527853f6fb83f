#include "runner/link.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include "base/interrupt.h"
#include "unit.h"

static void
note(void *arg, const char *message)
{
	buf_adds(arg, message);
	buf_addc(arg, '\n');
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

START_TEST(only_the_link_is_waited_for)
{
	struct link l = {.patience_s = 100};
	struct err e;

	for (int c = ERR_NONE + 1; c < ERR_CODES_; c++) {
		struct link_retry r = {0};

		if (c == ERR_NETWORK || c == ERR_BUSY)
			continue;
		err_set(&e, (enum err_code)c, "why");
		ck_assert_int_eq(link_retry(&l, &r, &e), -1);
		ck_assert_str_eq(e.msg, "why");
	}
}
END_TEST

START_TEST(patience_ends)
{
	CLEANUP(buf_free) struct buf said = BUF_INIT;
	struct link l = {.patience_s = 2, .notice = {note, &said}};
	struct link_retry r = {0};
	double before = now();
	unsigned tries = 0;
	struct err e;

	err_set(&e, ERR_NETWORK, "no route");
	while (link_retry(&l, &r, &e) == 0)
		tries++;
	ck_assert_int_eq((int)e.code, ERR_NETWORK);
	ck_assert_str_eq(e.msg, "no route");
	ck_assert_uint_eq(tries, 3); /* after 0.25, 0.5 and 1 s */
	ck_assert(now() - before > 1.7 && now() - before < 10);
	ck_assert_str_eq(buf_str(&said), "no route; trying again in 0.5 s\nno route; trying again in"
	    " 1.0 s\n");
}
END_TEST

START_TEST(a_signal_ends_the_wait)
{
	struct link l = {.patience_s = 100};
	struct link_retry r = {.tries = 10};
	double before = now();
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	raise(SIGINT);
	err_set(&e, ERR_BUSY, "busy");
	r.since_ms = (int64_t)(before * 1000);
	UNIT_FAILS(link_retry(&l, &r, &e), &e, ERR_CANCELLED);
	ck_assert(now() - before < 5);
	l.deaf = true;
	UNIT_OK(link_sleep(&l, 10, &e), &e);
}
END_TEST

UNIT_SUITE(runner_link)
{
	tcase_add_test(tc, only_the_link_is_waited_for);
	tcase_add_test(tc, patience_ends);
	tcase_add_test(tc, a_signal_ends_the_wait);
}
