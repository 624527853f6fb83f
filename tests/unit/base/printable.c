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

/* All at once, and byte by byte. */
static void
output_gives(const char *text, const char *expected)
{
	for (int pieces = 0; pieces < 2; pieces++) {
		CLEANUP(buf_free) struct buf held = BUF_INIT;
		CLEANUP(buf_free) struct buf out = BUF_INIT;
		size_t len = strlen(text), step = pieces ? 1 : len;

		for (size_t i = 0; i < len; i += step) {
			printable_output(&held, text + i, step, false, &out);
			ck_assert_uint_le(held.len, 40);
		}
		printable_output(&held, "", 0, true, &out);
		ck_assert_uint_eq(held.len, 0);
		ck_assert_str_eq(buf_str(&out), expected);
	}
}

START_TEST(output_writes_and_colours)
{
	output_gives("a\tb\r\n10 %\rg\b\xc3\xb6\xc3\x9f\xe4\xb8\x80\n", "a\tb\r\n10 %\rg\b\xc3\xb6\xc3\x9f\xe4\xb8\x80\n");
	output_gives("\033[1;31mred\033[0m\033[m\033[K", "\033[1;31mred\033[0m\033[m\033[K");
}
END_TEST

START_TEST(output_does_nothing_else)
{
	output_gives("\033]0;title\007", "\\x1b]0;title\\x07");
	output_gives("\033]52;c;aGk=\033\\", "\\x1b]52;c;aGk=\\x1b\\");
	output_gives("\033[2J\033[6n\033[c", "\\x1b[2J\\x1b[6n\\x1b[c");
	output_gives("\033[>4;2m\033[?25l", "\\x1b[>4;2m\\x1b[?25l");
	output_gives("\033Pq\0339\033\033[m", "\\x1bPq\\x1b9\\x1b\033[m");
	output_gives("\xc2\x9b" "6n\x90", "\\xc2\\x9b6n\\x90");
	output_gives("\xe2\x80\xae\xff\xe4\xb8", "\\xe2\\x80\\xae\\xff\\xe4\\xb8");
	output_gives("\033", "\\x1b");
	output_gives("\033[", "\\x1b[");
	output_gives("\033[1111111111111111111111111111111111111111m",
	    "\\x1b[1111111111111111111111111111111111111111m");
}
END_TEST

UNIT_SUITE(printable)
{
	tcase_add_test(tc, harmless_text_stays);
	tcase_add_test(tc, terminal_is_safe);
	tcase_add_test(tc, bytes_that_are_not_utf8);
	tcase_add_test(tc, long_text_is_cut);
	tcase_add_test(tc, output_writes_and_colours);
	tcase_add_test(tc, output_does_nothing_else);
}
