#include "base/hex.h"

#include <string.h>

/* One more than the value of a digit. */
static const signed char hex_values[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static int
hex_value(char c)
{
	return hex_values[(unsigned char)c] - 1;
}

void
hex_encode(char *ret_text, const void *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		ret_text[2 * i] = digits[p[i] >> 4];
		ret_text[2 * i + 1] = digits[p[i] & 15];
	}
	ret_text[2 * len] = '\0';
}

int
hex_decode(unsigned char *ret_data, size_t len, const char *text, struct err *e)
{
	if (strnlen(text, 2 * len + 1) != 2 * len)
		return err_set(e, ERR_FORMAT, "expected %zu hexadecimal digits", 2 * len);
	for (size_t i = 0; i < 2 * len; i++)
		if (hex_value(text[i]) < 0)
			return err_set(e, ERR_FORMAT, "expected %zu lower-case hexadecimal digits", 2 * len);
	for (size_t i = 0; i < len; i++)
		ret_data[i] = (unsigned char)((unsigned)hex_value(text[2 * i]) << 4 |
		    (unsigned)hex_value(text[2 * i + 1]));
	return 0;
}

static int
hex_value_any(char c)
{
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : hex_value(c);
}

int
hex_decode_any(unsigned char *ret_data, size_t len, const char *text, struct err *e)
{
	bool ok = strnlen(text, 2 * len + 1) == 2 * len;

	for (size_t i = 0; ok && i < 2 * len; i++)
		ok = hex_value_any(text[i]) >= 0;
	if (!ok)
		return err_set(e, ERR_FORMAT, "expected %zu hexadecimal digits", 2 * len);
	for (size_t i = 0; i < len; i++)
		ret_data[i] = (unsigned char)((unsigned)hex_value_any(text[2 * i]) << 4 |
		    (unsigned)hex_value_any(text[2 * i + 1]));
	return 0;
}

bool
hex_is(const char *text, size_t n)
{
	size_t len = strnlen(text, n + 1);

	if (len == 0 || len > n)
		return false;
	for (size_t i = 0; i < len; i++)
		if (hex_value(text[i]) < 0)
			return false;
	return true;
}
