#include "run/run-log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include "base/fd.h"
#include "unit.h"

static void
run_log_try(const char *const *pieces, const char *want, bool want_truncated)
{
	CLEANUP(buf_free) struct buf got = BUF_INIT;
	CLEANUP(run_log_free) struct run_log l;
	CLEANUP(cleanup_close) int fd = memfd_create("log", MFD_CLOEXEC);
	struct err e;
	bool truncated = !want_truncated;

	ck_assert_int_ge(fd, 0);
	run_log_start(&l, fd, 8);
	for (; *pieces != NULL; pieces++)
		UNIT_OK(run_log_add(&l, *pieces, strlen(*pieces), &e), &e);
	UNIT_OK(run_log_finish(&l, &truncated, &e), &e);
	ck_assert_int_eq(truncated, want_truncated);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	UNIT_OK(fd_read_all(fd, 1000, &got, "log", &e), &e);
	ck_assert_str_eq(buf_str(&got), want);
}

START_TEST(test_run_log)
{
	const char *const none[] = {NULL}, *const few[] = {"ab", "c", NULL};
	const char *const full[] = {"abcdefgh", NULL}, *const bytes[] = {"abcd", "e", "f", "gh", NULL};
	const char *const more[] = {"abcdefghi", NULL}, *const long_[] = {"abc", "defghijklmn", "opqrs", NULL};

	run_log_try(none, "", false);
	run_log_try(few, "abc", false);
	run_log_try(full, "abcdefgh", false);
	run_log_try(bytes, "abcdefgh", false);
	run_log_try(more, "abcd\n[aicert: 1 bytes of the log were not kept]\nfghi", true);
	run_log_try(long_, "abcd\n[aicert: 11 bytes of the log were not kept]\npqrs", true);
}
END_TEST

START_TEST(test_run_log_disk_full)
{
	CLEANUP(run_log_free) struct run_log l;
	CLEANUP(cleanup_close) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err e;

	ck_assert_int_ge(fd, 0);
	run_log_start(&l, fd, 8);
	UNIT_FAILS(run_log_add(&l, "x", 1, &e), &e, ERR_IO);
}
END_TEST

UNIT_SUITE(run_run_log)
{
	tcase_add_test(tc, test_run_log);
	tcase_add_test(tc, test_run_log_disk_full);
}
