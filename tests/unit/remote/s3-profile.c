#include "remote/s3-profile.h"

#include <string.h>
#include "unit.h"

static const char *
value(const char *text, const char *section, const char *key)
{
	static char ret[16];

	return s3_profile_value(text, strlen(text), section, key, ret, sizeof ret) ? ret : "(none)";
}

START_TEST(s3_profile_values)
{
	static const char text[] = "region = outside\n[default]\n# region = no\n;region=no\nregion=eu-1\n"
	    " region = nested\n[profile work]\r\nregion\t=  us-2 \r\n[other]\nregion\nregion == x=y\n[empty]";

	ck_assert_str_eq(value(text, "default", "region"), "eu-1");
	ck_assert_str_eq(value(text, "work", "region"), "us-2");
	ck_assert_str_eq(value(text, "other", "region"), "= x=y");
	ck_assert_str_eq(value(text, "profile work", "region"), "us-2");
	ck_assert_str_eq(value(text, "empty", "region"), "(none)");
	ck_assert_str_eq(value(text, "nobody", "region"), "(none)");
	ck_assert_str_eq(value(text, "default", "regio"), "(none)");
	ck_assert_str_eq(value("[a]\nk=1\n[b]\nk=2\n[a]\nk=3", "a", "k"), "3");
	ck_assert_str_eq(value("[a]\nk=0123456789abcde", "a", "k"), "0123456789abcde");
	ck_assert_str_eq(value("[a]\nk=0123456789abcdef", "a", "k"), "(none)");
	ck_assert_str_eq(value("[a]\nk=a\x01", "a", "k"), "(none)");
	ck_assert_str_eq(value("", "a", "k"), "(none)");
	ck_assert(!s3_profile_value(NULL, 0, "a", "k", (char[4]){0}, 4));
}
END_TEST

UNIT_SUITE(remote_s3_profile)
{
	tcase_add_test(tc, s3_profile_values);
}
