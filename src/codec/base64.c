#include "codec/base64.h"

static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *ret, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		unsigned bits = (unsigned)p[i] << 16;
		char quad[4];

		if (n > 1)
			bits |= (unsigned)p[i + 1] << 8;
		if (n > 2)
			bits |= p[i + 2];
		quad[0] = base64_alphabet[bits >> 18];
		quad[1] = base64_alphabet[bits >> 12 & 63];
		quad[2] = n > 1 ? base64_alphabet[bits >> 6 & 63] : '=';
		quad[3] = n > 2 ? base64_alphabet[bits & 63] : '=';
		buf_add(ret, quad, 4);
	}
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One group of four characters; pad of them are '='. Spare bits must be zero. */
static int
base64_group(unsigned char bytes[3], const char *text, size_t pad)
{
	unsigned bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int value = i < 4 - pad ? base64_value(text[i]) : 0;

		if (value < 0)
			return -1;
		bits = bits << 6 | (unsigned)value;
	}
	if ((pad == 1 && (bits & 0xff) != 0) || (pad == 2 && (bits & 0xffff) != 0))
		return -1;
	bytes[0] = (unsigned char)(bits >> 16);
	bytes[1] = (unsigned char)(bits >> 8);
	bytes[2] = (unsigned char)bits;
	return 0;
}

/* ret may be NULL: is the text canonical? */
static int
base64_groups(struct buf *ret, const char *text, size_t len, struct err *e)
{
	unsigned char bytes[3];

	if (len % 4 != 0)
		return err_set(e, ERR_FORMAT, "base64: the length is no multiple of four");
	if (ret != NULL && buf_reserve(ret, len / 4 * 3, e) != 0)
		return -1;
	for (size_t i = 0; i < len; i += 4) {
		size_t pad = 0;

		if (i + 4 == len && text[len - 1] == '=')
			pad = text[len - 2] == '=' ? 2 : 1;
		if (base64_group(bytes, text + i, pad) != 0)
			return err_set(e, ERR_FORMAT, "base64: not canonical at character %zu", i + 1);
		if (ret != NULL)
			buf_add(ret, bytes, 3 - pad);
	}
	return 0;
}

bool
base64_canonical(const char *text, size_t len)
{
	return base64_groups(NULL, text, len, NULL) == 0;
}

int
base64_decode(struct buf *ret, const char *text, size_t len, struct err *e)
{
	size_t start = ret->len;

	if (base64_groups(ret, text, len, e) != 0) {
		if (ret->data != NULL) {
			ret->len = start;
			ret->data[start] = '\0';
		}
		return -1;
	}
	return buf_check(ret, e);
}

int
base64_decode_url(struct buf *ret, const char *text, size_t len, struct err *e)
{
	CLEANUP(buf_free) struct buf plain = BUF_INIT;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '+' || text[i] == '/' || text[i] == '=')
			return err_set(e, ERR_FORMAT, "base64url: not canonical at character %zu", i + 1);
		buf_addc(&plain, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	}
	while (plain.len % 4 != 0 && !plain.failed)
		buf_addc(&plain, '=');
	if (buf_check(&plain, e) != 0)
		return -1;
	return base64_decode(ret, buf_str(&plain), plain.len, e);
}
