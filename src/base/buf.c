#include "base/buf.h"

#include <string.h>

static int
buf_grow(struct buf *b, size_t need)
{
	size_t max = b->max != 0 && b->max < SIZE_MAX / 2 ? b->max : SIZE_MAX / 2;
	size_t cap = b->cap != 0 ? b->cap : 64;
	unsigned char *data;

	if (b->failed)
		return -1;
	if (b->len > max || need > max - b->len) {
		b->over = b->max != 0;
		goto fail;
	}
	need += b->len + 1;
	if (need <= b->cap)
		return 0;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	data = realloc(b->data, cap);
	if (data == NULL)
		goto fail;
	b->data = data;
	b->cap = cap;
	return 0;
fail:
	b->failed = true;
	return -1;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (buf_grow(b, len) != 0)
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void
buf_addc(struct buf *b, int c)
{
	unsigned char byte = (unsigned char)c;

	buf_add(b, &byte, 1);
}

void
buf_addu(struct buf *b, uint64_t n)
{
	char text[20]; /* of 2^64 - 1 */
	size_t at = sizeof text;

	do
		text[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_add(b, text + at, sizeof text - at);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->len; /* most texts fit it: formatted once */
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? (char *)b->data + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0 || buf_grow(b, (size_t)n) != 0) {
		b->failed = true;
		if (room > 0)
			b->data[b->len] = '\0';
		return;
	}
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

int
buf_reserve(struct buf *b, size_t len, struct err *e)
{
	if (buf_grow(b, len) != 0)
		return buf_check(b, e);
	return 0;
}

int
buf_check(const struct buf *b, struct err *e)
{
	if (!b->failed)
		return 0;
	if (b->over)
		return err_set(e, ERR_LIMIT, "longer than %zu bytes", b->max);
	return err_nomem(e);
}

const char *
buf_str(const struct buf *b)
{
	return b->data != NULL ? (const char *)b->data : "";
}

char *
buf_steal(struct buf *b, struct err *e)
{
	char *text;

	buf_add(b, "", 0);
	if (buf_check(b, e) != 0)
		return NULL;
	text = (char *)b->data;
	*b = (struct buf){.max = b->max};
	return text;
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = b->over = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.max = b->max};
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}

char *
buf_strdup(const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (copy == NULL)
		err_nomem(e);
	return copy;
}

char *
buf_strfmt(struct err *e, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		err_nomem(e);
		return NULL;
	}
	return text;
}
