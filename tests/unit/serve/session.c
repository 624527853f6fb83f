#include "serve/session.h"

#include <string.h>
#include "unit.h"

static const char *const names[] = {"nonce", "offset", NULL};

static void
expect(const char *query, const char *name, const char *value)
{
	struct http_call c = {.query = query};
	char *got = NULL;
	struct err e;

	UNIT_OK(session_query(&c, names, name, &got, &e), &e);
	if (value == NULL)
		ck_assert_ptr_null(got);
	else
		ck_assert_str_eq(got, value);
	free(got);
}

START_TEST(values_are_found)
{
	expect(NULL, "nonce", NULL);
	expect("nonce=abc", "nonce", "abc");
	expect("nonce=", "nonce", "");
	expect("nonce=a.B_c~-9", "nonce", "a.B_c~-9");
	expect("offset=1&nonce=2", "nonce", "2");
	expect("offset=1&nonce=2", "offset", "1");
	expect("offset=1", "nonce", NULL);
}
END_TEST

START_TEST(other_queries_are_refused)
{
	static const char *const bad[] = {
		"", "nonce", "=", "=x", "&", "nonce=1&", "&nonce=1", "nonce=1&&offset=2", "nonce=1&nonce=2",
		"nonce=%31", "nonce=a+b", "nonce=a b", "nonce=a=b", "other=1", "Nonce=1", "nonc=1", "nonce1=1",
		"nonce=\x80", "nonce=1;offset=2", "nonce[]=1", "nonce=a/b", NULL,
	};

	for (size_t i = 0; bad[i] != NULL; i++) {
		struct http_call c = {.query = bad[i]};
		char *got = NULL;
		struct err e;

		ck_assert_msg(session_query(&c, names, "nonce", &got, &e) != 0, "\"%s\"", bad[i]);
		ck_assert_int_eq(e.code, ERR_USAGE);
		ck_assert_ptr_null(got);
	}
}
END_TEST

START_TEST(object_names_are_strict)
{
	static const char good[] = "00000000000000000000000000000000000000000000000000000000000000ff";
	char arg[80];
	struct http_call c = {.arg = arg};
	struct oid id;
	struct err e;

	snprintf(arg, sizeof arg, "%s", good);
	UNIT_OK(session_oid(&c, &id, &e), &e);
	ck_assert_int_eq(id.b[31], 255);
	for (size_t i = 0; i < 64; i++) {
		snprintf(arg, sizeof arg, "%s", good);
		arg[i] = 'A';
		UNIT_FAILS(session_oid(&c, &id, &e), &e, ERR_USAGE);
		snprintf(arg, sizeof arg, "%.*s", (int)i, good);
		UNIT_FAILS(session_oid(&c, &id, &e), &e, ERR_USAGE);
	}
	snprintf(arg, sizeof arg, "%s0", good);
	UNIT_FAILS(session_oid(&c, &id, &e), &e, ERR_USAGE);
	snprintf(arg, sizeof arg, "sha256:%s", good);
	UNIT_FAILS(session_oid(&c, &id, &e), &e, ERR_USAGE);
}
END_TEST

UNIT_SUITE(serve_session)
{
	tcase_add_test(tc, values_are_found);
	tcase_add_test(tc, other_queries_are_refused);
	tcase_add_test(tc, object_names_are_strict);
}
