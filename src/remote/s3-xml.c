#include "remote/s3-xml.h"

#include <string.h>

static const struct {
	const char *name;
	char c;
} s3_xml_entities[] = {
	{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''},
};

#define S3_XML_ENTITIES (sizeof s3_xml_entities / sizeof s3_xml_entities[0])

/* "<name" or "</name" at p, and what may follow a name. */
static bool
s3_xml_tag(const char *p, size_t len, const char *open, const char *name)
{
	size_t before = strlen(open), n = strlen(name);

	return len > before + n && memcmp(p, open, before) == 0 && memcmp(p + before, name, n) == 0 &&
	    strchr("> \t\r\n/", p[before + n]) != NULL && p[before + n] != '\0';
}

static const char *
s3_xml_find(const char *p, const char *end, const char *open, const char *name)
{
	while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if (s3_xml_tag(p, (size_t)(end - p), open, name))
			return p;
		p++;
	}
	return NULL;
}

bool
s3_xml_next(struct s3_xml *x, const char *name, struct s3_xml *ret)
{
	const char *end = x->data + x->len, *begin, *close;

	if (x->len == 0)
		return false;
	begin = s3_xml_find(x->data, end, "<", name);
	begin = begin != NULL ? memchr(begin, '>', (size_t)(end - begin)) : NULL;
	if (begin == NULL)
		return false;
	if (begin[-1] == '/') { /* empty */
		*ret = (struct s3_xml){begin, 0};
		*x = (struct s3_xml){begin + 1, (size_t)(end - begin - 1)};
		return true;
	}
	begin++;
	close = s3_xml_find(begin, end, "</", name);
	if (close == NULL)
		return false;
	*ret = (struct s3_xml){begin, (size_t)(close - begin)};
	*x = (struct s3_xml){close + 2, (size_t)(end - close - 2)};
	return true;
}

/* One character, or an entity: how long it is; 0 for what has no place in a text. */
static size_t
s3_xml_character(const char *p, size_t len, char *ret)
{
	*ret = *p;
	if (*p == '<' || (unsigned char)*p < 0x20 || (unsigned char)*p == 0x7f)
		return 0;
	if (*p != '&')
		return 1;
	for (size_t i = 0; i < S3_XML_ENTITIES; i++) {
		size_t n = strlen(s3_xml_entities[i].name);

		if (len >= n && memcmp(p, s3_xml_entities[i].name, n) == 0) {
			*ret = s3_xml_entities[i].c;
			return n;
		}
	}
	return 0;
}

bool
s3_xml_text(struct s3_xml x, const char *name, char *ret, size_t cap)
{
	struct s3_xml inner;
	size_t used = 0;

	if (!s3_xml_next(&x, name, &inner))
		return false;
	for (size_t i = 0, n; i < inner.len; i += n) {
		n = s3_xml_character(inner.data + i, inner.len - i, ret + used);
		if (n == 0 || ++used == cap)
			return false;
	}
	ret[used] = '\0';
	return true;
}

bool
s3_xml_number(struct s3_xml x, const char *name, uint64_t *ret)
{
	uint64_t n = 0;
	char text[17];

	if (!s3_xml_text(x, name, text, sizeof text) || text[0] == '\0')
		return false;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (n > UINT64_C(9007199254740991))
		return false;
	*ret = n;
	return true;
}

void
s3_xml_escape(const char *text, struct buf *ret)
{
	for (; *text != '\0'; text++) {
		size_t i = 0;

		while (i < S3_XML_ENTITIES && s3_xml_entities[i].c != *text)
			i++;
		if (i < S3_XML_ENTITIES)
			buf_adds(ret, s3_xml_entities[i].name);
		else
			buf_addc(ret, *text);
	}
}
