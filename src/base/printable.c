#include "base/printable.h"

#include <stdint.h>
#include <string.h>

#define PRINTABLE_ESCAPE_MAX 32

static size_t
printable_lead(unsigned char c)
{
	return c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
}

/* Length of the UTF-8 sequence at s (RFC 3629), 0 if there is none. */
static size_t
printable_sequence(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = printable_lead(s[0]);
	uint32_t c;

	if (n == 0)
		return 0;
	c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

/* Controls, and what turns text around or hides it. */
static bool
printable_harmless(uint32_t c)
{
	return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && !(c >= 0x200b && c <= 0x200f) &&
	    !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff &&
	    c != 0x61c;
}

char *
printable(const char *text, struct err *e)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	const unsigned char *s = (const unsigned char *)text;

	buf_adds(&out, "");
	while (*s != '\0' && out.len < PRINTABLE_MAX && !out.failed) {
		uint32_t c = 0;
		size_t n = printable_sequence(s, &c);

		if (n != 0 && printable_harmless(c)) {
			buf_add(&out, s, n);
			s += n;
			continue;
		}
		if (n == 0)
			n = 1;
		while (n-- > 0)
			buf_addf(&out, "\\x%02x", *s++);
	}
	if (*s != '\0')
		buf_adds(&out, "...");
	return buf_steal(&out, e);
}

/* ESC and what follows: colours ("m") and "K", clearing the line (ECMA-48 sections 8.3.117 and
 * 8.3.41), stay.  0: incomplete. */
static size_t
printable_escape(const unsigned char *s, size_t len, bool last, bool *ret_plain)
{
	size_t n = 2;

	if (len >= 2 && s[1] != '[')
		return 1;
	while (n < len && n < PRINTABLE_ESCAPE_MAX && ((s[n] >= '0' && s[n] <= '9') || s[n] == ';'))
		n++;
	if (n >= len)
		return last ? 1 : 0;
	*ret_plain = s[n] == 'm' || s[n] == 'K';
	return *ret_plain ? n + 1 : 1;
}

/* Bytes that belong together, and whether they stay.  0: incomplete. */
static size_t
printable_unit(const unsigned char *s, size_t len, bool last, bool *ret_plain)
{
	uint32_t c = 0;
	size_t n;

	*ret_plain = false;
	if (*s == 0x1b)
		return printable_escape(s, len, last, ret_plain);
	if (printable_lead(*s) > len && !last)
		return 0;
	n = printable_sequence(s, &c); /* the NUL after the bytes continues none */
	*ret_plain = n != 0 && (printable_harmless(c) || c == '\n' || c == '\r' || c == '\t' ||
	    c == '\b');
	return n != 0 ? n : 1;
}

void
printable_output(struct buf *held, const void *data, size_t len, bool last, struct buf *ret)
{
	size_t at = 0;

	if (len > 0)
		buf_add(held, data, len);
	while (!held->failed && at < held->len) {
		bool plain;
		size_t n = printable_unit(held->data + at, held->len - at, last, &plain);

		if (n == 0)
			break;
		if (plain)
			buf_add(ret, held->data + at, n);
		for (size_t i = 0; !plain && i < n; i++)
			buf_addf(ret, "\\x%02x", held->data[at + i]);
		at += n;
	}
	if (at > 0) {
		memmove(held->data, held->data + at, held->len - at + 1); /* with its NUL */
		held->len -= at;
	}
}
