#include "codec/shape.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/base64.h"

static bool
shape_id_ok(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 && strlen(text) == 71 && hex_is(text + 7, 64);
}

static bool
shape_string_ok(enum shape_kind kind, const char *text)
{
	int64_t time;

	switch (kind) {
	case SHAPE_HEX32:
		return strlen(text) == 64 && hex_is(text, 64);
	case SHAPE_TIME:
		return timestamp_parse(text, &time, NULL) == 0;
	case SHAPE_BASE64:
		return base64_canonical(text, strlen(text));
	case SHAPE_ID:
		return shape_id_ok(text);
	default:
		return true;
	}
}

/* NULL when v is of the kind, else what was expected. */
static const char *
shape_expected(enum shape_kind kind, const struct jcs *v)
{
	static const char *const names[] = {
		[SHAPE_STRING] = "a text",
		[SHAPE_HEX32] = "64 lower-case hexadecimal digits",
		[SHAPE_INT] = "an integer, not negative",
		[SHAPE_BOOL] = "true or false",
		[SHAPE_ARRAY] = "an array",
		[SHAPE_OBJECT] = "an object",
		[SHAPE_TIME] = "a time like 2026-11-23T19:00:00Z",
		[SHAPE_BASE64] = "canonical base64",
		[SHAPE_ID] = "\"sha256:\" and 64 hexadecimal digits",
	};
	int64_t n;
	bool ok;

	switch (kind) {
	case SHAPE_INT:
		ok = jcs_int(v, &n) == 0 && n >= 0;
		break;
	case SHAPE_BOOL:
		ok = jcs_type(v) == JCS_BOOL;
		break;
	case SHAPE_ARRAY:
		ok = jcs_type(v) == JCS_ARRAY;
		break;
	case SHAPE_OBJECT:
		ok = jcs_type(v) == JCS_OBJECT;
		break;
	default:
		ok = jcs_string(v) != NULL && shape_string_ok(kind, jcs_string(v));
		break;
	}
	return ok ? NULL : names[kind];
}

/* Counts the members that the table knows and checks each. */
static int
shape_known(const struct jcs *v, const struct shape *table, const char *where, size_t *ret,
    struct err *e)
{
	size_t known = 0;

	for (; table->name != NULL; table++) {
		const struct jcs *member = jcs_get(v, table->name);
		const char *expected;

		if (member == NULL && (table->flags & SHAPE_OPTIONAL))
			continue;
		if (member == NULL)
			return err_set(e, ERR_FORMAT, "%s: \"%s\" is missing", where, table->name);
		known++;
		if ((table->flags & SHAPE_NULLABLE) && jcs_is_null(member))
			continue;
		expected = shape_expected(table->kind, member);
		if (expected != NULL)
			return err_set(e, ERR_FORMAT, "%s: \"%s\" must be %s", where, table->name, expected);
	}
	*ret = known;
	return 0;
}

static bool
shape_has(const struct shape *table, const char *name)
{
	for (; table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return true;
	return false;
}

int
shape_check(const struct jcs *v, const struct shape *table, const char *where, struct err *e)
{
	size_t known = 0;

	if (v == NULL || jcs_type(v) != JCS_OBJECT)
		return err_set(e, ERR_FORMAT, "%s: must be an object", where);
	if (shape_known(v, table, where, &known, e) != 0)
		return -1;
	for (size_t i = 0; known != jcs_length(v) && i < jcs_length(v); i++) {
		const char *name = "?";

		if (jcs_member(v, i, &name) == NULL)
			return err_nomem(e);
		if (!shape_has(table, name))
			return err_set(e, ERR_FORMAT, "%s: unknown member \"%s\"", where, name);
	}
	return 0;
}
