#include "serve/live-log.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "unit.h"

/* Every byte that is kept, by its place in the log. */
static void
check(const struct live_log *l, const char *all)
{
	uint64_t kept = 0;
	char byte;

	for (uint64_t at = 0; (at = live_log_next(l, at)) < l->size; at++, kept++) {
		ck_assert_int_eq(live_log_read(l, at, &byte, 1), 1);
		ck_assert_int_eq(byte, all[at]);
	}
	ck_assert_uint_eq(kept + live_log_dropped(l), l->size);
}

START_TEST(head_and_tail_are_kept)
{
	struct live_log l = {.fd = memfd_create("log", MFD_CLOEXEC), .half = 8};
	char all[100], got[32];

	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(i + 1);
	/* in pieces of every size */
	for (size_t at = 0, n = 1; at < sizeof all; at += n, n = n % 19 + 1) {
		if (n > sizeof all - at)
			n = sizeof all - at;
		live_log_add(&l, all + at, n);
		ck_assert_uint_eq(l.size, at + n);
		check(&l, all);
	}
	ck_assert_uint_eq(live_log_dropped(&l), 84);
	ck_assert_uint_eq(live_log_next(&l, 7), 7);
	ck_assert_uint_eq(live_log_next(&l, 8), 92);
	ck_assert_uint_eq(live_log_next(&l, 91), 92);
	ck_assert_uint_eq(live_log_next(&l, 1000), 100);
	ck_assert_int_eq(live_log_read(&l, 0, got, sizeof got), 8); /* no further than the head */
	ck_assert_int_eq(live_log_read(&l, 100, got, sizeof got), 0);
	ck_assert_int_eq(ftruncate(l.fd, 0), 0);
	ck_assert_int_eq(live_log_read(&l, 0, got, sizeof got), -1);
	close(l.fd);
}
END_TEST

START_TEST(what_cannot_be_written_is_dropped)
{
	struct live_log l = {.fd = -1, .half = 8};

	live_log_add(&l, "abc", 3);
	ck_assert_uint_eq(l.size, 0);
}
END_TEST

UNIT_SUITE(serve_live_log)
{
	tcase_add_test(tc, head_and_tail_are_kept);
	tcase_add_test(tc, what_cannot_be_written_is_dropped);
}
