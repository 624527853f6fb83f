#include "serve/hub.h"

#include <string.h>
#include "unit.h"

#define H "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define DOC(name, id) "{\"mediaType\":\"application/vnd.aicert.ref.v1+json\",\"name\":\"" name \
	"\",\"object\":{\"id\":\"sha256:" id "\",\"type\":\"commit\"}}"

static int
decode(const char *text, struct object_ref *ret, struct err *e)
{
	return hub_decode(text, strlen(text), "refs/heads/main", ret, e);
}

START_TEST(documents_are_strict)
{
	static const char *const bad[] = {
		"", "{}", "[]", DOC("refs/heads/other", H), DOC("refs/heads/main", "00"),
		" " DOC("refs/heads/main", H), DOC("refs/heads/main", H) "\n",
		"{\"mediaType\":\"application/vnd.aicert.ref.v1+json\",\"name\":\"refs/heads/main\","
		    "\"object\":null}",
		"{\"mediaType\":\"application/vnd.aicert.ref.v2+json\",\"name\":\"refs/heads/main\","
		    "\"object\":{\"id\":\"sha256:" H "\",\"type\":\"commit\"}}",
		"{\"extra\":1,\"mediaType\":\"application/vnd.aicert.ref.v1+json\",\"name\":"
		    "\"refs/heads/main\",\"object\":{\"id\":\"sha256:" H "\",\"type\":\"commit\"}}", NULL,
	};
	struct object_ref ref;
	struct err e;

	UNIT_OK(decode(DOC("refs/heads/main", H), &ref, &e), &e);
	ck_assert_int_eq((int)ref.type, OBJECT_COMMIT);
	ck_assert_int_eq(ref.id.b[31], 0x20);
	for (size_t i = 0; bad[i] != NULL; i++)
		ck_assert_msg(decode(bad[i], &ref, &e) != 0, "%s", bad[i]);
}
END_TEST

START_TEST(entity_tags)
{
	static const char *const bad[] = {
		"", "*", H, "\"\"", "\"" H, H "\"", "W/\"" H "\"", "\"" H "\" ", "\"" H "\",\"" H "\"",
		"\"0102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\"", NULL,
	};
	struct oid id;

	ck_assert(hub_etag("\"" H "\"", &id));
	ck_assert_int_eq(id.b[0], 1);
	for (size_t i = 0; bad[i] != NULL; i++)
		ck_assert_msg(!hub_etag(bad[i], &id), "%s", bad[i]);
}
END_TEST

UNIT_SUITE(serve_hub)
{
	tcase_add_test(tc, documents_are_strict);
	tcase_add_test(tc, entity_tags);
}
