#include "object/certificate-scan.h"

#include <string.h>

/* A part of the text. */
struct certificate_scan_span {
	const char *at;
	size_t len;
};

/* Moves *s behind the first token in it. */
static bool
certificate_scan_skip(struct certificate_scan_span *s, const char *token)
{
	size_t len = strlen(token);
	const char *found = memmem(s->at, s->len, token, len);

	if (found == NULL)
		return false;
	s->len -= (size_t)(found - s->at) + len;
	s->at = found + len;
	return true;
}

static bool
certificate_scan_ends(const struct certificate_scan_span *s, const char *token)
{
	size_t len = strlen(token);

	return s->len >= len && memcmp(s->at + s->len - len, token, len) == 0;
}

/* The value of a string in a string: up to the quote that ends it, nothing escaped. */
static bool
certificate_scan_value(const struct certificate_scan_span *s, struct certificate_scan_span *ret)
{
	const char *end = memchr(s->at, '\\', s->len);

	if (end == NULL || (size_t)(end - s->at) + 1 >= s->len || end[1] != '"')
		return false;
	*ret = (struct certificate_scan_span){s->at, (size_t)(end - s->at)};
	return true;
}

static bool
certificate_scan_id(struct certificate_scan_span *s, struct oid *ret)
{
	struct certificate_scan_span value;
	char hex[OID_HEX_SIZE];

	if (!certificate_scan_skip(s, "\\\"sha256\\\":\\\"") || !certificate_scan_value(s, &value) ||
	    value.len != OID_HEX_SIZE - 1)
		return false;
	memcpy(hex, value.at, sizeof hex - 1);
	hex[sizeof hex - 1] = '\0';
	return oid_from_hex(ret, hex, NULL) == 0;
}

/* Members are in the order of their names: digests, event, ..., path, ..., type, v. */
static bool
certificate_scan_event(struct certificate_scan_span text, struct certificate_scan_item *ret)
{
	struct certificate_scan_span kind, path;

	*ret = (struct certificate_scan_item){.output = false};
	if (certificate_scan_ends(&text, "\\\"type\\\":\\\"tree\\\",\\\"v\\\":1}"))
		ret->type = OBJECT_TREE;
	else if (certificate_scan_ends(&text, "\\\"type\\\":\\\"blob\\\",\\\"v\\\":1}"))
		ret->type = OBJECT_BLOB;
	else
		return false;
	if (!certificate_scan_id(&text, &ret->id) || !certificate_scan_skip(&text, "},\\\"event\\\":\\\"") ||
	    !certificate_scan_value(&text, &kind))
		return false;
	if (kind.len == 14 && memcmp(kind.at, "input_resource", 14) == 0)
		return true;
	if (kind.len != 15 || memcmp(kind.at, "output_resource", 15) != 0 ||
	    !certificate_scan_skip(&text, "\\\"path\\\":\\\"") || !certificate_scan_value(&text, &path))
		return false;
	ret->output = true;
	ret->path = path.at;
	ret->path_len = path.len;
	return true;
}

/*
 * A quote without a backslash before it is the document's own: the two marks cannot
 * stand in a string.  Only things measured have "digests" as the first member.
 */
int
certificate_scan(const void *data, size_t len, certificate_scan_fn *fn, void *arg)
{
	struct certificate_scan_span left = {data, len};

	while (certificate_scan_skip(&left, "{\"data\":\"{\\\"digests\\\":{")) {
		struct certificate_scan_span text = left;
		struct certificate_scan_item item;

		if (!certificate_scan_skip(&left, "\",\"pcr\":"))
			return 1;
		text.len = (size_t)(left.at - text.at) - strlen("\",\"pcr\":");
		if (!certificate_scan_event(text, &item))
			return 1;
		if (fn(arg, &item) != 0)
			return -1;
	}
	return 0;
}
