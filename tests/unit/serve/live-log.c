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

/* Another process, after the writer was killed: it has the file alone. */
START_TEST(a_log_is_read_without_its_writer)
{
	struct live_log l = {.fd = memfd_create("log", MFD_CLOEXEC), .half = 8}, again;
	uint64_t trailer[2];
	char all[100];

	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)(i + 1);
	for (size_t at = 0, n = 1; at < sizeof all; at += n, n = n % 19 + 1) {
		if (n > sizeof all - at)
			n = sizeof all - at;
		live_log_add(&l, all + at, n);
		again = (struct live_log){.fd = l.fd, .half = 8};
		live_log_recover(&again);
		ck_assert_uint_eq(again.size, at + n);
		ck_assert_uint_eq(again.lost, 0);
		check(&again, all);
	}
	/* killed after it had said that 3 more come, and had written 2 of them over the oldest */
	trailer[0] = 100;
	trailer[1] = 103;
	ck_assert_int_eq(pwrite(l.fd, trailer, sizeof trailer, 16), sizeof trailer);
	ck_assert_int_eq(pwrite(l.fd, "!!", 2, 8 + (100 - 8) % 8), 2);
	live_log_recover(&again);
	ck_assert_uint_eq(again.size, 100);
	ck_assert_uint_eq(live_log_dropped(&again), 87);
	ck_assert_uint_eq(live_log_next(&again, 8), 95);
	check(&again, all);
	/* nonsense: the head is what is known */
	trailer[1] = 99;
	ck_assert_int_eq(pwrite(l.fd, trailer, sizeof trailer, 16), sizeof trailer);
	live_log_recover(&again);
	ck_assert_uint_eq(again.size, 8);
	check(&again, all);
	ck_assert_int_eq(ftruncate(l.fd, 20), 0);
	live_log_recover(&again);
	ck_assert_uint_eq(again.size, 8);
	ck_assert_int_eq(ftruncate(l.fd, 5), 0);
	live_log_recover(&again);
	ck_assert_uint_eq(again.size, 5);
	check(&again, all);
	close(l.fd);
	again.fd = -1;
	live_log_recover(&again);
	ck_assert_uint_eq(again.size, 0);
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
	tcase_add_test(tc, a_log_is_read_without_its_writer);
	tcase_add_test(tc, what_cannot_be_written_is_dropped);
}
