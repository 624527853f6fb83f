#include "unit.h"

#include <errno.h>
#include <string.h>

START_TEST(test_err_set)
{
	struct err e = {0};

	ck_assert_int_eq(err_set(&e, ERR_LIMIT, "%s: %d", "name", 7), -1);
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_int_eq(e.sys, 0);
	ck_assert_str_eq(e.msg, "name: 7");
}
END_TEST

START_TEST(test_err_sys_keeps_errno)
{
	struct err e;

	errno = ENOSPC;
	ck_assert_int_eq(err_sys(&e, "file %d", 3), -1);
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_int_eq(e.sys, ENOSPC);
	ck_assert_str_eq(e.msg, "file 3: No space left on device");
	errno = ENOMEM;
	ck_assert_int_eq(err_sys(&e, "x"), -1);
	ck_assert_int_eq(e.code, ERR_NOMEM);
	ck_assert_int_eq(err_nomem(&e), -1);
	ck_assert_int_eq(e.code, ERR_NOMEM);
}
END_TEST

START_TEST(test_err_prefix)
{
	struct err e;

	err_set(&e, ERR_FORMAT, "bad");
	ck_assert_int_eq(err_prefix(&e, "line %d", 4), -1);
	ck_assert_int_eq(e.code, ERR_FORMAT);
	ck_assert_str_eq(e.msg, "line 4: bad");
}
END_TEST

/* A message of any length ends inside the array. */
START_TEST(test_err_truncates)
{
	struct err e;
	char text[4096];

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	err_set(&e, ERR_FORMAT, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	errno = EIO;
	err_sys(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	err_prefix(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	err_set(&e, ERR_FORMAT, "%s", text);
	err_prefix(&e, "front");
	ck_assert_int_eq(strncmp(e.msg, "front: xxx", 10), 0);
}
END_TEST

START_TEST(test_err_none_wanted)
{
	ck_assert_int_eq(err_set(NULL, ERR_IO, "x"), -1);
	errno = EIO;
	ck_assert_int_eq(err_sys(NULL, "x"), -1);
	ck_assert_int_eq(err_prefix(NULL, "x"), -1);
	ck_assert_int_eq(err_nomem(NULL), -1);
	err_clear(NULL);
}
END_TEST

START_TEST(test_err_clear)
{
	struct err e;

	errno = EIO;
	err_sys(&e, "x");
	err_clear(&e);
	ck_assert_int_eq(e.code, ERR_NONE);
	ck_assert_int_eq(e.sys, 0);
	ck_assert_str_eq(e.msg, "");
}
END_TEST

/* aicert(1): 0 done, 1 a definite no, 2 usage or spec, 3 undecided. */
START_TEST(test_err_exit_status)
{
	ck_assert_int_eq(err_exit_status(ERR_NONE), 0);
	for (unsigned i = 1; i < ERR_CODES_; i++) {
		int expected = 3;

		if (i == ERR_CORRUPT || i == ERR_REFUSED || i == ERR_RUNFAILED)
			expected = 1;
		if (i == ERR_USAGE || i == ERR_SPEC)
			expected = 2;
		ck_assert_msg(err_exit_status((enum err_code)i) == expected, "%s",
		    err_name((enum err_code)i));
	}
	ck_assert_int_eq(err_exit_status(ERR_CODES_), 3);
	ck_assert_int_eq(err_exit_status((enum err_code)9999), 3);
}
END_TEST

/* Every code has a name of its own and an HTTP status that is an error. */
START_TEST(test_err_table_is_whole)
{
	for (unsigned i = 0; i < ERR_CODES_; i++) {
		const char *name = err_name((enum err_code)i);
		int http = err_http_status((enum err_code)i);

		ck_assert_ptr_nonnull(name);
		ck_assert(i == ERR_NONE ? http == 200 : http >= 400 && http <= 599);
		for (unsigned k = 0; k < i; k++)
			ck_assert_str_ne(err_name((enum err_code)k), name);
	}
	ck_assert_str_eq(err_name(ERR_CODES_), "internal");
	ck_assert_int_eq(err_http_status(ERR_CODES_), 500);
	ck_assert_str_eq(err_name(ERR_NOTFOUND), "not-found");
	ck_assert_int_eq(err_http_status(ERR_NOTFOUND), 404);
	ck_assert_int_eq(err_http_status(ERR_DENIED), 403);
}
END_TEST

UNIT_SUITE(err)
{
	tcase_add_test(tc, test_err_set);
	tcase_add_test(tc, test_err_sys_keeps_errno);
	tcase_add_test(tc, test_err_prefix);
	tcase_add_test(tc, test_err_truncates);
	tcase_add_test(tc, test_err_none_wanted);
	tcase_add_test(tc, test_err_clear);
	tcase_add_test(tc, test_err_exit_status);
	tcase_add_test(tc, test_err_table_is_whole);
}
