#include "codec/jcs.h"

#include <string.h>
#include "base/array.h"
#include "base/path.h"
#include "codec/jcs-node.h"

static struct jcs *
jcs_new(enum jcs_type type)
{
	struct jcs *v = calloc(1, sizeof *v);

	if (v != NULL)
		v->type = type;
	return v;
}

void
jcs_free(struct jcs *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->count; i++) {
		free(v->slots[i].name);
		jcs_free(v->slots[i].value);
	}
	free(v->slots);
	free(v->text);
	free(v);
}

enum jcs_type
jcs_type(const struct jcs *v)
{
	return v->type;
}

/* Where name stands in the object, or where it would have to go. */
static size_t
jcs_find(const struct jcs *object, const char *name, bool *ret_found)
{
	size_t low = 0, high = object->count;

	*ret_found = false;
	/* documents are mostly built and read in order: look at the end first */
	if (high > 0 && strcmp(object->slots[high - 1].name, name) < 0)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(object->slots[mid].name, name);

		if (c == 0) {
			*ret_found = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct jcs *
jcs_get(const struct jcs *object, const char *name)
{
	bool found;
	size_t i;

	if (object == NULL || object->type != JCS_OBJECT)
		return NULL;
	i = jcs_find(object, name, &found);
	return found ? object->slots[i].value : NULL;
}

const char *
jcs_string(const struct jcs *v)
{
	return v != NULL && v->type == JCS_STRING ? v->text : NULL;
}

const char *
jcs_get_string(const struct jcs *object, const char *name)
{
	return jcs_string(jcs_get(object, name));
}

bool
jcs_is_null(const struct jcs *v)
{
	return v != NULL && v->type == JCS_NULL;
}

bool
jcs_true(const struct jcs *v)
{
	return v != NULL && v->type == JCS_BOOL && v->truth;
}

int
jcs_int(const struct jcs *v, int64_t *ret)
{
	if (v == NULL || v->type != JCS_INT)
		return -1;
	*ret = v->number;
	return 0;
}

size_t
jcs_length(const struct jcs *v)
{
	return v != NULL ? v->count : 0;
}

const struct jcs *
jcs_at(const struct jcs *array, size_t i)
{
	if (array == NULL || array->type != JCS_ARRAY || i >= array->count)
		return NULL;
	return array->slots[i].value;
}

const struct jcs *
jcs_member(const struct jcs *object, size_t i, const char **ret_name)
{
	if (object == NULL || object->type != JCS_OBJECT || i >= object->count)
		return NULL;
	*ret_name = object->slots[i].name;
	return object->slots[i].value;
}

struct jcs *
jcs_new_object(void)
{
	return jcs_new(JCS_OBJECT);
}

struct jcs *
jcs_new_array(void)
{
	return jcs_new(JCS_ARRAY);
}

struct jcs *
jcs_new_string(const char *text)
{
	struct jcs *v;

	if (text == NULL || !path_utf8_ok(text, strlen(text)))
		return NULL;
	v = jcs_new(JCS_STRING);
	if (v != NULL && (v->text = strdup(text)) == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

struct jcs *
jcs_new_int(int64_t n)
{
	struct jcs *v;

	if (n < -JCS_INT_MAX || n > JCS_INT_MAX)
		return NULL;
	v = jcs_new(JCS_INT);
	if (v != NULL)
		v->number = n;
	return v;
}

struct jcs *
jcs_new_bool(bool b)
{
	struct jcs *v = jcs_new(JCS_BOOL);

	if (v != NULL)
		v->truth = b;
	return v;
}

struct jcs *
jcs_new_null(void)
{
	return jcs_new(JCS_NULL);
}

struct jcs *
jcs_copy(const struct jcs *v)
{
	struct jcs *copy;

	if (v == NULL || (copy = jcs_new(v->type)) == NULL)
		return NULL;
	copy->failed = v->failed;
	copy->truth = v->truth;
	copy->number = v->number;
	if (v->text != NULL && (copy->text = strdup(v->text)) == NULL)
		copy->failed = true;
	for (size_t i = 0; i < v->count; i++) {
		struct jcs *child = jcs_copy(v->slots[i].value);

		if (v->type == JCS_OBJECT)
			jcs_set(copy, v->slots[i].name, child);
		else
			jcs_append(copy, child);
	}
	return copy;
}

static bool
jcs_name_ok(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return false;
	return true;
}

/* Takes value over at position i, under a copy of name. */
static void
jcs_insert(struct jcs *v, size_t i, const char *name, struct jcs *value)
{
	char *copy = name != NULL ? strdup(name) : NULL;

	if ((name != NULL && copy == NULL) ||
	    ARRAY_ROOM(v->slots, v->count, v->cap, NULL) != 0) {
		v->failed = true;
		free(copy);
		jcs_free(value);
		return;
	}
	memmove(v->slots + i + 1, v->slots + i, (v->count - i) * sizeof *v->slots);
	v->slots[i] = (struct jcs_slot){.name = copy, .value = value};
	v->count++;
}

void
jcs_set(struct jcs *object, const char *name, struct jcs *value)
{
	bool found;
	size_t i;

	if (object == NULL || object->type != JCS_OBJECT || value == NULL || !jcs_name_ok(name)) {
		if (object != NULL)
			object->failed = true;
		jcs_free(value);
		return;
	}
	i = jcs_find(object, name, &found);
	if (!found) {
		jcs_insert(object, i, name, value);
		return;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): found, so there are slots */
	jcs_free(object->slots[i].value);
	object->slots[i].value = value;
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
	if (array == NULL || array->type != JCS_ARRAY || value == NULL) {
		if (array != NULL)
			array->failed = true;
		jcs_free(value);
		return;
	}
	jcs_insert(array, array->count, NULL, value);
}

bool
jcs_remove(struct jcs *object, const char *name)
{
	bool found;
	size_t i;

	if (object == NULL || object->type != JCS_OBJECT)
		return false;
	i = jcs_find(object, name, &found);
	if (!found)
		return false;
	free(object->slots[i].name);
	jcs_free(object->slots[i].value);
	object->count--;
	memmove(object->slots + i, object->slots + i + 1,
	    (object->count - i) * sizeof *object->slots);
	return true;
}
