#include "store/reflog.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "unit.h"
#include "base/fd.h"
#include "store/fixture.h"

static const struct reflog_entry sample = {.has_new = true, .author = "A B <a@b>", .time = 1700000000,
    .message = "first"};

struct lines {
	struct reflog_entry entries[8];
	char authors[8][32], messages[8][64];
	int count;
};

static int
keep(void *arg, const struct reflog_entry *entry)
{
	struct lines *l = arg;

	l->entries[l->count] = *entry;
	snprintf(l->authors[l->count], 32, "%s", entry->author);
	snprintf(l->messages[l->count++], 64, "%s", entry->message);
	return 0;
}

START_TEST(reflog_round_trip)
{
	struct reflog_entry entry = sample;
	struct lines l = {.count = 0};
	struct fixture f;
	size_t bad;
	struct err e;

	fixture_open(&f);
	UNIT_OK(reflog_each(f.s, "refs/heads/a/b", keep, &l, &bad, &e), &e);
	ck_assert(l.count == 0 && bad == 0);
	memset(&entry.new_, 0xab, sizeof entry.new_);
	UNIT_OK(reflog_append(f.s, "refs/heads/a/b", &entry, &e), &e);
	entry.has_old = true;
	entry.old = entry.new_;
	memset(&entry.new_, 0xcd, sizeof entry.new_);
	entry.author = "Evil\nName\t<x>";
	entry.message = "two\nlines\tand a tab";
	UNIT_OK(reflog_append(f.s, "refs/heads/a/b", &entry, &e), &e);
	UNIT_OK(reflog_each(f.s, "refs/heads/a/b", keep, &l, &bad, &e), &e);
	ck_assert_int_eq(l.count, 2);
	ck_assert_uint_eq(bad, 0);
	ck_assert(!l.entries[0].has_old && l.entries[0].has_new);
	ck_assert_str_eq(l.authors[0], "A B <a@b>");
	ck_assert_int_eq(l.entries[0].time, 1700000000);
	ck_assert(l.entries[1].has_old && oid_equal(&l.entries[1].old, &l.entries[0].new_));
	ck_assert(oid_equal(&l.entries[1].new_, &entry.new_));
	ck_assert_str_eq(l.authors[1], "Evil Name <x>");
	ck_assert_str_eq(l.messages[1], "two lines\tand a tab");
	fixture_close(&f);
}
END_TEST

/* A line of which a crash left any part does not harm the next one. */
START_TEST(reflog_torn_at_every_length)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(reflog_append(f.s, "refs/heads/a", &sample, &e), &e);
	fixture_read(store_dirfd(f.s), "logs/refs/heads/a", &text);
	for (size_t len = 0; len <= text.len; len++) {
		struct lines l = {.count = 0};
		size_t bad;

		fixture_write(&f, ".aicert/logs/refs/heads/a", text.data, len);
		UNIT_OK(reflog_append(f.s, "refs/heads/a", &sample, &e), &e);
		UNIT_OK(reflog_each(f.s, "refs/heads/a", keep, &l, &bad, &e), &e);
		ck_assert_int_ge(l.count, 1);
		ck_assert_str_eq(l.messages[l.count - 1], "first");
		ck_assert_uint_eq((size_t)l.count + bad, len == 0 ? 1 : 2);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(reflog_refuses)
{
	struct fixture f;
	struct err e;
	size_t bad;

	fixture_open(&f);
	UNIT_FAILS(reflog_append(f.s, "../../x", &sample, &e), &e, ERR_USAGE);
	UNIT_FAILS(reflog_each(f.s, "HEAD/../x", NULL, NULL, &bad, &e), &e, ERR_USAGE);
	ck_assert_int_eq(symlinkat("/tmp", store_dirfd(f.s), "logs/refs"), 0);
	UNIT_FAILS(reflog_append(f.s, "refs/heads/x", &sample, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

START_TEST(reflog_garbage_is_counted)
{
	static const char text[] = "garbage\n\n"
	    "0 0 A <a> 2024-01-01T00:00:00Z\tx\n"
	    "0000000000000000000000000000000000000000000000000000000000000000 "
	    "00000000000000000000000000000000000000000000000000000000000000zz A 2024-01-01T00:00:00Z\tx\n"
	    "0000000000000000000000000000000000000000000000000000000000000000 "
	    "1111111111111111111111111111111111111111111111111111111111111111 A 2024-01-01\tx\n"
	    "0000000000000000000000000000000000000000000000000000000000000000 "
	    "1111111111111111111111111111111111111111111111111111111111111111 A 2024-01-01T00:00:00Z\tok\n";
	struct lines l = {.count = 0};
	struct fixture f;
	struct err e;
	size_t bad;

	fixture_open(&f);
	UNIT_OK(store_make_dirs(f.s, "logs/refs/heads", &e), &e);
	fixture_write(&f, ".aicert/logs/refs/heads/a", text, sizeof text - 1);
	UNIT_OK(reflog_each(f.s, "refs/heads/a", keep, &l, &bad, &e), &e);
	ck_assert_int_eq(l.count, 1);
	ck_assert_uint_eq(bad, 5);
	ck_assert_str_eq(l.messages[0], "ok");
	fixture_close(&f);
}
END_TEST

static int
count(void *arg, const struct reflog_entry *entry)
{
	size_t *n = arg;

	(void)entry;
	++*n;
	return 0;
}

/* NULs, as a file system leaves them after a power loss, hide nothing. */
START_TEST(reflog_nul)
{
	static const char nul[50] = "";
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct lines l = {.count = 0};
	struct fixture f;
	struct err e;
	size_t bad;

	fixture_open(&f);
	UNIT_OK(reflog_append(f.s, "refs/heads/a", &sample, &e), &e);
	fixture_read(store_dirfd(f.s), "logs/refs/heads/a", &text);
	buf_add(&text, nul, sizeof nul);
	fixture_write(&f, ".aicert/logs/refs/heads/a", text.data, text.len);
	UNIT_OK(reflog_append(f.s, "refs/heads/a", &sample, &e), &e);
	UNIT_OK(reflog_each(f.s, "refs/heads/a", keep, &l, &bad, &e), &e);
	ck_assert_int_eq(l.count, 2);
	ck_assert_uint_eq(bad, 1);
	/* in a line that would parse otherwise */
	text.len = strcspn(buf_str(&text), "\n");
	text.data[text.len - 1] = '\0';
	fixture_write(&f, ".aicert/logs/refs/heads/a", text.data, text.len);
	UNIT_OK(reflog_each(f.s, "refs/heads/a", keep, &l, &bad, &e), &e);
	ck_assert_int_eq(l.count, 2);
	ck_assert_uint_eq(bad, 1);
	fixture_close(&f);
}
END_TEST

/* However long a log is, and a line of it. */
START_TEST(reflog_long)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_free) struct buf text = BUF_INIT, many = BUF_INIT;
	struct fixture f;
	struct err e;
	size_t n = 0, bad, blocks = 0;

	fixture_open(&f);
	UNIT_OK(reflog_append(f.s, "refs/heads/a", &sample, &e), &e);
	fixture_read(store_dirfd(f.s), "logs/refs/heads/a", &text);
	for (size_t i = 0; i < 10000; i++)
		buf_add(&many, text.data, text.len);
	fd = openat(store_dirfd(f.s), "logs/refs/heads/a", O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	for (; blocks * many.len <= 65u * 1024 * 1024; blocks++)
		UNIT_OK(fd_write_all(fd, many.data, many.len, "log", &e), &e);
	UNIT_OK(reflog_each(f.s, "refs/heads/a", count, &n, &bad, &e), &e);
	ck_assert_uint_eq(n, blocks * 10000 + 1);
	ck_assert_uint_eq(bad, 0);
	/* a line of 2 MiB is none; the next one is */
	memset(many.data, 'x', many.len);
	for (size_t len = 0; len < 2 * 1024 * 1024; len += many.len)
		UNIT_OK(fd_write_all(fd, many.data, many.len, "log", &e), &e);
	UNIT_OK(fd_write_all(fd, "\n", 1, "log", &e), &e);
	UNIT_OK(reflog_append(f.s, "refs/heads/a", &sample, &e), &e);
	n = 0;
	UNIT_OK(reflog_each(f.s, "refs/heads/a", count, &n, &bad, &e), &e);
	ck_assert_uint_eq(n, blocks * 10000 + 2);
	ck_assert_uint_eq(bad, 1);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(reflog)
{
	tcase_add_test(tc, reflog_round_trip);
	tcase_add_test(tc, reflog_torn_at_every_length);
	tcase_add_test(tc, reflog_refuses);
	tcase_add_test(tc, reflog_garbage_is_counted);
	tcase_add_test(tc, reflog_nul);
	tcase_add_test(tc, reflog_long);
}
