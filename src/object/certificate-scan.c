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

/* Decimal digits at the start of *s. */
static bool
certificate_scan_number(const struct certificate_scan_span *s, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < s->len && s->at[i] >= '0' && s->at[i] <= '9'; i++) {
		if (n > (uint64_t)JCS_INT_MAX)
			return false;
		n = n * 10 + (uint64_t)(s->at[i] - '0');
	}
	*ret = n;
	return i > 0;
}

static bool
certificate_scan_hex(const struct certificate_scan_span *s, struct oid *ret)
{
	char hex[OID_HEX_SIZE];

	if (s->len < OID_HEX_SIZE)
		return false;
	memcpy(hex, s->at, sizeof hex - 1);
	hex[sizeof hex - 1] = '\0';
	return oid_from_hex(ret, hex, NULL) == 0;
}

/* "digests":{...},"size":N after *s's place; quote: how a quote is written here. */
static bool
certificate_scan_blob(struct certificate_scan_span s, const char *sha256, const char *size,
    struct certificate_scan_link *ret)
{
	ret->ref.type = OBJECT_BLOB;
	return certificate_scan_skip(&s, sha256) && certificate_scan_hex(&s, &ret->ref.id) &&
	    certificate_scan_skip(&s, size) && certificate_scan_number(&s, &ret->size);
}

struct certificate_scan_teller {
	certificate_scan_link_fn *fn;
	void *arg;
};

static int
certificate_scan_tell(const struct certificate_scan_teller *t, const struct certificate_scan_link *l)
{
	return t->fn(t->arg, l) != 0 ? -1 : 0;
}

/* A thing measured, and of an input the certificate that made it. */
static int
certificate_scan_thing(const struct certificate_scan_teller *t, struct certificate_scan_span text)
{
	static const char made_by[] = "\\\"madeBy\\\":{\\\"certificate\\\":\\\"sha256:";
	struct certificate_scan_span size = text, by = text;
	struct certificate_scan_item item;
	struct certificate_scan_link l;

	if (!certificate_scan_event(text, &item) ||
	    !certificate_scan_skip(&size, ",\\\"size\\\":") || !certificate_scan_number(&size, &l.size))
		return 1;
	l.role = item.output ? CERTIFICATE_SCAN_OUTPUT : CERTIFICATE_SCAN_INPUT;
	l.ref = (struct object_ref){item.type, item.id};
	if (certificate_scan_tell(t, &l) != 0)
		return -1;
	if (item.output || !certificate_scan_skip(&by, made_by))
		return 0;
	l = (struct certificate_scan_link){CERTIFICATE_SCAN_MADE_BY, {OBJECT_CERTIFICATE, item.id}, 0};
	return certificate_scan_hex(&by, &l.ref.id) ? certificate_scan_tell(t, &l) : 1;
}

/* An event by how it begins: members are in order, and each kind has its own first ones. */
static int
certificate_scan_any(const struct certificate_scan_teller *t, struct certificate_scan_span text)
{
	static const char things[] = "{\\\"digests\\\":{", finished[] = "{\\\"cpuMicroseconds\\\":";
	struct certificate_scan_link l = {.role = CERTIFICATE_SCAN_LOG};

	if (text.len > sizeof things && memcmp(text.at, things, sizeof things - 1) == 0)
		return certificate_scan_thing(t, text);
	if (text.len < sizeof finished || memcmp(text.at, finished, sizeof finished - 1) != 0)
		return 0;
	if (!certificate_scan_skip(&text, "\\\"log\\\":{") || !certificate_scan_blob(text,
	    "\\\"sha256\\\":\\\"", "},\\\"size\\\":", &l))
		return 1;
	return certificate_scan_tell(t, &l);
}

static int
certificate_scan_boot_log(const struct certificate_scan_teller *t, struct certificate_scan_span text)
{
	struct certificate_scan_link l = {.role = CERTIFICATE_SCAN_BOOT_LOG};

	if (!certificate_scan_skip(&text, "\"bootLog\":"))
		return 1;
	if (text.len >= 4 && memcmp(text.at, "null", 4) == 0)
		return 0;
	return certificate_scan_blob(text, "\"sha256\":\"", "\"size\":", &l) ?
	    certificate_scan_tell(t, &l) : 1;
}

int
certificate_scan_links(const void *data, size_t len, certificate_scan_link_fn *fn, void *arg)
{
	const struct certificate_scan_teller t = {fn, arg};
	struct certificate_scan_span left = {data, len};
	int rc = certificate_scan_boot_log(&t, left);

	while (rc == 0 && certificate_scan_skip(&left, "{\"data\":\"")) {
		struct certificate_scan_span text = left;

		if (!certificate_scan_skip(&left, "\",\"pcr\":"))
			return 1;
		text.len = (size_t)(left.at - text.at) - strlen("\",\"pcr\":");
		rc = certificate_scan_any(&t, text);
	}
	return rc;
}
