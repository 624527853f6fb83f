#include "net/http-internal.h"

#include <string.h>
#include <strings.h>

/*
 * Decimal digits after the name, its colon and spaces; what follows them is not
 * looked at ("bytes 5-9/10"). -1: another header, no number, or one beyond all reason.
 */
static int64_t
http_header_number(const char *data, size_t len, const char *name)
{
	size_t i = strlen(name);
	int64_t n = 0;

	if (len <= i || strncasecmp(data, name, i) != 0)
		return -1;
	for (; i < len && data[i] == ' '; i++)
		;
	if (i == len || data[i] < '0' || data[i] > '9')
		return -1;
	for (; i < len && data[i] >= '0' && data[i] <= '9'; i++) {
		if (n > INT64_MAX / 10 - 10)
			return -1;
		n = n * 10 + (data[i] - '0');
	}
	return n;
}

/* A quoted string without control characters, as it is: it is only ever sent back. */
static void
http_header_etag(const char *data, size_t len, char ret[256])
{
	static const char name[] = "ETag:";
	size_t i = sizeof name - 1;

	if (len <= i || strncasecmp(data, name, i) != 0)
		return;
	ret[0] = '\0';
	for (; i < len && data[i] == ' '; i++)
		;
	while (len > i && (data[len - 1] == '\r' || data[len - 1] == '\n' || data[len - 1] == ' '))
		len--;
	if (len - i > 255)
		return;
	for (size_t k = i; k < len; k++)
		if ((unsigned char)data[k] < 0x21 || (unsigned char)data[k] > 0x7e)
			return;
	memcpy(ret, data + i, len - i);
	ret[len - i] = '\0';
}

void
http_header_take(const char *data, size_t len, struct http_response *r)
{
	const struct {
		const char *name;
		int64_t *value;
	} table[] = {
		{"Upload-Offset:", &r->upload_offset}, {"Retry-After:", &r->retry_after},
		{"Log-Offset:", &r->log_offset}, {"Content-Range: bytes", &r->range_start},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		int64_t n = http_header_number(data, len, table[i].name);

		if (n >= 0)
			*table[i].value = n;
	}
	http_header_etag(data, len, r->etag);
}
