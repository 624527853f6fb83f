#include "base/printable.h"

#include <string.h>
#include "unit.h"

static void
gives(const char *text, const char *expected)
{
	CLEANUP(cleanup_free) char *found = NULL;
	struct err e;

	found = printable(text, &e);
	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found, expected);
}

START_TEST(harmless_text_stays)
{
	gives("", "");
	gives("model.safetensors", "model.safetensors");
	gives("größe 模型 😀", "größe 模型 😀");
}
END_TEST

START_TEST(terminal_is_safe)
{
	gives("a\033[2Jb\n\r\t\x7f", "a\\x1b[2Jb\\x0a\\x0d\\x09\\x7f");
	gives("\xc2\x9b" "31m", "\\xc2\\x9b31m");           /* C1 CSI */
	gives("\xe2\x80\xae" "gpj.exe", "\\xe2\\x80\\xaegpj.exe"); /* right-to-left override */
	gives("\xe2\x80\x8b", "\\xe2\\x80\\x8b");           /* zero width space */
	gives("\xef\xbb\xbf", "\\xef\\xbb\\xbf");
}
END_TEST

START_TEST(bytes_that_are_not_utf8)
{
	gives("\xff", "\\xff");
	gives("\xc3", "\\xc3");
	gives("\xc0\xaf", "\\xc0\\xaf");                    /* overlong */
	gives("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	gives("\xed\xa0\x80", "\\xed\\xa0\\x80");           /* surrogate */
	gives("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");  /* beyond U+10FFFF */
	gives("\xf0\x9f\x98", "\\xf0\\x9f\\x98");           /* cut short */
	gives("\xe2\x82z", "\\xe2\\x82z");
}
END_TEST

START_TEST(long_text_is_cut)
{
	CLEANUP(cleanup_free) char *found = NULL;
	char text[2 * PRINTABLE_MAX];
	struct err e;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	found = printable(text, &e);
	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(strlen(found), PRINTABLE_MAX + 3);
	ck_assert_str_eq(found + PRINTABLE_MAX, "...");
	text[PRINTABLE_MAX] = '\0';
	gives(text, text);
}
END_TEST

UNIT_SUITE(printable)
{
	tcase_add_test(tc, harmless_text_stays);
	tcase_add_test(tc, terminal_is_safe);
	tcase_add_test(tc, bytes_that_are_not_utf8);
	tcase_add_test(tc, long_text_is_cut);
}
