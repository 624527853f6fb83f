#include "box.h"

#include <string.h>

START_TEST(test_sandbox_exit_code)
{
	struct box b;

	box_open(&b);
	box_run(&b, "/bin/sh", "-c", "echo out; echo err >&2; exit 7", NULL);
	ck_assert_str_eq(b.end.message, "");
	ck_assert_int_eq(b.end.reason, EVENT_EXITED);
	ck_assert(b.end.has_exit_code && !b.end.has_signal);
	ck_assert_int_eq(b.end.exit_code, 7);
	ck_assert_str_eq(buf_str(&b.output), "out\nerr\n");
	ck_assert(b.end.has_times && b.end.finished >= b.end.started);
	box_close(&b);
}
END_TEST

UNIT_SUITE(run_sandbox)
{
	tcase_add_test(tc, test_sandbox_exit_code);
}
