#include "unit.h"

#include <string.h>
#include "base/hex.h"

START_TEST(test_hex_encode)
{
	char text[7];

	hex_encode(text, "\x00\x7f\xff", 3);
	ck_assert_str_eq(text, "007fff");
	hex_encode(text, "", 0);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(test_hex_every_byte_round_trips)
{
	struct err e;

	for (unsigned i = 0; i < 256; i++) {
		unsigned char in = (unsigned char)i, out = (unsigned char)~i;
		char text[3];

		hex_encode(text, &in, 1);
		UNIT_OK(hex_decode(&out, 1, text, &e), &e);
		ck_assert_uint_eq(out, i);
	}
}
END_TEST

static const char *const hex_bad[] = {
	"", "0", "000", "00000", "0g00", "0000 ", " 000", "00 0", "0x00", "00AB", "ABCD", "abcD",
	"00\n0", "-001", "+001", "\xc3\xa9!!", "ab/0", "ab:0", "ab`0", "ab@0",
};

START_TEST(test_hex_decode_refuses)
{
	unsigned char out[2] = {1, 2};
	struct err e;

	UNIT_FAILS(hex_decode(out, 2, hex_bad[_i], &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(out[0], 1); /* written only on success */
	ck_assert_uint_eq(out[1], 2);
}
END_TEST

START_TEST(test_hex_decode_any)
{
	unsigned char out[2] = {1, 2};
	struct err e;

	UNIT_OK(hex_decode_any(out, 2, "aBFf", &e), &e);
	ck_assert_uint_eq(out[0], 0xab);
	ck_assert_uint_eq(out[1], 0xff);
	UNIT_FAILS(hex_decode_any(out, 2, "aBFg", &e), &e, ERR_FORMAT);
	UNIT_FAILS(hex_decode_any(out, 2, "aBF", &e), &e, ERR_FORMAT);
	UNIT_FAILS(hex_decode_any(out, 2, "aBFf0", &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(out[0], 0xab);
}
END_TEST

START_TEST(test_hex_is)
{
	ck_assert(hex_is("0", 1));
	ck_assert(hex_is("a", 64));
	ck_assert(hex_is("0123456789abcdef", 16));
	ck_assert(!hex_is("0123456789abcdef", 15));
	ck_assert(!hex_is("", 64));
	ck_assert(!hex_is("A", 64));
	ck_assert(!hex_is("ag", 64));
	ck_assert(!hex_is("a b", 64));
}
END_TEST

UNIT_SUITE(hex)
{
	tcase_add_test(tc, test_hex_encode);
	tcase_add_test(tc, test_hex_every_byte_round_trips);
	tcase_add_loop_test(tc, test_hex_decode_refuses, 0, sizeof hex_bad / sizeof hex_bad[0]);
	tcase_add_test(tc, test_hex_decode_any);
	tcase_add_test(tc, test_hex_is);
}
