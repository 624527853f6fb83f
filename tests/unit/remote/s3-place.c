#include "remote/s3-place.h"

#include <string.h>
#include "unit.h"

static const char *const place_variables[] = {
	"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE",
	"AWS_CONFIG_FILE",
};

/* Each test is a process of its own: its environment is nobody's. */
static struct config *
place_config(void)
{
	struct config *c = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof place_variables / sizeof *place_variables; i++)
		unsetenv(place_variables[i]);
	setenv("HOME", unit_dir(), 1);
	setenv("XDG_CONFIG_HOME", unit_dir(), 1);
	UNIT_OK(config_open(NULL, &c, &e), &e);
	return c;
}

START_TEST(s3_place_of_amazon)
{
	CLEANUP(config_closep) struct config *c = place_config();
	CLEANUP(s3_place_free) struct s3_place p = {0};
	struct err e;

	UNIT_OK(s3_place_find("s3://models/llm//", c, &p, &e), &e);
	ck_assert_str_eq(p.bucket, "models");
	ck_assert_str_eq(p.prefix, "llm/");
	ck_assert_str_eq(p.base, "https://models.s3.us-east-1.amazonaws.com:443");
	ck_assert_str_eq(p.region, "us-east-1");
	ck_assert(!p.path_style && !p.local);
	s3_place_free(&p);
	setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
	/* a dot would be another host */
	UNIT_OK(s3_place_find("s3://my.models", c, &p, &e), &e);
	ck_assert_str_eq(p.base, "https://s3.eu-west-1.amazonaws.com:443");
	ck_assert_str_eq(p.prefix, "");
	ck_assert(p.path_style);
}
END_TEST

START_TEST(s3_place_settings)
{
	CLEANUP(config_closep) struct config *c = place_config();
	CLEANUP(s3_place_free) struct s3_place p = {0};
	struct err e;

	setenv("AWS_ENDPOINT_URL", "https://elsewhere.example", 1);
	UNIT_OK(config_set(c, true, "s3.endpoint", "https://S3.example.org:9000/", &e), &e);
	UNIT_OK(config_set(c, true, "s3.local.endpoint", "http://127.0.0.1:9000", &e), &e);
	UNIT_OK(config_set(c, true, "s3.virtual.pathstyle", "false", &e), &e);
	UNIT_OK(config_set(c, true, "s3.virtual.region", "r-1", &e), &e);
	UNIT_OK(s3_place_find("s3://some/a/b", c, &p, &e), &e);
	ck_assert_str_eq(p.base, "https://s3.example.org:9000");
	ck_assert_str_eq(p.prefix, "a/b/");
	ck_assert(p.path_style);
	s3_place_free(&p);
	UNIT_OK(s3_place_find("s3://local", c, &p, &e), &e);
	ck_assert_str_eq(p.base, "http://127.0.0.1:9000");
	ck_assert(p.local);
	s3_place_free(&p);
	UNIT_OK(s3_place_find("s3://virtual", c, &p, &e), &e);
	ck_assert_str_eq(p.base, "https://virtual.s3.example.org:9000");
	ck_assert_str_eq(p.region, "r-1");
	s3_place_free(&p);
	UNIT_OK(config_set(c, true, "s3.bad.endpoint", "http://10.0.0.1:9000", &e), &e);
	UNIT_FAILS(s3_place_find("s3://bad", c, &p, &e), &e, ERR_USAGE);
	UNIT_OK(config_set(c, true, "s3.bad.endpoint", "https://user:word@host", &e), &e);
	UNIT_FAILS(s3_place_find("s3://bad", c, &p, &e), &e, ERR_USAGE);
	UNIT_OK(config_set(c, true, "s3.bad.endpoint", "https://host/path", &e), &e);
	UNIT_FAILS(s3_place_find("s3://bad", c, &p, &e), &e, ERR_USAGE);
	UNIT_OK(config_set(c, true, "s3.wrong.region", "a/b", &e), &e);
	UNIT_FAILS(s3_place_find("s3://wrong", c, &p, &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(s3_place_refused)
{
	static const char *const bad[] = {
		"s3://", "s3://ab", "s3:///x", "s3://Bucket", "s3://buc_ket", "s3://bucket..x", "s3://-ab",
		"s3://ab-", "s3://bucket.", "s3://bucket@host", "s3://bucket:80", "s3://bucket/a//b",
		"s3://bucket/../x", "s3://bucket/./x", "s3://bucket/a?b", "s3://bucket/a#b", "s3://bucket/a%20",
		"s3://bucket/a b", "s3://bucket//a", "s3://bucket/\xc3\xa4", "s3:bucket",
	};
	CLEANUP(config_closep) struct config *c = place_config();
	struct s3_place p;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(s3_place_find(bad[i], c, &p, &e), &e, ERR_USAGE);
}
END_TEST

UNIT_SUITE(remote_s3_place)
{
	tcase_add_test(tc, s3_place_of_amazon);
	tcase_add_test(tc, s3_place_settings);
	tcase_add_test(tc, s3_place_refused);
}
