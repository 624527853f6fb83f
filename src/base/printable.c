#include "base/printable.h"

#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (RFC 3629), 0 if there is none. */
static size_t
printable_sequence(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
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
