#include "codec/jcs.h"

#include <jansson.h>
#include <string.h>
#include "base/path.h"

/*
 * A struct jcs is a json_t: the cast happens in two places.  A call that
 * failed while building leaves a member named JCS_BROKEN, which no document
 * can have (it has a control character), so that encoding fails.
 */
#define JCS_BROKEN "\001"

static json_t *
jcs_raw(const struct jcs *v)
{
	return (json_t *)(uintptr_t)v;
}

static struct jcs *
jcs_wrap(const json_t *v)
{
	return (struct jcs *)(uintptr_t)v;
}

/* Depth and NUL escapes, before the recursive parser sees the text. */
static int
jcs_scan(const char *text, size_t len, struct err *e)
{
	size_t depth = 0;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (string && c == '\\') {
			if (len - i > 5 && memcmp(text + i + 1, "u0000", 5) == 0)
				return err_set(e, ERR_FORMAT, "JSON: U+0000 at byte %zu", i);
			i++;
		} else if (c == '"') {
			string = !string;
		} else if (!string && (c == '{' || c == '[')) {
			if (++depth > JCS_DEPTH_MAX)
				return err_set(e, ERR_FORMAT, "JSON: deeper than %d at byte %zu", JCS_DEPTH_MAX, i);
		} else if (!string && (c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return 0;
}

static int jcs_check(const json_t *v, struct err *e);

static int
jcs_check_object(const json_t *v, struct err *e)
{
	const char *name;
	json_t *value;

	json_object_foreach(jcs_raw(jcs_wrap(v)), name, value) {
		for (const char *p = name; *p != '\0'; p++)
			if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
				return err_set(e, ERR_FORMAT, "JSON: a member name that is not ASCII");
		if (jcs_check(value, e) != 0)
			return -1;
	}
	return 0;
}

/* The narrowed rules, on a parsed document. */
static int
jcs_check(const json_t *v, struct err *e)
{
	switch (json_typeof(v)) {
	case JSON_REAL:
		return err_set(e, ERR_FORMAT, "JSON: a number that is no integer");
	case JSON_INTEGER:
		if (json_integer_value(v) > JCS_INT_MAX || json_integer_value(v) < -JCS_INT_MAX)
			return err_set(e, ERR_FORMAT, "JSON: an integer beyond 2^53-1");
		return 0;
	case JSON_STRING:
		if (!path_utf8_ok(json_string_value(v), json_string_length(v)) ||
		    memchr(json_string_value(v), '\0', json_string_length(v)) != NULL)
			return err_set(e, ERR_FORMAT, "JSON: a text that is not UTF-8, or has U+0000");
		return 0;
	case JSON_ARRAY:
		for (size_t i = 0; i < json_array_size(v); i++)
			if (jcs_check(json_array_get(v, i), e) != 0)
				return -1;
		return 0;
	case JSON_OBJECT:
		return jcs_check_object(v, e);
	default:
		return 0;
	}
}

int
jcs_decode_any(const void *data, size_t len, size_t max, struct jcs **ret, struct err *e)
{
	json_error_t why;
	json_t *v;

	if (len > max)
		return err_set(e, ERR_FORMAT, "JSON: longer than %zu bytes", max);
	if (data == NULL || len == 0)
		return err_set(e, ERR_FORMAT, "JSON: empty");
	if (jcs_scan(data, len, e) != 0)
		return -1;
	v = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (v == NULL && json_error_code(&why) == json_error_out_of_memory)
		return err_nomem(e);
	if (v == NULL)
		return err_set(e, ERR_FORMAT, "JSON: %s at byte %d", why.text, why.position);
	if (jcs_check(v, e) != 0) {
		json_decref(v);
		return -1;
	}
	*ret = jcs_wrap(v);
	return 0;
}

int
jcs_decode(const void *data, size_t len, size_t max, struct jcs **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf canonical = BUF_INIT;
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	size_t i = 0;

	if (jcs_decode_any(data, len, max, &v, e) != 0 || jcs_encode(v, &canonical, e) != 0)
		return -1;
	if (canonical.len != len || memcmp(canonical.data, data, len) != 0) {
		while (i < len && i < canonical.len && ((const unsigned char *)data)[i] == canonical.data[i])
			i++;
		return err_set(e, ERR_FORMAT, "JSON: not canonical at byte %zu", i);
	}
	*ret = v;
	v = NULL;
	return 0;
}

void
jcs_free(struct jcs *v)
{
	json_decref(jcs_raw(v));
}

enum jcs_type
jcs_type(const struct jcs *v)
{
	switch (json_typeof(jcs_raw(v))) {
	case JSON_OBJECT:
		return JCS_OBJECT;
	case JSON_ARRAY:
		return JCS_ARRAY;
	case JSON_STRING:
		return JCS_STRING;
	case JSON_INTEGER:
		return JCS_INT;
	case JSON_TRUE:
	case JSON_FALSE:
		return JCS_BOOL;
	case JSON_REAL: /* never in a checked document */
	case JSON_NULL:
		break;
	}
	return JCS_NULL;
}

const struct jcs *
jcs_get(const struct jcs *object, const char *name)
{
	return jcs_wrap(json_object_get(jcs_raw(object), name));
}

const char *
jcs_string(const struct jcs *v)
{
	return json_string_value(jcs_raw(v));
}

const char *
jcs_get_string(const struct jcs *object, const char *name)
{
	return jcs_string(jcs_get(object, name));
}

bool
jcs_is_null(const struct jcs *v)
{
	return v != NULL && json_is_null(jcs_raw(v));
}

bool
jcs_true(const struct jcs *v)
{
	return v != NULL && json_is_true(jcs_raw(v));
}

int
jcs_int(const struct jcs *v, int64_t *ret)
{
	if (v == NULL || !json_is_integer(jcs_raw(v)))
		return -1;
	*ret = json_integer_value(jcs_raw(v));
	return 0;
}

size_t
jcs_length(const struct jcs *v)
{
	if (v == NULL)
		return 0;
	return json_is_array(jcs_raw(v)) ? json_array_size(jcs_raw(v)) : json_object_size(jcs_raw(v));
}

const struct jcs *
jcs_at(const struct jcs *array, size_t i)
{
	return jcs_wrap(json_array_get(jcs_raw(array), i));
}

static int
jcs_name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of an object in canonical order, malloc'd; names are ASCII, so that
 * the order of UTF-16 code units is that of bytes. */
static const char **
jcs_names(const json_t *object)
{
	const char **names = calloc(json_object_size(object) + 1, sizeof *names);
	size_t n = 0;
	void *it;

	if (names == NULL)
		return NULL;
	for (it = json_object_iter(jcs_raw(jcs_wrap(object))); it != NULL;
	    it = json_object_iter_next(jcs_raw(jcs_wrap(object)), it))
		names[n++] = json_object_iter_key(it);
	qsort(names, n, sizeof *names, jcs_name_compare);
	return names;
}

const struct jcs *
jcs_member(const struct jcs *object, size_t i, const char **ret_name)
{
	const char **names;
	const struct jcs *value;

	if (object == NULL || i >= json_object_size(jcs_raw(object)))
		return NULL;
	names = jcs_names(jcs_raw(object));
	if (names == NULL)
		return NULL;
	value = jcs_get(object, names[i]);
	*ret_name = names[i];
	free(names);
	return value;
}

struct jcs *
jcs_new_object(void)
{
	return jcs_wrap(json_object());
}

struct jcs *
jcs_new_array(void)
{
	return jcs_wrap(json_array());
}

struct jcs *
jcs_new_string(const char *text)
{
	return text != NULL && path_utf8_ok(text, strlen(text)) ? jcs_wrap(json_string(text)) : NULL;
}

struct jcs *
jcs_new_int(int64_t n)
{
	return n <= JCS_INT_MAX && n >= -JCS_INT_MAX ? jcs_wrap(json_integer(n)) : NULL;
}

struct jcs *
jcs_new_bool(bool b)
{
	return jcs_wrap(json_boolean(b));
}

struct jcs *
jcs_new_null(void)
{
	return jcs_wrap(json_null());
}

struct jcs *
jcs_copy(const struct jcs *v)
{
	return jcs_wrap(json_deep_copy(jcs_raw(v)));
}

void
jcs_set(struct jcs *object, const char *name, struct jcs *value)
{
	if (object == NULL)
		jcs_free(value);
	else if (value == NULL || json_object_set_new(jcs_raw(object), name, jcs_raw(value)) != 0)
		json_object_set_new(jcs_raw(object), JCS_BROKEN, json_null());
}

void
jcs_set_string(struct jcs *object, const char *name, const char *text)
{
	jcs_set(object, name, text != NULL ? jcs_new_string(text) : jcs_new_null());
}

void
jcs_set_int(struct jcs *object, const char *name, int64_t n)
{
	jcs_set(object, name, jcs_new_int(n));
}

void
jcs_set_bool(struct jcs *object, const char *name, bool b)
{
	jcs_set(object, name, jcs_new_bool(b));
}

void
jcs_append(struct jcs *array, struct jcs *value)
{
	if (array == NULL) {
		jcs_free(value);
	} else if (value == NULL || json_array_append_new(jcs_raw(array), jcs_raw(value)) != 0) {
		json_t *broken = json_object();

		json_object_set_new(broken, JCS_BROKEN, json_null());
		if (broken == NULL || json_array_append_new(jcs_raw(array), broken) != 0)
			json_array_append(jcs_raw(array), json_real(0)); /* refused by the writer too */
	}
}

bool
jcs_remove(struct jcs *object, const char *name)
{
	return json_object_del(jcs_raw(object), name) == 0;
}

/* RFC 8785 section 3.2.2.2 */
static void
jcs_write_string(struct buf *ret, const char *text, size_t len)
{
	static const char shorts[] = "\b\t\n\f\r", letters[] = "btnfr";

	buf_addc(ret, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		const char *p = c != 0 ? strchr(shorts, c) : NULL;

		if (c == '"' || c == '\\')
			buf_addf(ret, "\\%c", c);
		else if (p != NULL)
			buf_addf(ret, "\\%c", letters[p - shorts]);
		else if (c < 0x20)
			buf_addf(ret, "\\u%04x", c);
		else
			buf_addc(ret, c);
	}
	buf_addc(ret, '"');
}

static int jcs_write(const json_t *v, struct buf *ret, int depth);

static int
jcs_write_object(const json_t *v, struct buf *ret, int depth)
{
	const char **names = jcs_names(v);
	size_t n = json_object_size(v);
	int rc = names == NULL ? -1 : 0;

	buf_addc(ret, '{');
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (strcmp(names[i], JCS_BROKEN) == 0) {
			rc = -1;
			break;
		}
		if (i > 0)
			buf_addc(ret, ',');
		jcs_write_string(ret, names[i], strlen(names[i]));
		buf_addc(ret, ':');
		rc = jcs_write(json_object_get(v, names[i]), ret, depth);
	}
	buf_addc(ret, '}');
	free(names);
	return rc;
}

static int
jcs_write_array(const json_t *v, struct buf *ret, int depth)
{
	buf_addc(ret, '[');
	for (size_t i = 0; i < json_array_size(v); i++) {
		if (i > 0)
			buf_addc(ret, ',');
		if (jcs_write(json_array_get(v, i), ret, depth) != 0)
			return -1;
	}
	buf_addc(ret, ']');
	return 0;
}

static int
jcs_write(const json_t *v, struct buf *ret, int depth)
{
	if (depth > JCS_DEPTH_MAX)
		return -1;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return jcs_write_object(v, ret, depth + 1);
	case JSON_ARRAY:
		return jcs_write_array(v, ret, depth + 1);
	case JSON_STRING:
		jcs_write_string(ret, json_string_value(v), json_string_length(v));
		return 0;
	case JSON_INTEGER:
		buf_addf(ret, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_adds(ret, json_is_true(v) ? "true" : "false");
		return 0;
	case JSON_NULL:
		buf_adds(ret, "null");
		return 0;
	case JSON_REAL:
		break;
	}
	return -1;
}

int
jcs_encode(const struct jcs *v, struct buf *ret, struct err *e)
{
	size_t start = ret->len;

	if (v == NULL || jcs_write(jcs_raw(v), ret, 0) != 0 || ret->failed) {
		if (ret->data != NULL && !ret->failed)
			ret->len = start;
		return v == NULL || !ret->failed ? err_set(e, ERR_NOMEM,
		    "a document could not be built: out of memory, or a value out of range") :
		    buf_check(ret, e);
	}
	return 0;
}
