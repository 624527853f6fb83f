/*
 * Canonical text told without a value made of it, for who reads very many documents.  Only what
 * is written most plainly is known here: where anything else stands, jcs_decode() decides.
 * tests/fuzz/jcs.c holds the two against each other.
 */
#include <string.h>
#include "base/path.h"
#include "codec/jcs.h"

#define CHECK_INT_DIGITS 16 /* of 2^53-1 */
#define CHECK_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A part of the text. */
struct check_span {
	const unsigned char *at;
	size_t len;
	bool ascii;
};

struct check {
	const unsigned char *at, *end;
	size_t nodes;
	struct check_span name, value;  /* the member that the document must have */
	bool found;
};

static bool
check_take(struct check *c, int byte)
{
	if (c->at == c->end || *c->at != byte)
		return false;
	c->at++;
	return true;
}

static bool
check_word(struct check *c, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* All of eight bytes are ASCII that stands for itself in a string. */
static bool
check_plain_eight(const unsigned char *p)
{
	uint64_t x, quote, backslash;

	memcpy(&x, p, sizeof x);
	quote = x ^ CHECK_EACH('"');
	backslash = x ^ CHECK_EACH('\\');
	/* a borrow comes only from a byte that is found itself */
	return ((x | (x - CHECK_EACH(0x20)) | (quote - CHECK_EACH(1)) | (backslash - CHECK_EACH(1))) &
	    CHECK_EACH(0x80)) == 0;
}

/* Bytes that stand for themselves; *ascii is cleared by others than ASCII. */
static void
check_plain(struct check *c, bool *ascii)
{
	while (c->end - c->at >= 8 && check_plain_eight(c->at))
		c->at += 8;
	for (; c->at < c->end && *c->at >= 0x20 && *c->at != '"' && *c->at != '\\'; c->at++)
		*ascii &= *c->at < 0x80;
}

/* What may stand behind a backslash; quotes first, of which events are full. */
static bool
check_escaped(unsigned char byte)
{
	return byte == '"' || byte == '\\' || (byte != '\0' && strchr("btnfr", byte) != NULL);
}

/* From its opening quote on; *ret is what stands between the quotes. */
static bool
check_string(struct check *c, struct check_span *ret)
{
	if (!check_take(c, '"'))
		return false;
	ret->at = c->at;
	ret->ascii = true;
	for (;;) {
		check_plain(c, &ret->ascii);
		if (c->at == c->end || *c->at == '"')
			break;
		if (!check_take(c, '\\') || c->at == c->end || !check_escaped(*c->at))
			return false;
		c->at++;
	}
	ret->len = (size_t)(c->at - ret->at);
	/* what is escaped is ASCII: UTF-8 with and without it */
	return check_take(c, '"') && (ret->ascii || path_utf8_ok((const char *)ret->at, ret->len));
}

static bool
check_int(struct check *c)
{
	bool minus = check_take(c, '-');
	const unsigned char *first = c->at;
	int64_t n = 0;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - first < CHECK_INT_DIGITS)
		n = n * 10 + (*c->at++ - '0');
	if (c->at == first || n > JCS_INT_MAX)
		return false;
	return *first != '0' || (!minus && c->at == first + 1);
}

static bool
check_equal(const struct check_span *a, const struct check_span *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

/* Names are compared as they are written: one with an escape is not known here. */
static bool
check_name(struct check *c, struct check_span *before, struct check_span *ret)
{
	size_t common;
	int order;

	if (!check_string(c, ret) || !ret->ascii || memchr(ret->at, '\\', ret->len) != NULL ||
	    !check_take(c, ':'))
		return false;
	if (before->at != NULL) {
		common = before->len < ret->len ? before->len : ret->len;
		order = memcmp(before->at, ret->at, common);
		if (order > 0 || (order == 0 && before->len >= ret->len))
			return false;
	}
	*before = *ret;
	return true;
}

static bool check_value(struct check *c, size_t depth, struct check_span *ret_string);

static bool
check_member(struct check *c, size_t depth, struct check_span *before)
{
	struct check_span name, text = {.at = NULL};

	if (!check_name(c, before, &name) || !check_value(c, depth + 1, &text))
		return false;
	if (depth == 0 && text.at != NULL && check_equal(&name, &c->name))
		c->found = check_equal(&text, &c->value);
	return true;
}

static bool
check_items(struct check *c, size_t depth, bool object)
{
	struct check_span before = {.at = NULL}, ignored;
	int end = object ? '}' : ']';

	if (depth == JCS_DEPTH_MAX)
		return false;
	if (check_take(c, end))
		return true;
	do {
		if (++c->nodes > JCS_NODES_MAX ||
		    !(object ? check_member(c, depth, &before) : check_value(c, depth + 1, &ignored)))
			return false;
	} while (check_take(c, ','));
	return check_take(c, end);
}

/* *ret_string is set when it is one. */
/* NOLINTNEXTLINE(misc-no-recursion): bounded by JCS_DEPTH_MAX */
static bool
check_value(struct check *c, size_t depth, struct check_span *ret_string)
{
	switch (c->at < c->end ? *c->at : '\0') {
	case '{':
		c->at++;
		return check_items(c, depth, true);
	case '[':
		c->at++;
		return check_items(c, depth, false);
	case '"':
		return check_string(c, ret_string);
	case 't':
		return check_word(c, "true");
	case 'f':
		return check_word(c, "false");
	case 'n':
		return check_word(c, "null");
	default:
		return check_int(c);
	}
}

bool
jcs_sure(const void *data, size_t len, size_t max, const char *name, const char *value)
{
	struct check c = {.at = data, .end = (const unsigned char *)data + len, .nodes = 1,
	    .name = {(const unsigned char *)name, strlen(name), true},
	    .value = {(const unsigned char *)value, strlen(value), true}};
	struct check_span ignored;

	if (len == 0 || len > max || !check_value(&c, 0, &ignored))
		return false;
	return c.at == c.end && c.found;
}
