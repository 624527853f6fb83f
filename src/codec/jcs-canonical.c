/*
 * The reader of canonical text, in one pass and with no other library: what is
 * not written as jcs_encode() would write it is refused where it stands.
 * tests/fuzz/jcs.c holds it against the reader of any JSON and the writer.
 */
#include <string.h>
#include "base/array.h"
#include "base/path.h"
#include "codec/jcs-node.h"

#define CANONICAL_INT_DIGITS 16 /* of 2^53-1 */

struct canonical {
	const unsigned char *text;
	size_t len, at, nodes;
};

static int
canonical_bad(const struct canonical *c, const char *why, struct err *e)
{
	return err_set(e, ERR_FORMAT, "JSON is not in canonical form at byte %zu: %s", c->at, why);
}

/* The next byte, -1 at the end. */
static int
canonical_peek(const struct canonical *c)
{
	return c->at < c->len ? c->text[c->at] : -1;
}

static bool
canonical_take(struct canonical *c, const char *word)
{
	size_t len = strlen(word);

	if (c->len - c->at < len || memcmp(c->text + c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* What stands behind a backslash: its value, or -1. RFC 8785 section 3.2.2.2. */
static int
canonical_escape(struct canonical *c)
{
	static const char letters[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = c->text + c->at;
	const char *letter, *low;
	int value;

	if (c->at == c->len)
		return -1;
	letter = *p != '\0' ? strchr(letters, *p) : NULL;
	if (letter != NULL) {
		c->at++;
		return values[letter - letters];
	}
	if (c->len - c->at < 5 || memcmp(p, "u00", 3) != 0 || (p[3] != '0' && p[3] != '1') ||
	    p[4] == '\0' || (low = strchr(digits, p[4])) == NULL)
		return -1;
	value = (p[3] - '0') * 16 + (int)(low - digits);
	if (value == 0 || strchr(values, value) != NULL)
		return -1;
	c->at += 5;
	return value;
}

/* Bytes that stand for themselves. */
static size_t
canonical_plain(const struct canonical *c)
{
	size_t i = c->at;

	while (i < c->len && c->text[i] >= 0x20 && c->text[i] != '"' && c->text[i] != '\\')
		i++;
	return i - c->at;
}

/* A string from its opening quote on; *ret is malloc'd. */
static int
canonical_string(struct canonical *c, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *text = NULL;
	size_t used = 0, cap = 0;

	if (!canonical_take(c, "\""))
		return canonical_bad(c, "no string", e);
	for (;;) {
		size_t n = canonical_plain(c);
		int value = -1;

		if (used + n + 2 > cap) {
			char *more = realloc(text, cap = 2 * (used + n) + 2);

			if (more == NULL)
				return err_nomem(e);
			text = more;
		}
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): there is room, so there is text */
		memcpy(text + used, c->text + c->at, n);
		used += n;
		c->at += n;
		if (canonical_take(c, "\""))
			break;
		if (!canonical_take(c, "\\") || (value = canonical_escape(c)) < 0)
			return canonical_bad(c, "a string that does not end, or an escape", e);
		text[used++] = (char)value;
	}
	text[used] = '\0';
	if (!path_utf8_ok(text, used))
		return canonical_bad(c, "a string before it is not UTF-8", e);
	*ret = text;
	text = NULL;
	return 0;
}

static int
canonical_int(struct canonical *c, int64_t *ret, struct err *e)
{
	bool minus = canonical_take(c, "-");
	size_t start = c->at;
	int64_t n = 0;

	while (c->at < c->len && c->text[c->at] >= '0' && c->text[c->at] <= '9' &&
	    c->at - start < CANONICAL_INT_DIGITS)
		n = n * 10 + (c->text[c->at++] - '0');
	if (c->at == start)
		return canonical_bad(c, "no value", e);
	if ((c->text[start] == '0' && (minus || c->at > start + 1)) || n > JCS_INT_MAX)
		return canonical_bad(c, "a number that is not written so, or is beyond 2^53-1", e);
	*ret = minus ? -n : n;
	return 0;
}

static int canonical_value(struct canonical *c, size_t depth, struct jcs *v, struct err *e);

/* Room for one more; the slot counts only once it is filled. */
static struct jcs_slot *
canonical_slot(struct jcs *v, struct err *e)
{
	if (ARRAY_ROOM(v->slots, v->count, v->cap, e) != 0)
		return NULL;
	v->slots[v->count] = (struct jcs_slot){0};
	return &v->slots[v->count];
}

/* A member's name and colon: ASCII, and after the one before it. */
static int
canonical_name(struct canonical *c, struct jcs *v, struct jcs_slot *slot, struct err *e)
{
	const char *before = v->count > 0 ? v->slots[v->count - 1].name : NULL;

	if (canonical_string(c, &slot->name, e) != 0)
		return -1;
	v->count++;
	for (const char *p = slot->name; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return canonical_bad(c, "a member name that is not ASCII", e);
	if (before != NULL && strcmp(before, slot->name) >= 0)
		return canonical_bad(c, "a member name twice or out of order", e);
	if (!canonical_take(c, ":"))
		return canonical_bad(c, "no colon", e);
	return 0;
}

static int
canonical_item(struct canonical *c, size_t depth, struct jcs *v, struct err *e)
{
	struct jcs_slot *slot = canonical_slot(v, e);

	if (slot == NULL)
		return -1;
	if (v->type == JCS_OBJECT) {
		if (canonical_name(c, v, slot, e) != 0)
			return -1;
	} else {
		v->count++;
	}
	if (++c->nodes > JCS_NODES_MAX)
		return err_set(e, ERR_LIMIT, "JSON: more than %d values", JCS_NODES_MAX);
	slot->value = calloc(1, sizeof *slot->value);
	if (slot->value == NULL)
		return err_nomem(e);
	return canonical_value(c, depth + 1, slot->value, e);
}

static int
canonical_items(struct canonical *c, size_t depth, struct jcs *v, struct err *e)
{
	const char *end = v->type == JCS_OBJECT ? "}" : "]";

	if (depth == JCS_DEPTH_MAX)
		return err_set(e, ERR_FORMAT, "JSON nested deeper than %d at byte %zu", JCS_DEPTH_MAX,
		    c->at - 1);
	if (canonical_take(c, end))
		return 0;
	do {
		if (canonical_item(c, depth, v, e) != 0)
			return -1;
	} while (canonical_take(c, ","));
	return canonical_take(c, end) ? 0 : canonical_bad(c, "neither a comma nor an end", e);
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by JCS_DEPTH_MAX */
static int
canonical_value(struct canonical *c, size_t depth, struct jcs *v, struct err *e)
{
	switch (canonical_peek(c)) {
	case '{':
	case '[':
		v->type = c->text[c->at++] == '{' ? JCS_OBJECT : JCS_ARRAY;
		return canonical_items(c, depth, v, e);
	case '"':
		v->type = JCS_STRING;
		return canonical_string(c, &v->text, e);
	case 't':
	case 'f':
		v->type = JCS_BOOL;
		v->truth = canonical_take(c, "true");
		return v->truth || canonical_take(c, "false") ? 0 : canonical_bad(c, "no value", e);
	case 'n':
		v->type = JCS_NULL;
		return canonical_take(c, "null") ? 0 : canonical_bad(c, "no value", e);
	default:
		v->type = JCS_INT;
		return canonical_int(c, &v->number, e);
	}
}

int
jcs_decode(const void *data, size_t len, size_t max, struct jcs **ret, struct err *e)
{
	struct canonical c = {.text = data, .len = len, .nodes = 1};
	CLEANUP(jcs_freep) struct jcs *v = NULL;

	if (len > max)
		return err_set(e, ERR_LIMIT, "JSON longer than %zu bytes", max);
	if (len == 0)
		return err_set(e, ERR_FORMAT, "JSON: the text is empty");
	v = calloc(1, sizeof *v);
	if (v == NULL)
		return err_nomem(e);
	if (canonical_value(&c, 0, v, e) != 0)
		return -1;
	if (c.at != len)
		return canonical_bad(&c, "something follows the document", e);
	*ret = v;
	v = NULL;
	return 0;
}
