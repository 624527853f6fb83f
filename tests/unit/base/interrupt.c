#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/interrupt.h"

/* Each test is a process of its own (Check forks), so nothing leaks between them. */
static const int interrupt_signals[] = {SIGINT, SIGTERM, SIGHUP};

START_TEST(test_interrupt_quiet)
{
	struct err e;

	ck_assert_int_eq(interrupt_fd(), -1);
	UNIT_OK(interrupt_check(&e), &e);
	UNIT_OK(interrupt_install(&e), &e);
	ck_assert(!interrupt_pending());
	UNIT_OK(interrupt_check(&e), &e);
	ck_assert_int_ge(interrupt_fd(), 0);
}
END_TEST

START_TEST(test_interrupt_signal)
{
	struct pollfd p;
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	p = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
	ck_assert_int_eq(poll(&p, 1, 0), 0);
	errno = 77;
	ck_assert_int_eq(raise(interrupt_signals[_i]), 0);
	ck_assert_int_eq(errno, 77);
	ck_assert(interrupt_pending());
	UNIT_FAILS(interrupt_check(&e), &e, ERR_CANCELLED);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
}
END_TEST

START_TEST(test_interrupt_install_twice)
{
	struct err e;
	int fd;

	UNIT_OK(interrupt_install(&e), &e);
	fd = interrupt_fd();
	UNIT_OK(interrupt_install(&e), &e);
	ck_assert_int_eq(interrupt_fd(), fd);
}
END_TEST

/* A pipe nobody reads fills up; the handler must not block then. */
START_TEST(test_interrupt_flood)
{
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	for (int i = 0; i < 70000; i++)
		ck_assert_int_eq(raise(SIGINT), 0);
	ck_assert(interrupt_pending());
}
END_TEST

static int
interrupt_countdown(void *arg, struct err *e)
{
	int *left = arg;

	return (*left)-- > 0 ? 0 : err_set(e, ERR_CANCELLED, "enough");
}

/* A reason of the thread's own stops reads, also endless ones. */
START_TEST(test_interrupt_watch)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC), left = 3, reads = 0;
	char block[16];
	struct err e;
	size_t n;

	interrupt_watch(interrupt_countdown, &left);
	while (fd_read_upto(fd, block, sizeof block, &n, "zero", &e) == 0)
		reads++;
	ck_assert_int_eq(reads, 3);
	ck_assert_int_eq(e.code, ERR_CANCELLED);
	UNIT_FAILS(interrupt_check(&e), &e, ERR_CANCELLED);
	ck_assert(!interrupt_pending());
	interrupt_watch(NULL, NULL);
	UNIT_OK(interrupt_check(&e), &e);
	UNIT_OK(fd_read_upto(fd, block, sizeof block, &n, "zero", &e), &e);
	close(fd);
}
END_TEST

UNIT_SUITE(interrupt)
{
	tcase_add_test(tc, test_interrupt_watch);
	tcase_add_test(tc, test_interrupt_quiet);
	tcase_add_loop_test(tc, test_interrupt_signal, 0,
	    sizeof interrupt_signals / sizeof interrupt_signals[0]);
	tcase_add_test(tc, test_interrupt_install_twice);
	tcase_add_test(tc, test_interrupt_flood);
}
