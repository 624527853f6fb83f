#include "remote/refspec.h"

#include <string.h>
#include "unit.h"

START_TEST(refspec_parses)
{
	struct refspec s;
	struct err e;

	UNIT_OK(refspec_parse("+refs/heads/*:refs/remotes/o/*", &s, &e), &e);
	ck_assert(s.force && s.pattern && s.has_dst);
	ck_assert_str_eq(s.dst, "refs/remotes/o/*");
	UNIT_OK(refspec_parse("main", &s, &e), &e);
	ck_assert(!s.force && !s.pattern && !s.has_dst);
	UNIT_OK(refspec_parse(":gone", &s, &e), &e);
	ck_assert_str_eq(s.src, "");
	ck_assert_str_eq(s.dst, "gone");
}
END_TEST

START_TEST(refspec_refused)
{
	static const char *const bad[] = {"", "+", ":", "a*:b", "a:b*", "*", "a*", "refs/*x:refs/*x",
	    "refs/heads/*/x:refs/heads/*/x", "refs/heads/*:refs/heads/x"};
	char name[REFSPEC_NAME_SIZE];
	struct refspec s;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(refspec_parse(bad[i], &s, &e) != 0, "taken: %s", bad[i]);
	UNIT_FAILS(refspec_qualify("../x", "refs/heads/", name, &e), &e, ERR_USAGE);
	UNIT_FAILS(refspec_qualify("refs/other/x", "refs/heads/", name, &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(refspec_maps)
{
	char name[REFSPEC_NAME_SIZE];
	struct refspec s;
	struct err e;

	UNIT_OK(refspec_parse("refs/heads/*:refs/remotes/o/*", &s, &e), &e);
	ck_assert(refspec_map(&s, "refs/heads/a/b", name));
	ck_assert_str_eq(name, "refs/remotes/o/a/b");
	ck_assert(!refspec_map(&s, "refs/heads/", name));
	ck_assert(!refspec_map(&s, "refs/tags/a", name));
	UNIT_OK(refspec_qualify("main", "refs/heads/", name, &e), &e);
	ck_assert_str_eq(name, "refs/heads/main");
	UNIT_OK(refspec_qualify("refs/tags/*", "refs/heads/", name, &e), &e);
	ck_assert_str_eq(name, "refs/tags/*");
}
END_TEST

UNIT_SUITE(refspec)
{
	tcase_add_test(tc, refspec_parses);
	tcase_add_test(tc, refspec_refused);
	tcase_add_test(tc, refspec_maps);
}
