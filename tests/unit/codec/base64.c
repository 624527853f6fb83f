#include "unit.h"

#include <string.h>
#include "codec/base64.h"

static void
base64_check_pair(const char *plain, size_t len, const char *text)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct err e;

	base64_encode(&out, plain, len);
	ck_assert_str_eq(buf_str(&out), text);
	UNIT_OK(base64_decode(&back, text, strlen(text), &e), &e);
	ck_assert_uint_eq(back.len, len);
	ck_assert_int_eq(memcmp(buf_str(&back), plain, len), 0);
	ck_assert(base64_canonical(text, strlen(text)));
}

START_TEST(base64_vectors) /* RFC 4648 section 10 */
{
	base64_check_pair("", 0, "");
	base64_check_pair("f", 1, "Zg==");
	base64_check_pair("fo", 2, "Zm8=");
	base64_check_pair("foo", 3, "Zm9v");
	base64_check_pair("foob", 4, "Zm9vYg==");
	base64_check_pair("fooba", 5, "Zm9vYmE=");
	base64_check_pair("foobar", 6, "Zm9vYmFy");
	base64_check_pair("\xfb\xff\xfe\0", 4, "+//+AA==");
}
END_TEST

START_TEST(base64_rejects)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8=Zg==", "Zg==Zg==", "====", "A===",
		"Zm9v\n", "Zm9vYg==\n", " Zg=", "Zm-v", "Zm_v", "Z=g=", "=Zg=", "Zg=A", "\xc3\xa9zz",
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP(buf_free) struct buf out = BUF_INIT;
		struct err e;

		buf_adds(&out, "kept");
		UNIT_FAILS(base64_decode(&out, bad[i], strlen(bad[i]), &e), &e, ERR_FORMAT);
		ck_assert_str_eq(buf_str(&out), "kept");
		ck_assert(!base64_canonical(bad[i], strlen(bad[i])));
	}
}
END_TEST

/* Every text of four characters that decodes encodes to itself again. */
START_TEST(base64_one_spelling)
{
	static const char chars[] = "AQgwBZ=/+9z-";
	const size_t n = sizeof chars - 1;
	size_t good = 0;

	for (size_t i = 0; i < n * n * n * n; i++) {
		const char text[5] = {chars[i % n], chars[i / n % n], chars[i / n / n % n],
		    chars[i / n / n / n]};
		CLEANUP(buf_free) struct buf out = BUF_INIT;
		CLEANUP(buf_free) struct buf again = BUF_INIT;

		if (base64_decode(&out, text, 4, NULL) != 0)
			continue;
		good++;
		base64_encode(&again, out.data, out.len);
		ck_assert_str_eq(buf_str(&again), text);
	}
	ck_assert_uint_gt(good, 1000);
}
END_TEST

START_TEST(base64_url)
{
	static const struct { const char *text, *bytes; size_t len; } good[] = {
		{"", "", 0}, {"AQAB", "\1\0\1", 3}, {"-_-_", "\373\377\277", 3}, {"AA", "", 1}, {"AAA", "\0", 2},
		{"_w", "\377", 1}, {"__8", "\377\377", 2},
	};
	static const char *const bad[] = {
		"A", "AAAAA", "AA==", "A+AA", "A/AA", "AB", "AAB", "AA A", "A\nAA", "\xc3\xa4",
	};
	struct err e;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		CLEANUP(buf_free) struct buf b = BUF_INIT;

		UNIT_OK(base64_decode_url(&b, good[i].text, strlen(good[i].text), &e), &e);
		ck_assert_uint_eq(b.len, good[i].len);
		ck_assert(memcmp(buf_str(&b), good[i].bytes, b.len) == 0);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CLEANUP(buf_free) struct buf b = BUF_INIT;

		UNIT_FAILS(base64_decode_url(&b, bad[i], strlen(bad[i]), &e), &e, ERR_FORMAT);
		ck_assert_uint_eq(b.len, 0);
	}
}
END_TEST

UNIT_SUITE(base64)
{
	tcase_add_test(tc, base64_vectors);
	tcase_add_test(tc, base64_rejects);
	tcase_add_test(tc, base64_one_spelling);
	tcase_add_test(tc, base64_url);
}
