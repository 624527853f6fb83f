#include <inttypes.h>
#include <string.h>
#include "codec/jcs-node.h"

/* RFC 8785 section 3.2.2.2: the two-character escapes where there is one,
 * lower-case \u00xx for other control characters, nothing else escaped. */
static void
jcs_encode_text(struct buf *ret, const char *text)
{
	static const char special[] = "\b\t\n\f\r\"\\", letter[] = "btnfr\"\\";
	const char *start = text;

	buf_addc(ret, '"');
	for (; *text != '\0'; text++) {
		const char *s;

		if ((unsigned char)*text >= 0x20 && *text != '"' && *text != '\\')
			continue;
		s = strchr(special, *text);
		buf_add(ret, start, (size_t)(text - start));
		start = text + 1;
		if (s != NULL)
			buf_addf(ret, "\\%c", letter[s - special]);
		else
			buf_addf(ret, "\\u%04x", (unsigned)*text);
	}
	buf_add(ret, start, (size_t)(text - start));
	buf_addc(ret, '"');
}

static int jcs_encode_value(const struct jcs *v, size_t depth, struct buf *ret, struct err *e);

static int
jcs_encode_slots(const struct jcs *v, size_t depth, struct buf *ret, struct err *e)
{
	bool object = v->type == JCS_OBJECT;

	if (depth == JCS_DEPTH_MAX)
		return err_set(e, ERR_FORMAT, "JSON nested deeper than %d", JCS_DEPTH_MAX);
	buf_addc(ret, object ? '{' : '[');
	for (size_t i = 0; i < v->count; i++) {
		if (i > 0)
			buf_addc(ret, ',');
		if (object) {
			jcs_encode_text(ret, v->slots[i].name);
			buf_addc(ret, ':');
		}
		if (jcs_encode_value(v->slots[i].value, depth + 1, ret, e) != 0)
			return -1;
	}
	buf_addc(ret, object ? '}' : ']');
	return 0;
}

static int
jcs_encode_value(const struct jcs *v, size_t depth, struct buf *ret, struct err *e)
{
	if (v->failed)
		return err_nomem(e);
	switch (v->type) {
	case JCS_NULL:
		buf_adds(ret, "null");
		return 0;
	case JCS_BOOL:
		buf_adds(ret, v->truth ? "true" : "false");
		return 0;
	case JCS_INT:
		buf_addf(ret, "%" PRId64, v->number);
		return 0;
	case JCS_STRING:
		jcs_encode_text(ret, v->text);
		return 0;
	case JCS_ARRAY:
	case JCS_OBJECT:
		break;
	}
	return jcs_encode_slots(v, depth, ret, e);
}

int
jcs_encode(const struct jcs *v, struct buf *ret, struct err *e)
{
	if (v == NULL)
		return err_nomem(e);
	if (jcs_encode_value(v, 0, ret, e) != 0)
		return -1;
	return buf_check(ret, e);
}
