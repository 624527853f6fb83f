#include "unit.h"

#include <string.h>
#include "base/path.h"

static const char *const path_good[] = {
	"a", "train.py", "data/words.txt", "a/b/c/d", ".hidden", "...", "..a", "a..", ".git2",
	".gitignore", "git", ".aicert2", "x.git", "with space", "per%20cent", "\xc3\xa9", "-dash",
	"\xe2\x82\xac/\xf0\x9f\x99\x82", "a\\b", "a:b", "~", "\xc2\xa0",
};

START_TEST(test_path_check_accepts)
{
	struct err e;

	UNIT_OK(path_check(path_good[_i], &e), &e);
}
END_TEST

static const char *const path_bad[] = {
	"", "/", "/etc/passwd", "//a", "a/", "a//b", ".", "..", "./a", "a/.", "a/..", "../a",
	"a/../b", ".git", ".GIT", ".Git/config", "a/.git", "a/.gIt/b", ".aicert", ".AICERT/HEAD",
	"a/.AiCert", "a\nb", "a\tb", "\x01", "a\x1b[2J", "a\x7f", "\xc2\x80", "a\xc2\x9b[2J",
	"\xff", "\xc3", "a/\xc0\xaf/b", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82",
	"/\x1b[2J", /* told without sending it to a terminal, see below */
};

START_TEST(test_path_check_refuses)
{
	struct err e;

	UNIT_FAILS(path_check(path_bad[_i], &e), &e, ERR_FORMAT);
	ck_assert_ptr_null(strchr(e.msg, '\x1b'));
	ck_assert(path_utf8_ok(e.msg, strlen(e.msg)));
}
END_TEST

START_TEST(test_path_check_length)
{
	char path[PATH_LEN_MAX + 2];
	struct err e;

	for (size_t i = 0; i < sizeof path; i++)
		path[i] = i % 2 == 0 ? 'a' : '/';
	path[PATH_LEN_MAX] = '\0';
	UNIT_OK(path_check(path, &e), &e);
	path[PATH_LEN_MAX - 1] = 'a';
	path[PATH_LEN_MAX] = 'a';
	path[PATH_LEN_MAX + 1] = '\0';
	UNIT_FAILS(path_check(path, &e), &e, ERR_FORMAT);
	memset(path, 'n', 256);
	path[255] = '\0';
	UNIT_OK(path_check(path, &e), &e);
	path[255] = 'n';
	path[256] = '\0';
	UNIT_FAILS(path_check(path, &e), &e, ERR_FORMAT);
}
END_TEST

/* A name in a tree is raw bytes: only what would break a tree is refused. */
START_TEST(test_path_name_ok)
{
	char name[256];

	ck_assert(path_name_ok("a", 1));
	ck_assert(path_name_ok("\xff\xfe", 2));
	ck_assert(path_name_ok("a\nb", 3));
	ck_assert(path_name_ok("...", 3));
	ck_assert(path_name_ok(".gitx", 5));
	ck_assert(!path_name_ok("", 0));
	ck_assert(!path_name_ok(".", 1));
	ck_assert(!path_name_ok("..", 2));
	ck_assert(!path_name_ok("a/b", 3));
	ck_assert(!path_name_ok("a\0b", 3));
	ck_assert(!path_name_ok(".git", 4));
	ck_assert(!path_name_ok(".GIT", 4));
	ck_assert(!path_name_ok(".aicert", 7));
	ck_assert(!path_name_ok(".AIcert", 7));
	memset(name, 'x', sizeof name);
	ck_assert(path_name_ok(name, 255));
	ck_assert(!path_name_ok(name, 256));
}
END_TEST

START_TEST(test_path_covers)
{
	ck_assert(path_covers("x", "x"));
	ck_assert(path_covers("x", "x/y"));
	ck_assert(path_covers("x/y", "x/y/z"));
	ck_assert(!path_covers("x", "xy"));
	ck_assert(!path_covers("x/y", "x"));
	ck_assert(!path_covers("x", "y/x"));
	ck_assert(!path_covers("", "x"));
}
END_TEST

START_TEST(test_path_base)
{
	ck_assert_str_eq(path_base("a/b/c"), "c");
	ck_assert_str_eq(path_base("c"), "c");
	ck_assert_str_eq(path_base("a/"), "");
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
	bool ok;
} path_utf8[] = {
	{"", 0, true},
	{"plain", 5, true},
	{"\x7f", 1, true},
	{"\xc2\x80", 2, true},          /* first and last of each length */
	{"\xdf\xbf", 2, true},
	{"\xe0\xa0\x80", 3, true},
	{"\xef\xbf\xbf", 3, true},
	{"\xf0\x90\x80\x80", 4, true},
	{"\xf4\x8f\xbf\xbf", 4, true},
	{"\xed\x9f\xbf", 3, true},      /* around the surrogates */
	{"\xed\xa0\x80", 3, false},
	{"\xed\xbf\xbf", 3, false},
	{"\xee\x80\x80", 3, true},
	{"\x80", 1, false},             /* continuation alone */
	{"\xc0\x80", 2, false},         /* overlong */
	{"\xc1\xbf", 2, false},
	{"\xe0\x9f\xbf", 3, false},
	{"\xf0\x8f\xbf\xbf", 4, false},
	{"\xf4\x90\x80\x80", 4, false}, /* beyond U+10FFFF */
	{"\xf5\x80\x80\x80", 4, false},
	{"\xfe", 1, false},
	{"\xff", 1, false},
	{"\xc2", 1, false},             /* cut short */
	{"\xe2\x82", 2, false},
	{"\xf0\x9f\x99", 3, false},
	{"\xc2" "a", 2, false},         /* broken off */
	{"\xe2\x82" "a", 3, false},
	{"\xf0\x9f\x99" "a", 4, false},
};

START_TEST(test_path_utf8_ok)
{
	ck_assert_int_eq(path_utf8_ok(path_utf8[_i].bytes, path_utf8[_i].len), path_utf8[_i].ok);
}
END_TEST

UNIT_SUITE(path)
{
	tcase_add_loop_test(tc, test_path_check_accepts, 0, sizeof path_good / sizeof path_good[0]);
	tcase_add_loop_test(tc, test_path_check_refuses, 0, sizeof path_bad / sizeof path_bad[0]);
	tcase_add_test(tc, test_path_check_length);
	tcase_add_test(tc, test_path_name_ok);
	tcase_add_test(tc, test_path_covers);
	tcase_add_test(tc, test_path_base);
	tcase_add_loop_test(tc, test_path_utf8_ok, 0, sizeof path_utf8 / sizeof path_utf8[0]);
}
