#include "unit.h"

#include <string.h>
#include "codec/jcs.h"
#include "corpus.h"

#define JCS_TEST_MAX (1024u * 1024)

/* What decode makes of a text, written again; the test fails when it does not decode. */
static void
jcs_check_same(const char *text)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;

	UNIT_OK(jcs_decode(text, strlen(text), JCS_TEST_MAX, &v, &e), &e);
	UNIT_OK(jcs_encode(v, &out, &e), &e);
	ck_assert_str_eq(buf_str(&out), text);
}

static void
jcs_check_refused(const char *text, size_t len)
{
	struct jcs *v = NULL;
	struct err e;

	UNIT_FAILS(jcs_decode(text, len, JCS_TEST_MAX, &v, &e), &e, ERR_FORMAT);
	ck_assert_ptr_null(v);
}

START_TEST(jcs_canonical)
{
	static const char *const good[] = {
		"{}", "[]", "null", "true", "false", "0", "-1", "9007199254740991",
		"-9007199254740991", "\"\"", "[[],{},null]", "{\"\":1,\"a\":2,\"ab\":3,\"b\":4}",
		"\"\\b\\t\\n\\f\\r\\\"\\\\/\"", "\"\\u0001\\u001f \x7f\"", "\"\xe2\x82\xac\"",
		"\"\xf0\x9f\x98\x80\"", "{\"A\":1,\"Z\":2,\"_\":3,\"a\":4}",
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		jcs_check_same(good[i]);
}
END_TEST

START_TEST(jcs_sure_of_plain)
{
	static const char *const sure[] = {
		"{\"k\":\"v\"}", "{\"a\":[1,-2,{\"b\":[]}],\"k\":\"v\",\"z\":{\"k\":\"w\"}}",
		"{\"a\":\"0123456789 \\\"escaped\\\\ \\n\",\"k\":\"v\",\"l\":true,\"m\":false,\"n\":null}",
		"{\"a\":-9007199254740991,\"k\":\"v\",\"z\":9007199254740991}",
		"{\"a\":\"12345678 \xe2\x82\xac\\n \xf0\x9f\x98\x80 \x7f\",\"k\":\"v\",\"z\":\"/\"}",
	};
	/* good ones too, that are not told without decoding */
	static const char *const unsure[] = {
		"", "{}", "[]", "\"v\"", "{\"k\":\"w\"}", "{\"k\":1}", "{\"a\":{\"k\":\"v\"}}", "{\"k\":\"v\"",
		"{\"k\":\"v\"} ", "{\"k\":\"v\"}{}", "{\"k\":\"v\",}", "{\"k\": \"v\"}", "{\"k\":\"v\",\"a\":1}",
		"{\"k\":\"v\",\"k\":\"v\"}", "{\"k\":\"v\",\"z\":01}", "{\"k\":\"v\",\"z\":-0}",
		"{\"k\":\"v\",\"z\":-}", "{\"k\":\"v\",\"z\":1.0}", "{\"k\":\"v\",\"z\":9007199254740992}",
		"{\"k\":\"v\",\"z\":10000000000000000}",
		"{\"k\":\"v\",\"z\":\"\\u0041\"}", "{\"k\":\"v\",\"z\":\"\\/\"}", "{\"k\":\"v\",\"z\":\"\n\"}",
		"{\"k\":\"v\",\"z\":\"1234567\x1f 1234567\"}", "{\"k\":\"v\",\"z\":\"1234567\xff\"}",
		"{\"k\":\"v\",\"z\":\"\xe2\x82\"}", "{\"k\":\"v\",\"z\":\"\xe2\\n\x82\xac\"}",
		"{\"k\":\"v\",\"\xc3\xa9\":1}", "{\"k\":\"v\",\"z\":[1,]}", "{\"k\":\"v\",\"z\":nul}",
		"{\"k\":\"v\",\"z\":\"12345678901234567890", "{\"k\":\"v\",\"z\":\"\\", "{\"k\":\"v\",\"ab\":1,\"a\":2}",
	};

	for (size_t i = 0; i < sizeof sure / sizeof *sure; i++) {
		jcs_check_same(sure[i]);
		ck_assert(jcs_sure(sure[i], strlen(sure[i]), JCS_TEST_MAX, "k", "v"));
		ck_assert(!jcs_sure(sure[i], strlen(sure[i]), strlen(sure[i]) - 1, "k", "v"));
		for (size_t len = 0; len < strlen(sure[i]); len++)
			ck_assert(!jcs_sure(sure[i], len, JCS_TEST_MAX, "k", "v"));
	}
	for (size_t i = 0; i < sizeof unsure / sizeof *unsure; i++)
		ck_assert_msg(!jcs_sure(unsure[i], strlen(unsure[i]), JCS_TEST_MAX, "k", "v"), "%s", unsure[i]);
}
END_TEST

START_TEST(jcs_refused)
{
	static const char *const bad[] = {
		" {}", "{} ", "{}\n", "{}{}", "{", "}", "[1,]", "{\"a\":1,}", "[1 ,2]", "[ ]",
		"{\"b\":1,\"a\":2}", "{\"a\":1,\"a\":1}", "{\"a\": 1}", "nul", "NaN", "Infinity",
		"01", "+1", "1.0", "1e3", "1E3", "0.5", "\"\\/\"", "\"\\u0041\"", "\"\\u001F\"",
		"\"\\u000a\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "'a'", "\"a",
		"\"\n\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
		"{\"\xc3\xa9\":1}", "{1:1}", "\xef\xbb\xbf{}", "{\"a\":1}//", "",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		jcs_check_refused(bad[i], strlen(bad[i]));
	jcs_check_refused("{}\0", 3);
	jcs_check_refused("\"a\0b\"", 5);
}
END_TEST

/* What jansson alone would let through or write otherwise: a test a difference. */
START_TEST(jcs_jansson_minus_zero)
{
	jcs_check_refused("-0", 2);
	jcs_check_refused("[-0]", 4);
}
END_TEST

START_TEST(jcs_jansson_large_numbers)
{
	jcs_check_refused("9007199254740992", 16);
	jcs_check_refused("-9007199254740992", 17);
	jcs_check_refused("9007199254740993", 16);
	jcs_check_refused("9223372036854775807", 19);
	jcs_check_refused("9223372036854775808", 19);
}
END_TEST

START_TEST(jcs_jansson_escape_case)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_string("\x1f\x01");
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;

	UNIT_OK(jcs_encode(v, &out, &e), &e);
	ck_assert_str_eq(buf_str(&out), "\"\\u001f\\u0001\"");
}
END_TEST

START_TEST(jcs_jansson_depth)
{
	char text[2 * (JCS_DEPTH_MAX + 1) + 1];
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;

	memset(text, '[', JCS_DEPTH_MAX);
	memset(text + JCS_DEPTH_MAX, ']', JCS_DEPTH_MAX);
	text[2 * JCS_DEPTH_MAX] = '\0';
	jcs_check_same(text);
	memset(text, '[', JCS_DEPTH_MAX + 1);
	memset(text + JCS_DEPTH_MAX + 1, ']', JCS_DEPTH_MAX + 1);
	text[2 * JCS_DEPTH_MAX + 2] = '\0';
	jcs_check_refused(text, 2 * JCS_DEPTH_MAX + 2);

	v = jcs_new_array();
	for (size_t i = 0; i < JCS_DEPTH_MAX; i++) {
		struct jcs *outer = jcs_new_array();

		jcs_append(outer, v);
		v = outer;
	}
	UNIT_FAILS(jcs_encode(v, &out, &e), &e, ERR_FORMAT);
	/* brackets inside strings are no depth */
	memset(text, '[', sizeof text - 1);
	text[0] = text[sizeof text - 2] = '"';
	text[sizeof text - 1] = '\0';
	jcs_check_same(text);
}
END_TEST

START_TEST(jcs_limit)
{
	struct jcs *v = NULL;
	struct err e;

	UNIT_FAILS(jcs_decode("[1,2]", 5, 4, &v, &e), &e, ERR_LIMIT);
	UNIT_OK(jcs_decode("[1,2]", 5, 5, &v, &e), &e);
	jcs_free(v);
}
END_TEST

START_TEST(jcs_any)
{
	static const char text[] = " { \"b\" : [ 1 , \"\\u0041\\/\" ] , \"a\" : null }\n";
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct jcs *none = NULL;
	struct err e;

	UNIT_OK(jcs_decode_any(text, sizeof text - 1, 100, &v, &e), &e);
	UNIT_OK(jcs_encode(v, &out, &e), &e);
	ck_assert_str_eq(buf_str(&out), "{\"a\":null,\"b\":[1,\"A/\"]}");
	UNIT_FAILS(jcs_decode_any("{\"a\":1,\"a\":2}", 13, 100, &none, &e), &e, ERR_FORMAT);
	UNIT_FAILS(jcs_decode_any("1.5", 3, 100, &none, &e), &e, ERR_FORMAT);
	UNIT_FAILS(jcs_decode_any("\"\\u0000\"", 8, 100, &none, &e), &e, ERR_FORMAT);
	UNIT_FAILS(jcs_decode_any("{}", 2, 1, &none, &e), &e, ERR_LIMIT);
}
END_TEST

START_TEST(jcs_read)
{
	static const char text[] = "{\"a\":[1,-2],\"b\":true,\"n\":null,\"s\":\"x\",\"z\":false}";
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *name;
	struct err e;
	int64_t n = 7;

	UNIT_OK(jcs_decode(text, sizeof text - 1, 100, &v, &e), &e);
	ck_assert_int_eq(jcs_type(v), JCS_OBJECT);
	ck_assert_uint_eq(jcs_length(v), 5);
	ck_assert_uint_eq(jcs_length(jcs_get(v, "a")), 2);
	ck_assert_int_eq(jcs_int(jcs_at(jcs_get(v, "a"), 1), &n), 0);
	ck_assert_int_eq(n, -2);
	ck_assert_ptr_null(jcs_at(jcs_get(v, "a"), 2));
	ck_assert_ptr_null(jcs_at(v, 0));
	ck_assert_int_eq(jcs_int(jcs_get(v, "s"), &n), -1);
	ck_assert_int_eq(jcs_int(NULL, &n), -1);
	ck_assert(jcs_true(jcs_get(v, "b")));
	ck_assert(!jcs_true(jcs_get(v, "z")));
	ck_assert(!jcs_true(jcs_get(v, "s")));
	ck_assert(jcs_is_null(jcs_get(v, "n")));
	ck_assert(!jcs_is_null(jcs_get(v, "absent")));
	ck_assert_str_eq(jcs_get_string(v, "s"), "x");
	ck_assert_ptr_null(jcs_get_string(v, "a"));
	ck_assert_ptr_null(jcs_get(NULL, "a"));
	ck_assert_ptr_null(jcs_get(jcs_get(v, "a"), "a"));
	ck_assert_ptr_nonnull(jcs_member(v, 4, &name));
	ck_assert_str_eq(name, "z");
	ck_assert_ptr_null(jcs_member(v, 5, &name));
}
END_TEST

START_TEST(jcs_build)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	CLEANUP(jcs_freep) struct jcs *copy = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct jcs *list = jcs_new_array();
	struct err e;

	jcs_append(list, jcs_new_int(JCS_INT_MAX));
	jcs_append(list, jcs_new_null());
	jcs_set(v, "list", list);
	jcs_set_bool(v, "yes", true);
	jcs_set_string(v, "none", NULL);
	jcs_set_int(v, "a", 1);
	jcs_set_int(v, "a", 2);
	jcs_set_string(v, "B", "x");
	jcs_set_string(v, "gone", "x");
	ck_assert(jcs_remove(v, "gone"));
	ck_assert(!jcs_remove(v, "gone"));
	copy = jcs_copy(v);
	UNIT_OK(jcs_encode(copy, &out, &e), &e);
	ck_assert_str_eq(buf_str(&out),
	    "{\"B\":\"x\",\"a\":2,\"list\":[9007199254740991,null],\"none\":null,\"yes\":true}");
}
END_TEST

static void
jcs_check_failed(struct jcs *inner)
{
	CLEANUP(jcs_freep) struct jcs *outer = jcs_new_array();
	CLEANUP(jcs_freep) struct jcs *copy = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct err e;

	jcs_append(outer, inner);
	copy = jcs_copy(outer);
	UNIT_FAILS(jcs_encode(outer, &out, &e), &e, ERR_NOMEM);
	UNIT_FAILS(jcs_encode(copy, &out, &e), &e, ERR_NOMEM);
}

START_TEST(jcs_sticky)
{
	struct err e;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct jcs *v;

	UNIT_FAILS(jcs_encode(NULL, &out, &e), &e, ERR_NOMEM);
	ck_assert_ptr_null(jcs_new_string("\xff"));
	ck_assert_ptr_null(jcs_new_string(NULL));
	ck_assert_ptr_null(jcs_new_int(JCS_INT_MAX + 1));
	ck_assert_ptr_null(jcs_new_int(-JCS_INT_MAX - 1));
	ck_assert_ptr_null(jcs_copy(NULL));
	v = jcs_new_object();
	jcs_set_string(v, "a", "\xff");
	jcs_set_string(v, "a", "good now, but the failure stays");
	jcs_check_failed(v);
	v = jcs_new_object();
	jcs_set_int(v, "\xc3\xa9", 1);
	jcs_check_failed(v);
	v = jcs_new_object();
	jcs_append(v, jcs_new_null());
	jcs_check_failed(v);
	v = jcs_new_array();
	jcs_append(v, NULL);
	jcs_check_failed(v);
	v = jcs_new_array();
	jcs_set_int(v, "a", 1);
	jcs_check_failed(v);
	jcs_set_int(NULL, "a", 1);
	jcs_append(NULL, jcs_new_null());
}
END_TEST

/* Any change of one byte of a canonical text is refused or is another text. */
START_TEST(jcs_flips)
{
	static const char text[] = "{\"a\":[1,20,null],\"b\":{\"c\":\"x\\ny\"},\"t\":true}";

	for (size_t i = 0; i < sizeof text - 1; i++) {
		for (int bit = 0; bit < 8; bit++) {
			char flipped[sizeof text];
			struct jcs *v = NULL;
			CLEANUP(buf_free) struct buf out = BUF_INIT;
			struct err e;

			memcpy(flipped, text, sizeof text);
			flipped[i] = (char)(flipped[i] ^ 1 << bit);
			if (jcs_decode(flipped, sizeof text - 1, 100, &v, &e) != 0)
				continue;
			UNIT_OK(jcs_encode(v, &out, &e), &e);
			ck_assert_str_eq(buf_str(&out), flipped);
			jcs_free(v);
		}
	}
	for (size_t len = 0; len < sizeof text - 1; len++)
		jcs_check_refused(text, len);
}
END_TEST

START_TEST(values_are_counted)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jcs *v;
	struct err e;

	buf_adds(&text, "[0");
	for (size_t i = 2; i < JCS_NODES_MAX; i++)
		buf_adds(&text, ",0");
	buf_adds(&text, "]");
	UNIT_OK(jcs_decode(text.data, text.len, text.len, &v, &e), &e);
	jcs_free(v);
	text.len--;
	buf_adds(&text, ",0]");
	UNIT_FAILS(jcs_decode(text.data, text.len, text.len, &v, &e), &e, ERR_LIMIT);
	/* commas and brackets inside a text are none */
	buf_reset(&text);
	buf_adds(&text, "\"");
	for (size_t i = 0; i <= JCS_NODES_MAX; i++)
		buf_adds(&text, ",");
	buf_adds(&text, "\"");
	UNIT_OK(jcs_decode(text.data, text.len, text.len, &v, &e), &e);
	jcs_free(v);
}
END_TEST

/* --- JSONTestSuite (the corpus) --- */

/* What RFC 8259 allows and the rules above do not: no number with a fraction or an
 * exponent, no name twice, no U+0000. */
static bool
suite_narrowed(const char *name)
{
	static const char *const ours[] = {
		"y_number_", "duplicated_key", "null_escape", "escaped_null", "extreme_numbers",
		"lonely_negative_real",
	};

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (strstr(name, ours[i]) != NULL)
			return true;
	}
	return false;
}

struct suite_tally {
	size_t yes, no;
};

/* y_ is read, n_ is not, i_ (up to the reader) does not crash; none of them is canonical
 * unless it comes out as it went in. */
static void
suite_file(void *arg, const char *path)
{
	struct suite_tally *t = arg;
	const char *name = strrchr(path, '/') + 1;
	CLEANUP(jcs_freep) struct jcs *v = NULL, *strict = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT, out = BUF_INIT;
	bool read;
	struct err e;

	corpus_read(path, &text);
	read = jcs_decode_any(text.data, text.len, JCS_TEST_MAX, &v, &e) == 0;
	if (name[0] == 'n')
		ck_assert_msg(!read, "%s was read", name);
	if (name[0] == 'y' && !suite_narrowed(name))
		ck_assert_msg(read, "%s: %s", name, e.msg);
	t->yes += name[0] == 'y' && read;
	t->no += name[0] == 'n';
	if (jcs_decode(text.data, text.len, JCS_TEST_MAX, &strict, &e) != 0)
		return;
	UNIT_OK(jcs_encode(strict, &out, &e), &e);
	ck_assert(out.len == text.len && memcmp(out.data, text.data, out.len) == 0);
	ck_assert(read);
}

START_TEST(jcs_test_suite)
{
	struct suite_tally t = {0};

	if (!corpus_has("nst_JSONTestSuite/test_parsing"))
		return;
	corpus_each("nst_JSONTestSuite/test_parsing", suite_file, &t);
	printf("JSONTestSuite: %zu read, %zu refused\n", t.yes, t.no);
	ck_assert_uint_ge(t.yes, 10);
	ck_assert_uint_ge(t.no, 20);
}
END_TEST

UNIT_SUITE(jcs)
{
	tcase_add_test(tc, jcs_test_suite);
	tcase_add_test(tc, jcs_canonical);
	tcase_add_test(tc, jcs_sure_of_plain);
	tcase_add_test(tc, jcs_refused);
	tcase_add_test(tc, jcs_jansson_minus_zero);
	tcase_add_test(tc, jcs_jansson_large_numbers);
	tcase_add_test(tc, jcs_jansson_escape_case);
	tcase_add_test(tc, jcs_jansson_depth);
	tcase_add_test(tc, jcs_limit);
	tcase_add_test(tc, jcs_any);
	tcase_add_test(tc, jcs_read);
	tcase_add_test(tc, jcs_build);
	tcase_add_test(tc, jcs_sticky);
	tcase_add_test(tc, jcs_flips);
	tcase_add_test(tc, values_are_counted);
}
