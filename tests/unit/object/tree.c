#include "unit.h"

#include <string.h>
#include "object/tree.h"

#define TREE_H "aicert tree 1\n"
#define TREE_ID "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
tree_refuse(const char *text, enum err_code code)
{
	struct tree t = TREE_INIT;
	struct err e;

	UNIT_FAILS(tree_decode(text, strlen(text), &t, &e), &e, code);
	ck_assert_msg(strstr(e.msg, "section 2.2") != NULL, "%s", e.msg);
	ck_assert_ptr_null(t.entries);
}

START_TEST(tree_refused_lines)
{
	static const char *const lines[] = {
		"100644 0 " TREE_ID " a",                       /* no end */
		"100644 0 " TREE_ID " a\r\n",
		"100644 0 " TREE_ID " \n",
		"100644 0 " TREE_ID "\n",
		"100644  0 " TREE_ID " a\n",
		"100644 0  " TREE_ID " a\n",
		"100644 0 " TREE_ID "  a\n",
		"100644 0 " TREE_ID " a \n",
		" 100644 0 " TREE_ID " a\n",
		"100600 0 " TREE_ID " a\n",
		"40000 0 " TREE_ID " a\n",
		"0100644 0 " TREE_ID " a\n",
		"160000 0 " TREE_ID " a\n",
		"100644 00 " TREE_ID " a\n",
		"100644 01 " TREE_ID " a\n",
		"100644 -1 " TREE_ID " a\n",
		"100644 +1 " TREE_ID " a\n",
		"100644 0x1 " TREE_ID " a\n",
		"100644  " TREE_ID " a\n",
		"100644 9007199254740992 " TREE_ID " a\n",
		"100644 99999999999999999999999999 " TREE_ID " a\n",
		"100644 0 E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a\n",
		"100644 0 3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a\n",
		"100644 0 g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 a\n",
		"100644 0 " TREE_ID " .\n", "100644 0 " TREE_ID " ..\n",
		"100644 0 " TREE_ID " .git\n", "040000 0 " TREE_ID " .GIT\n",
		"040000 0 " TREE_ID " .aicert\n", "100644 0 " TREE_ID " .AiCert\n",
		"100644 0 " TREE_ID " a/b\n", "100644 0 " TREE_ID " /\n",
		"100644 0 " TREE_ID " a%\n", "100644 0 " TREE_ID " a%2\n",
		"100644 0 " TREE_ID " a%0a\n", "100644 0 " TREE_ID " a%7f\n", /* lower case */
		"100644 0 " TREE_ID " a%41\n", "100644 0 " TREE_ID " a%2F\n", "100644 0 " TREE_ID " a%80\n",
		"100644 0 " TREE_ID " a%00\n", "100644 0 " TREE_ID " a%GG\n",
		"100644 0 " TREE_ID " a\x7f\n", "100644 0 " TREE_ID " a\tb\n",
		"100644 0 " TREE_ID " b\n100644 0 " TREE_ID " a\n",     /* order */
		"100644 0 " TREE_ID " a\n100644 0 " TREE_ID " a\n",     /* twice */
		"100644 0 " TREE_ID " a!\n100644 0 " TREE_ID " a%20\n", /* order of the raw bytes */
		"100644 9007199254740991 " TREE_ID " a\n100644 1 " TREE_ID " b\n",
		"\n", "100644 0 " TREE_ID " a\n\n",
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT;

		buf_addf(&text, TREE_H "%s", lines[i]);
		tree_refuse(buf_str(&text), ERR_FORMAT);
	}
}
END_TEST

START_TEST(tree_refused_header)
{
	tree_refuse("", ERR_FORMAT);
	tree_refuse("aicert tree 1", ERR_FORMAT);
	tree_refuse("aicert tree 2\n", ERR_FORMAT);
	tree_refuse("Aicert tree 1\n", ERR_FORMAT);
	tree_refuse(" aicert tree 1\n", ERR_FORMAT);
}
END_TEST

START_TEST(tree_refused_nul)
{
	static const char text[] = TREE_H "100644 0 " TREE_ID " a\0b\n";
	struct tree t;
	struct err e;

	UNIT_FAILS(tree_decode(text, sizeof text - 1, &t, &e), &e, ERR_FORMAT);
}
END_TEST

START_TEST(tree_read)
{
	static const char text[] = TREE_H
	    "100755 9007199254740990 " TREE_ID " %01%20%7F%25\n"
	    "120000 1 " TREE_ID " a%20b\n"
	    "040000 0 " TREE_ID " \xff\n";
	struct tree t;
	struct err e;

	UNIT_OK(tree_decode(text, sizeof text - 1, &t, &e), &e);
	ck_assert_uint_eq(t.count, 3);
	ck_assert_uint_eq(t.size, 9007199254740991);
	ck_assert_str_eq(t.entries[0].name, "\x01 \x7f%");
	ck_assert_int_eq(t.entries[0].mode, TREE_EXEC);
	ck_assert_ptr_eq(tree_find(&t, "a b"), &t.entries[1]);
	ck_assert_int_eq(t.entries[1].mode, TREE_LINK);
	ck_assert_ptr_eq(tree_find(&t, "\xff"), &t.entries[2]);
	ck_assert_ptr_null(tree_find(&t, "a"));
	ck_assert_ptr_null(tree_find(&t, ""));
	tree_free(&t);
	ck_assert_ptr_null(tree_find(&t, "a b"));
}
END_TEST

/* Every byte a name can have goes through and comes back. */
START_TEST(tree_every_byte)
{
	struct tree_builder *b;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	const struct oid id = {{0}};
	uint64_t size = 0;
	struct tree t;
	struct err e;

	UNIT_OK(tree_builder_new(&b, &e), &e);
	for (int c = 255; c > 0; c--) {
		const char name[3] = {'n', (char)c, '\0'};

		if (c != '/')
			UNIT_OK(tree_builder_add(b, TREE_FILE, 2, &id, name, &e), &e);
	}
	UNIT_OK(tree_builder_finish(b, &text, &size, &e), &e);
	tree_builder_free(b);
	ck_assert_uint_eq(size, 2 * 254);
	UNIT_OK(tree_decode(text.data, text.len, &t, &e), &e);
	ck_assert_uint_eq(t.count, 254);
	ck_assert_uint_eq(t.size, size);
	for (int c = 1; c < 256; c++) {
		const char name[3] = {'n', (char)c, '\0'};

		ck_assert((tree_find(&t, name) == NULL) == (c == '/'));
	}
	UNIT_OK(tree_encode(&t, &again, &e), &e);
	ck_assert_str_eq(buf_str(&again), buf_str(&text));
	tree_free(&t);
}
END_TEST

static void
tree_refuse_built(const char *first, uint64_t first_size, const char *second, uint64_t second_size,
    enum err_code code)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const struct oid id = {{0}};
	struct tree_builder *b;
	uint64_t size = 77;
	struct err e;
	int rc;

	UNIT_OK(tree_builder_new(&b, &e), &e);
	rc = tree_builder_add(b, TREE_FILE, first_size, &id, first, &e);
	if (rc == 0)
		rc = tree_builder_add(b, TREE_DIR, second_size, &id, second, &e);
	if (rc == 0)
		rc = tree_builder_finish(b, &text, &size, &e);
	tree_builder_free(b);
	UNIT_FAILS(rc, &e, code);
	ck_assert_uint_eq(size, 77);
}

START_TEST(tree_builder_refuses)
{
	tree_refuse_built("a", 1, "a", 1, ERR_FORMAT);
	tree_refuse_built("a", 1, "", 1, ERR_FORMAT);
	tree_refuse_built("a", 1, "..", 1, ERR_FORMAT);
	tree_refuse_built(".Git", 1, "b", 1, ERR_FORMAT);
	tree_refuse_built("a", 1, "b/c", 1, ERR_FORMAT);
	tree_refuse_built("a", 9007199254740991, "b", 1, ERR_LIMIT);
	tree_refuse_built("a", UINT64_MAX, "b", 1, ERR_LIMIT);
}
END_TEST

START_TEST(tree_encode_refuses)
{
	struct tree_entry entries[2] = {{.mode = TREE_FILE, .name = "b"}, {.mode = TREE_FILE, .name = "a"}};
	const struct tree t = {.entries = entries, .count = 2};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_FAILS(tree_encode(&t, &text, &e), &e, ERR_FORMAT);
	entries[0].name = "a";
	UNIT_FAILS(tree_encode(&t, &text, &e), &e, ERR_FORMAT);
	entries[1].name = "..";
	UNIT_FAILS(tree_encode(&t, &text, &e), &e, ERR_FORMAT);
	entries[1] = (struct tree_entry){.mode = (enum tree_mode)0100600, .name = "b"};
	UNIT_FAILS(tree_encode(&t, &text, &e), &e, ERR_FORMAT);
	entries[1] = (struct tree_entry){.mode = TREE_DIR, .name = "b", .size = UINT64_MAX};
	UNIT_FAILS(tree_encode(&t, &text, &e), &e, ERR_LIMIT);
	ck_assert_uint_eq(text.len, 0);
	entries[1].size = 0;
	UNIT_OK(tree_encode(&t, &text, &e), &e);
}
END_TEST

UNIT_SUITE(tree)
{
	tcase_add_test(tc, tree_refused_lines);
	tcase_add_test(tc, tree_refused_header);
	tcase_add_test(tc, tree_refused_nul);
	tcase_add_test(tc, tree_read);
	tcase_add_test(tc, tree_every_byte);
	tcase_add_test(tc, tree_builder_refuses);
	tcase_add_test(tc, tree_encode_refuses);
}
