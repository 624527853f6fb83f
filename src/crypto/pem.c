#include "crypto/pem.h"

#include <openssl/evp.h>
#include <string.h>

#define PEM_DASHES "-----"
#define PEM_BLOCK_MAX (256u * 1024) /* base64 characters */

struct pem_line {
	const char *text;
	size_t len;         /* without the line end and blanks before it */
};

/* False at the end of the text. */
static bool
pem_line_next(const char *text, size_t len, size_t *offset, struct pem_line *ret)
{
	const char *start = text + *offset, *newline;
	size_t n;

	if (*offset >= len)
		return false;
	newline = memchr(start, '\n', len - *offset);
	n = newline != NULL ? (size_t)(newline - start) : len - *offset;
	*offset += n + (newline != NULL ? 1 : 0);
	while (n > 0 && (start[n - 1] == '\r' || start[n - 1] == ' ' || start[n - 1] == '\t'))
		n--;
	*ret = (struct pem_line){start, n};
	return true;
}

/* "-----BEGIN label-----": the label, or false. */
static bool
pem_marker(const struct pem_line *l, const char *word, char ret_label[PEM_LABEL_SIZE])
{
	size_t dashes = strlen(PEM_DASHES), head = dashes + strlen(word), n;

	if (l->len <= head + dashes || memcmp(l->text, PEM_DASHES, dashes) != 0 ||
	    memcmp(l->text + dashes, word, strlen(word)) != 0 ||
	    memcmp(l->text + l->len - dashes, PEM_DASHES, dashes) != 0)
		return false;
	n = l->len - head - dashes;
	if (n >= PEM_LABEL_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = l->text[head + i];

		if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != ' ')
			return false;
		ret_label[i] = c;
	}
	ret_label[n] = '\0';
	return true;
}

/* Skips to the line after the next BEGIN. */
static int
pem_begin(const char *text, size_t len, size_t *offset, char ret_label[PEM_LABEL_SIZE],
    bool *ret_found, struct err *e)
{
	struct pem_line l;

	while (pem_line_next(text, len, offset, &l)) {
		if (pem_marker(&l, "BEGIN ", ret_label)) {
			*ret_found = true;
			return 0;
		}
		if (l.len >= strlen(PEM_DASHES) && memcmp(l.text, PEM_DASHES, strlen(PEM_DASHES)) == 0)
			return err_set(e, ERR_FORMAT, "PEM: a line of dashes that begins no block");
	}
	*ret_found = false;
	return 0;
}

static int
pem_body(const char *text, size_t len, size_t *offset, const char *label, struct buf *ret,
    struct err *e)
{
	char end[PEM_LABEL_SIZE];
	struct pem_line l;

	while (pem_line_next(text, len, offset, &l)) {
		if (pem_marker(&l, "END ", end)) {
			if (strcmp(end, label) != 0)
				return err_set(e, ERR_FORMAT, "PEM: a block begins as %s and ends as %s",
				    label, end);
			return buf_check(ret, e);
		}
		if (ret->len + l.len > PEM_BLOCK_MAX)
			return err_set(e, ERR_LIMIT, "PEM: a block of more than %u characters",
			    PEM_BLOCK_MAX);
		buf_add(ret, l.text, l.len);
	}
	return err_set(e, ERR_FORMAT, "PEM: a block without its END line");
}

/* libcrypto passes over blanks and spare bits: what it made is encoded again and compared. */
static int
pem_base64(const struct buf *text, struct buf *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	size_t padding = 0, size = text->len / 4 * 3;
	int n;

	while (padding < 2 && padding < text->len && text->data[text->len - 1 - padding] == '=')
		padding++;
	if (text->len == 0 || text->len % 4 != 0)
		return err_set(e, ERR_FORMAT, "PEM: a block that is not whole base64");
	if (buf_reserve(ret, size + 1, e) != 0 || buf_reserve(&again, text->len + 1, e) != 0)
		return -1;
	n = EVP_DecodeBlock(ret->data + ret->len, text->data, (int)text->len);
	if (n < 0 || (size_t)n != size ||
	    EVP_EncodeBlock(again.data, ret->data + ret->len, n - (int)padding) != (int)text->len ||
	    memcmp(again.data, text->data, text->len) != 0)
		return err_set(e, ERR_FORMAT, "PEM: a block that is not canonical base64");
	ret->len += size - padding;
	return 0;
}

int
pem_next(const void *text, size_t len, size_t *offset, char ret_label[PEM_LABEL_SIZE],
    struct buf *ret_der, bool *ret_found, struct err *e)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	char label[PEM_LABEL_SIZE];
	size_t at = *offset;
	bool found = false;

	if (pem_begin(text, len, &at, label, &found, e) != 0)
		return -1;
	if (found) {
		if (pem_body(text, len, &at, label, &body, e) != 0 ||
		    pem_base64(&body, ret_der, e) != 0)
			return -1;
		memcpy(ret_label, label, sizeof label);
	}
	*offset = at;
	*ret_found = found;
	return 0;
}
