#include "unit.h"

#include <string.h>
#include "object/oid-list.h"
#include "object/resource.h"

#define OID_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

START_TEST(oid_spellings)
{
	char hex[OID_HEX_SIZE], text[OID_TEXT_SIZE];
	struct oid id, other;
	struct err e;

	UNIT_OK(oid_from_data(&id, "", 0, &e), &e);
	oid_hex(&id, hex);
	oid_text(&id, text);
	ck_assert_str_eq(hex, OID_EMPTY);
	ck_assert_str_eq(text, "sha256:" OID_EMPTY);
	UNIT_OK(oid_from_hex(&other, hex, &e), &e);
	ck_assert(oid_equal(&id, &other));
	memset(&other, 0, sizeof other);
	UNIT_OK(oid_from_text(&other, text, &e), &e);
	ck_assert_int_eq(oid_compare(&id, &other), 0);
	other.b[31]++;
	ck_assert(!oid_equal(&id, &other));
	ck_assert_int_lt(oid_compare(&id, &other), 0);
}
END_TEST

START_TEST(oid_refused)
{
	static const char *const bad[] = {
		"", "sha256:", "sha256:" OID_EMPTY "0", "sha1:" OID_EMPTY, "SHA256:" OID_EMPTY, OID_EMPTY,
		"sha256: " OID_EMPTY, "sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	};
	struct oid id = {{7}};
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(oid_from_text(&id, bad[i], &e), &e, ERR_FORMAT);
	UNIT_FAILS(oid_from_hex(&id, "sha256:" OID_EMPTY, &e), &e, ERR_FORMAT);
	UNIT_FAILS(oid_from_hex(&id, "", &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(id.b[0], 7);
}
END_TEST

START_TEST(oid_types)
{
	enum object_type type;
	struct err e;

	for (int i = OBJECT_BLOB; i <= OBJECT_EVIDENCE; i++) {
		UNIT_OK(oid_type_parse(oid_type_name((enum object_type)i), &type, &e), &e);
		ck_assert_int_eq((int)type, i);
	}
	UNIT_FAILS(oid_type_parse("Blob", &type, &e), &e, ERR_FORMAT);
	UNIT_FAILS(oid_type_parse("", &type, &e), &e, ERR_FORMAT);
}
END_TEST

START_TEST(oid_references)
{
	struct object_ref ref = {.type = OBJECT_COMMIT}, back = {.type = OBJECT_BLOB};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;

	UNIT_OK(oid_from_data(&ref.id, "", 0, &e), &e);
	v = oid_ref_to_jcs(&ref);
	UNIT_OK(jcs_encode(v, &out, &e), &e);
	ck_assert_str_eq(buf_str(&out), "{\"id\":\"sha256:" OID_EMPTY "\",\"type\":\"commit\"}");
	UNIT_OK(oid_ref_from_jcs(v, "here", &back, &e), &e);
	ck_assert_int_eq(back.type, OBJECT_COMMIT);
	ck_assert(oid_equal(&ref.id, &back.id));
	jcs_set_string(v, "type", "note");
	UNIT_FAILS(oid_ref_from_jcs(v, "here", &back, &e), &e, ERR_FORMAT);
	ck_assert_msg(strncmp(e.msg, "here: ", 6) == 0, "%s", e.msg);
	UNIT_FAILS(oid_ref_from_jcs(NULL, "here", &back, &e), &e, ERR_FORMAT);
}
END_TEST

START_TEST(oid_resource_content)
{
	struct resource a = {.path = (char[]){"a"}, .kind = (char[]){"file"}, .size = 3};
	struct resource b = a;

	ck_assert(resource_equal(&a, &b));
	b.path = (char[]){"b"};
	ck_assert(!resource_equal(&a, &b));
	ck_assert(resource_same_content(&a, &b));
	/* a digest that one of them lacks contradicts nothing, one that differs does */
	b.digests.has_sha512 = true;
	ck_assert(resource_same_content(&a, &b));
	a.digests.has_sha512 = true;
	a.digests.sha512[63] = 1;
	ck_assert(!resource_same_content(&a, &b));
	a.digests.sha512[63] = 0;
	ck_assert(resource_same_content(&a, &b));
	b.size = 4;
	ck_assert(!resource_same_content(&a, &b));
	b.size = 3;
	b.type = OBJECT_TREE;
	ck_assert(!resource_same_content(&a, &b));
	b.type = a.type;
	b.digests.sha256.b[0] = 1;
	ck_assert(!resource_same_content(&a, &b));
}
END_TEST

START_TEST(oid_resource_kinds)
{
	ck_assert(resource_kind_ok("a"));
	ck_assert(resource_kind_ok("my-kind-2"));
	ck_assert(resource_kind_ok("abcdefghijklmnopqrstuvwxyz012345"));
	ck_assert(!resource_kind_ok("abcdefghijklmnopqrstuvwxyz0123456"));
	ck_assert(!resource_kind_ok(""));
	ck_assert(!resource_kind_ok("-a"));
	ck_assert(!resource_kind_ok("2a"));
	ck_assert(!resource_kind_ok("A"));
	ck_assert(!resource_kind_ok("a b"));
	ck_assert(!resource_kind_ok("a_b"));
}
END_TEST

START_TEST(oid_resource_copy)
{
	struct resource a = {.path = (char[]){"a"}, .kind = (char[]){"file"}, .size = 3};
	struct resource b;
	struct err e;

	a.digests.sha256.b[5] = 9;
	UNIT_OK(resource_copy(&b, &a, &e), &e);
	ck_assert(resource_equal(&a, &b));
	ck_assert_ptr_ne(a.path, b.path);
	resource_free(&b);
	ck_assert_ptr_null(b.path);
}
END_TEST

/* The digest of a set: SHA-256 over its ids in ascending order, however they came. */
START_TEST(oid_lists)
{
	unsigned char bytes[50 * OID_SIZE];
	struct oid_list up = {0}, down = {0};
	struct oid id = {{0}}, a, b;
	char hex[OID_HEX_SIZE];
	struct err e;

	UNIT_OK(oid_list_digest(&up, &a, &e), &e);
	oid_hex(&a, hex);
	ck_assert_str_eq(hex, OID_EMPTY);
	for (unsigned i = 0; i < 50; i++) {
		id.b[0] = (unsigned char)(i * 5);
		memcpy(bytes + i * OID_SIZE, id.b, OID_SIZE);
		UNIT_OK(oid_list_add(&up, &id, &e), &e);
		id.b[0] = (unsigned char)((49 - i) * 5);
		UNIT_OK(oid_list_add(&down, &id, &e), &e);
	}
	ck_assert_uint_eq(down.count, 50);
	ck_assert(oid_equal(&down.ids[49], &up.ids[0]));
	UNIT_OK(oid_list_digest(&up, &a, &e), &e);
	UNIT_OK(oid_list_digest(&down, &b, &e), &e);
	ck_assert(oid_equal(&a, &b));
	UNIT_OK(oid_from_data(&b, bytes, sizeof bytes, &e), &e);
	ck_assert(oid_equal(&a, &b));
	oid_list_free(&up);
	oid_list_free(&down);
	ck_assert_uint_eq(up.count, 0);
}
END_TEST

UNIT_SUITE(oid)
{
	tcase_add_test(tc, oid_lists);
	tcase_add_test(tc, oid_spellings);
	tcase_add_test(tc, oid_refused);
	tcase_add_test(tc, oid_types);
	tcase_add_test(tc, oid_references);
	tcase_add_test(tc, oid_resource_content);
	tcase_add_test(tc, oid_resource_kinds);
	tcase_add_test(tc, oid_resource_copy);
}
