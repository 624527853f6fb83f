#include "unit.h"

#include <string.h>
#include "codec/shape.h"

#define SHAPE_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static int
shape_try(const char *text, const struct shape *table, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;

	UNIT_OK(jcs_decode(text, strlen(text), 4096, &v, e), e);
	return shape_check(v, table, "here", e);
}

START_TEST(shape_kinds)
{
	static const char *const values[] = { /* by kind: two good ones, then bad ones */
		[SHAPE_STRING] = "\"\"|\"x\"|1|null|true|[]|{}",
		[SHAPE_HEX32] = "\"" SHAPE_HEX "\"|\"" SHAPE_HEX "\"|\"\"|\"" SHAPE_HEX "0\"|"
		    "\"E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"|7|null",
		[SHAPE_INT] = "0|9007199254740991|-1|\"1\"|null|true",
		[SHAPE_BOOL] = "true|false|0|1|\"true\"|null",
		[SHAPE_ARRAY] = "[]|[1]|{}|\"\"|null|0",
		[SHAPE_OBJECT] = "{}|{\"a\":1}|[]|\"\"|null|0",
		[SHAPE_TIME] = "\"2026-11-23T19:00:00Z\"|\"2024-02-29T00:00:00Z\"|\"2026-02-29T00:00:00Z\"|"
		    "\"2026-11-23\"|\"\"|0|null",
		[SHAPE_BASE64] = "\"\"|\"Zg==\"|\"Zg\"|\"Zh==\"|\"Zg==\\n\"|0|null",
		[SHAPE_ID] = "\"sha256:" SHAPE_HEX "\"|\"sha256:" SHAPE_HEX "\"|\"" SHAPE_HEX "\"|\"sha256:\"|"
		    "\"sha1:" SHAPE_HEX "\"|\"sha256:" SHAPE_HEX "0\"|0|null",
	};

	for (size_t kind = 0; kind < sizeof values / sizeof *values; kind++) {
		const struct shape table[] = {{"m", (enum shape_kind)kind, 0}, {0}};
		char list[1024];
		char *rest = list, *value;

		snprintf(list, sizeof list, "%s", values[kind]);
		for (int i = 0; (value = strsep(&rest, "|")) != NULL; i++) {
			char text[256];
			struct err e;

			snprintf(text, sizeof text, "{\"m\":%s}", value);
			if (i < 2)
				UNIT_OK(shape_try(text, table, &e), &e);
			else
				UNIT_FAILS(shape_try(text, table, &e), &e, ERR_FORMAT);
		}
	}
}
END_TEST

START_TEST(shape_members)
{
	static const struct shape table[] = {
		{"a", SHAPE_INT, 0}, {"n", SHAPE_INT, SHAPE_NULLABLE}, {"o", SHAPE_INT, SHAPE_OPTIONAL},
		{"x", SHAPE_INT, SHAPE_OPTIONAL | SHAPE_NULLABLE}, {0},
	};
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"{\"n\":1}", "\"a\" is missing"},
		{"{\"a\":1}", "\"n\" is missing"},
		{"{\"a\":null,\"n\":1}", "\"a\" must be"},
		{"{\"a\":1,\"n\":null,\"o\":null}", "\"o\" must be"},
		{"{\"a\":1,\"b\":2,\"n\":1}", "unknown member \"b\""},
		{"{\"a\":1,\"n\":1,\"o\":1,\"x\":1,\"y\":1}", "unknown member \"y\""},
		{"{\"A\":1,\"a\":1,\"n\":1}", "unknown member \"A\""},
		{"[]", "must be an object"}, {"null", "must be an object"}, {"7", "must be an object"},
	};
	struct err e;

	UNIT_OK(shape_try("{\"a\":1,\"n\":null}", table, &e), &e);
	UNIT_OK(shape_try("{\"a\":1,\"n\":1,\"o\":1,\"x\":null}", table, &e), &e);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		UNIT_FAILS(shape_try(bad[i].text, table, &e), &e, ERR_FORMAT);
		ck_assert_msg(strncmp(e.msg, "here: ", 6) == 0, "%s", e.msg);
		ck_assert_msg(strstr(e.msg, bad[i].says) != NULL, "%s: %s", bad[i].text, e.msg);
	}
	UNIT_FAILS(shape_check(NULL, table, "here", &e), &e, ERR_FORMAT);
}
END_TEST

UNIT_SUITE(shape)
{
	tcase_add_test(tc, shape_kinds);
	tcase_add_test(tc, shape_members);
}
