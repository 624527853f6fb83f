#include "unit.h"

#include <string.h>
#include "base/buf.h"
#include "codec/yaml.h"

START_TEST(yaml_reads)
{
	static const char text[] =
	    "version: 1\n"
	    "command: [python3, \"a b\", 'it''s', \"\\u00e9\"]\n"
	    "env: {SEED: \"1\", EMPTY: }\n"
	    "inputs:\n"
	    "  - path: train.py\n"
	    "    kind: code\n"
	    "  - {path: data}   # a comment\n"
	    "text: |\n"
	    "  two\n"
	    "  lines\n";
	CLEANUP(yaml_doc_freep) struct yaml_doc *d = NULL;
	const struct yaml *root, *list, *key = NULL, *value;
	struct err e;

	UNIT_OK(yaml_doc_decode("f", text, sizeof text - 1, &d, &e), &e);
	root = yaml_doc_root(d);
	ck_assert_int_eq(yaml_kind(root), YAML_MAPPING);
	ck_assert_uint_eq(yaml_length(root), 5);
	ck_assert_str_eq(yaml_scalar(yaml_get(root, "version")), "1");
	ck_assert_ptr_null(yaml_get(root, "absent"));
	list = yaml_get(root, "command");
	ck_assert_int_eq(yaml_kind(list), YAML_SEQUENCE);
	ck_assert_uint_eq(yaml_length(list), 4);
	ck_assert_str_eq(yaml_scalar(yaml_at(list, 1)), "a b");
	ck_assert_str_eq(yaml_scalar(yaml_at(list, 2)), "it's");
	ck_assert_str_eq(yaml_scalar(yaml_at(list, 3)), "\xc3\xa9");
	ck_assert_ptr_null(yaml_at(list, 4));
	ck_assert_ptr_null(yaml_at(root, 0));
	ck_assert_ptr_null(yaml_scalar(list));
	ck_assert_ptr_null(yaml_scalar(NULL));
	ck_assert_str_eq(yaml_scalar(yaml_get(yaml_get(root, "env"), "EMPTY")), "");
	ck_assert_str_eq(yaml_scalar(yaml_get(root, "text")), "two\nlines\n");
	value = yaml_value(root, 3, &key);
	ck_assert_str_eq(yaml_scalar(key), "inputs");
	ck_assert_uint_eq(yaml_pos(yaml_get(yaml_at(value, 0), "kind")).line, 6);
	ck_assert_uint_eq(yaml_pos(yaml_get(yaml_at(value, 0), "kind")).column, 11);
	ck_assert_ptr_null(yaml_value(root, 5, &key));
}
END_TEST

START_TEST(yaml_refused)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "empty"}, {"# nothing\n", "empty"},
		{"a: &x 1\n", "f:1:4: anchors"}, {"a: &x [1]\n", "anchors"}, {"&x a: 1\n", "anchors"},
		{"a: *x\n", "f:1:4: aliases"}, {"<<: *x\n", "aliases"},
		{"a: !!str 1\n", "f:1:4: tags"}, {"a: !mine [1]\n", "tags"}, {"--- !x {a: 1}\n", "tags"},
		{"%YAML 1.1\n---\na: 1\n", "directives"}, {"%TAG ! tag:x,2000:\n---\na: 1\n", "directives"},
		{"a: 1\n---\nb: 2\n", "more than one document"},
		{"a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key \"a\" (first in line 1)"},
		{"a: {b: 1, b: 2}\n", "f:1:11: duplicate key \"b\""},
		{"? [a]\n: 1\n", "a key must be a plain text"}, {"{a: 1}: 2\n", "key"},
		{"a: \"\\0\"\n", "NUL"}, {"a: [1\n", "f:"}, {"a: b: c\n", "f:1:5:"}, {"\ta: 1\n", "f:"},
		{"a: \"\xff\"\n", "byte"}, {"a: \x01\n", "byte"},
		{"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n", "nested too deeply"},
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct yaml_doc *d = NULL;
		struct err e;

		UNIT_FAILS(yaml_doc_decode("f", bad[i].text, strlen(bad[i].text), &d, &e), &e, ERR_SPEC);
		ck_assert_ptr_null(d);
		ck_assert_msg(strstr(e.msg, bad[i].says) != NULL, "%s: %s", bad[i].text, e.msg);
	}
}
END_TEST

START_TEST(yaml_bounds)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf many = BUF_INIT;
	CLEANUP(buf_free) struct buf scalar = BUF_INIT;
	struct yaml_doc *d = NULL;
	struct err e;

	for (size_t i = 0; i < YAML_SIZE_MAX; i++)
		buf_addc(&text, i == 0 ? 'a' : ' ');
	UNIT_OK(yaml_doc_decode("f", text.data, text.len, &d, &e), &e);
	yaml_doc_free(d);
	buf_addc(&text, ' ');
	UNIT_FAILS(yaml_doc_decode("f", text.data, text.len, &d, &e), &e, ERR_SPEC);
	buf_addc(&many, '[');
	for (size_t i = 0; i < YAML_NODES_MAX; i++)
		buf_adds(&many, "a,");
	buf_addc(&many, ']');
	UNIT_FAILS(yaml_doc_decode("f", many.data, many.len, &d, &e), &e, ERR_SPEC);
	ck_assert_msg(strstr(e.msg, "too many values") != NULL, "%s", e.msg);
	for (size_t i = 0; i < 64 * 1024 + 1; i++)
		buf_addc(&scalar, 'a');
	UNIT_FAILS(yaml_doc_decode("f", scalar.data, scalar.len, &d, &e), &e, ERR_SPEC);
	UNIT_OK(yaml_doc_decode("f", scalar.data, scalar.len - 1, &d, &e), &e);
	yaml_doc_free(d);
}
END_TEST

START_TEST(yaml_suggests)
{
	static const char *const keys[] = {"version", "command", "outputs", "inputs", NULL};
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"comand: 1\n", "f:1:1: unknown key \"comand\"; did you mean \"command\"?"},
		{"version: 1\n  \ninput: 2\n", "f:3:1: unknown key \"input\"; did you mean \"inputs\"?"},
		{"ouptuts: 1\n", "did you mean \"outputs\"?"},
		{"nothing: 1\n", "f:1:1: unknown key \"nothing\""},
		{"<<: 1\n", "unknown key \"<<\""},
	};
	CLEANUP(yaml_doc_freep) struct yaml_doc *good = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP(yaml_doc_freep) struct yaml_doc *d = NULL;

		UNIT_OK(yaml_doc_decode("f", bad[i].text, strlen(bad[i].text), &d, &e), &e);
		UNIT_FAILS(yaml_only(d, yaml_doc_root(d), keys, &e), &e, ERR_SPEC);
		ck_assert_msg(strstr(e.msg, bad[i].says) != NULL, "%s", e.msg);
		ck_assert((strstr(e.msg, "did you mean") == NULL) == (strstr(bad[i].says, "did you") == NULL));
	}
	UNIT_OK(yaml_doc_decode("f", "inputs: 1\nversion: 2\n", 21, &good, &e), &e);
	UNIT_OK(yaml_only(good, yaml_doc_root(good), keys, &e), &e);
}
END_TEST

START_TEST(yaml_error_position)
{
	CLEANUP(yaml_doc_freep) struct yaml_doc *d = NULL;
	struct err e;

	UNIT_OK(yaml_doc_decode("dir/f.yaml", "a:\n  b: x\n", 10, &d, &e), &e);
	ck_assert_int_eq(yaml_error(d, yaml_get(yaml_get(yaml_doc_root(d), "a"), "b"), &e, "no %s", "x"), -1);
	ck_assert_int_eq(e.code, ERR_SPEC);
	ck_assert_str_eq(e.msg, "dir/f.yaml:2:6: no x");
}
END_TEST

UNIT_SUITE(yaml)
{
	tcase_add_test(tc, yaml_reads);
	tcase_add_test(tc, yaml_refused);
	tcase_add_test(tc, yaml_bounds);
	tcase_add_test(tc, yaml_suggests);
	tcase_add_test(tc, yaml_error_position);
}
