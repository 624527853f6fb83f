#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/dir-walk.h"

static int
dir_walk_home(void)
{
	int fd = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
dir_walk_touch(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "%s", name);
	close(fd);
}

/* The order of a tree is that of the raw bytes, high ones last. */
START_TEST(test_dir_walk_sorted)
{
	static const char *const names[] = {
		"\x01", " ", "-", "...", "A", "B", "a", "a-b", "a.b", "aa", "z", "\xc3\xa9", "\xff",
	};
	size_t count = sizeof names / sizeof names[0];
	struct dir_walk w;
	struct err e;
	int fd = dir_walk_home();

	for (size_t i = count; i-- > 0;)
		dir_walk_touch(fd, names[i]);
	UNIT_OK(dir_walk_list(fd, ".", 100, &w, &e), &e);
	ck_assert_uint_eq(w.count, count);
	for (size_t i = 0; i < count; i++)
		ck_assert_str_eq(w.names[i], names[i]);
	dir_walk_free(&w);
	ck_assert_uint_eq(w.count, 0);
	dir_walk_free(&w);
	close(fd);
}
END_TEST

START_TEST(test_dir_walk_empty)
{
	struct dir_walk w = {.count = 7};
	struct err e;
	int fd = dir_walk_home();

	ck_assert_int_eq(mkdirat(fd, "empty", 0755), 0);
	UNIT_OK(dir_walk_list(fd, "empty", 0, &w, &e), &e);
	ck_assert_uint_eq(w.count, 0);
	dir_walk_free(&w);
	close(fd);
}
END_TEST

/* Exactly the bound passes; one entry more does not. */
START_TEST(test_dir_walk_bound)
{
	struct dir_walk w = {.count = 7};
	struct err e;
	char name[16];
	int fd = dir_walk_home();

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "%03d", i);
		dir_walk_touch(fd, name);
	}
	UNIT_FAILS(dir_walk_list(fd, ".", 199, &w, &e), &e, ERR_LIMIT);
	ck_assert_uint_eq(w.count, 7);
	UNIT_OK(dir_walk_list(fd, ".", 200, &w, &e), &e);
	ck_assert_uint_eq(w.count, 200);
	ck_assert_str_eq(w.names[199], "199");
	dir_walk_free(&w);
	close(fd);
}
END_TEST

START_TEST(test_dir_walk_refuses)
{
	struct dir_walk w = {.count = 7};
	struct err e;
	int fd = dir_walk_home();

	dir_walk_touch(fd, "file");
	ck_assert_int_eq(symlinkat(".", fd, "link"), 0);
	ck_assert_int_eq(mkfifoat(fd, "fifo", 0644), 0);
	UNIT_FAILS(dir_walk_list(fd, "missing", 9, &w, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(dir_walk_list(fd, "file", 9, &w, &e), &e, ERR_IO);
	UNIT_FAILS(dir_walk_list(fd, "fifo", 9, &w, &e), &e, ERR_IO);
	UNIT_FAILS(dir_walk_list(fd, "link", 9, &w, &e), &e, ERR_DENIED);
	UNIT_FAILS(dir_walk_list(fd, "..", 9, &w, &e), &e, ERR_DENIED);
	UNIT_FAILS(dir_walk_list(fd, "/tmp", 9, &w, &e), &e, ERR_DENIED);
	ck_assert_uint_eq(w.count, 7);
	close(fd);
}
END_TEST

UNIT_SUITE(dir_walk)
{
	tcase_add_test(tc, test_dir_walk_sorted);
	tcase_add_test(tc, test_dir_walk_empty);
	tcase_add_test(tc, test_dir_walk_bound);
	tcase_add_test(tc, test_dir_walk_refuses);
}
