#include "serve/runtime-config.h"

#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "unit.h"

#define H64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TYPE "\"mediaType\":\"" RUNTIME_CONFIG_MEDIA_TYPE "\""
#define TOKENS "\"tokens\":[\"me sha256:" H64 " run\"]"
#define GOOD "{\"clientCa\":null,\"idleSeconds\":900," TYPE "," TOKENS "}"

START_TEST(a_document_is_read)
{
	static const char two[] = "{\"clientCa\":\"pem\",\"idleSeconds\":10," TYPE
	    ",\"tokens\":[\"a sha256:" H64 " run\",\"b spki:" H64 " read,run\"]}";
	CLEANUP(runtime_config_free) struct runtime_config c = {0};
	char path[160];
	struct err e;

	UNIT_OK(runtime_config_decode(GOOD, strlen(GOOD), &c, &e), &e);
	ck_assert_str_eq(c.text, GOOD);
	ck_assert_uint_eq(c.principals.count, 1);
	ck_assert_str_eq(c.principals.items[0].name, "me");
	ck_assert_ptr_null(c.client_ca);
	ck_assert_int_eq(c.idle_s, 900);
	runtime_config_free(&c);
	snprintf(path, sizeof path, "%s/document", unit_dir());
	UNIT_OK(atomic_file_write(AT_FDCWD, path, two, sizeof two - 1, 0600, &e), &e);
	UNIT_OK(runtime_config_load(path, &c, &e), &e);
	ck_assert_str_eq(c.client_ca, "pem");
	ck_assert_uint_eq(c.principals.count, 2);
	ck_assert(c.principals.items[1].is_key);
	UNIT_FAILS(runtime_config_load("/nonexistent", &c, &e), &e, ERR_NOTFOUND);
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const struct {
		const char *text;
		enum err_code code;
	} bad[] = {
		{"", ERR_FORMAT}, {"{}", ERR_UNSUPPORTED}, {GOOD "\n", ERR_FORMAT}, {" " GOOD, ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900,\"mediaType\":\"other\"," TOKENS "}", ERR_UNSUPPORTED},
		{"{\"clientCa\":null,\"idleSeconds\":9," TYPE "," TOKENS "}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":86401," TYPE "," TOKENS "}", ERR_FORMAT},
		{"{\"clientCa\":1,\"idleSeconds\":900," TYPE "," TOKENS "}", ERR_FORMAT},
		{"{\"idleSeconds\":900," TYPE "," TOKENS "}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE "," TOKENS ",\"x\":1}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE ",\"tokens\":[]}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE ",\"tokens\":[\"\"]}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE ",\"tokens\":[\"#me\"]}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE ",\"tokens\":[1]}", ERR_FORMAT},
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE ",\"tokens\":[\"me sha256:" H64 " all\"]}",
		    ERR_FORMAT},
		/* one element is one line */
		{"{\"clientCa\":null,\"idleSeconds\":900," TYPE ",\"tokens\":[\"#\\nme sha256:" H64
		    " run\"]}", ERR_FORMAT},
	};
	CLEANUP(cleanup_free) char *large = calloc(1, RUNTIME_CONFIG_MAX + 2);
	struct runtime_config c = {0};
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(runtime_config_decode(bad[i].text, strlen(bad[i].text), &c, &e) != 0 &&
		    e.code == bad[i].code, "%s: %s", bad[i].text, e.msg);
	ck_assert_ptr_nonnull(large);
	memset(large, ' ', RUNTIME_CONFIG_MAX + 1);
	UNIT_FAILS(runtime_config_decode(large, RUNTIME_CONFIG_MAX + 1, &c, &e), &e, ERR_LIMIT);
	ck_assert_ptr_null(c.text);
}
END_TEST

UNIT_SUITE(serve_runtime_config)
{
	tcase_add_test(tc, a_document_is_read);
	tcase_add_test(tc, anything_else_is_refused);
}
