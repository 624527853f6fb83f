#include <jansson.h>
#include <string.h>
#include "codec/jcs-node.h"

/*
 * Jansson would follow any depth it was compiled for, and a node takes a hundred
 * times the bytes of its text: count both before it sees the text.
 */
static int
jcs_decode_depth(const char *text, size_t len, struct err *e)
{
	bool quoted = false;
	size_t depth = 0, nodes = 1;

	for (size_t i = 0; i < len; i++) {
		if (quoted) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				quoted = false;
		} else if (text[i] == '"') {
			quoted = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > JCS_DEPTH_MAX)
				return err_set(e, ERR_FORMAT, "JSON nested deeper than %d at byte %zu",
				    JCS_DEPTH_MAX, i);
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
		/* every value but the first has one of these before it */
		if (!quoted && (text[i] == ',' || text[i] == '{' || text[i] == '[') &&
		    ++nodes > JCS_NODES_MAX)
			return err_set(e, ERR_LIMIT, "JSON: more than %d values", JCS_NODES_MAX);
	}
	return 0;
}

static struct jcs *jcs_decode_node(const json_t *j, struct err *e);

static struct jcs *
jcs_decode_int(const json_t *j, struct err *e)
{
	struct jcs *v = jcs_new_int(json_integer_value(j));

	if (v == NULL)
		err_set(e, ERR_FORMAT, "JSON: a number beyond 2^53-1");
	return v;
}

static struct jcs *
jcs_decode_array(const json_t *j, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_array();
	struct jcs *ret;

	if (v == NULL)
		goto nomem;
	for (size_t i = 0; i < json_array_size(j); i++) {
		struct jcs *child = jcs_decode_node(json_array_get(j, i), e);

		if (child == NULL)
			return NULL;
		jcs_append(v, child);
	}
	if (v->failed)
		goto nomem;
	ret = v;
	v = NULL;
	return ret;
nomem:
	err_nomem(e);
	return NULL;
}

static int
jcs_decode_order(const void *a, const void *b)
{
	return strcmp(((const struct jcs_slot *)a)->name, ((const struct jcs_slot *)b)->name);
}

/* The slots are filled as they come and sorted once: members in any order cost
 * no more than n log n.  Jansson refused duplicates. */
static int
jcs_decode_members(json_t *j, struct jcs *v, struct err *e)
{
	const char *name;
	json_t *member;

	v->cap = json_object_size(j);
	v->slots = calloc(v->cap + 1, sizeof *v->slots);
	if (v->slots == NULL)
		return err_nomem(e);
	json_object_foreach(j, name, member) {
		struct jcs_slot *slot = v->slots + v->count;

		for (const char *p = name; *p != '\0'; p++)
			if ((unsigned char)*p >= 0x80)
				return err_set(e, ERR_FORMAT, "JSON: a member name that is not ASCII");
		slot->name = strdup(name);
		if (slot->name == NULL)
			return err_nomem(e);
		slot->value = jcs_decode_node(member, e);
		v->count++;
		if (slot->value == NULL)
			return -1;
	}
	qsort(v->slots, v->count, sizeof *v->slots, jcs_decode_order);
	return 0;
}

static struct jcs *
jcs_decode_object(const json_t *j, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *ret;

	if (v == NULL) {
		err_nomem(e);
		return NULL;
	}
	/* jansson iterates over a non-const object only, and changes nothing */
	if (jcs_decode_members((json_t *)(uintptr_t)j, v, e) != 0)
		return NULL;
	ret = v;
	v = NULL;
	return ret;
}

static struct jcs *
jcs_decode_node(const json_t *j, struct err *e)
{
	struct jcs *v = NULL;

	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return jcs_decode_object(j, e);
	case JSON_ARRAY:
		return jcs_decode_array(j, e);
	case JSON_INTEGER:
		return jcs_decode_int(j, e);
	case JSON_REAL:
		err_set(e, ERR_FORMAT, "JSON: a number that is not an integer");
		return NULL;
	case JSON_STRING:
		v = jcs_new_string(json_string_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		v = jcs_new_bool(json_is_true(j));
		break;
	case JSON_NULL:
		v = jcs_new_null();
		break;
	}
	if (v == NULL)
		err_nomem(e);
	return v;
}

static void
jcs_decode_release(json_t **j)
{
	json_decref(*j);
}

int
jcs_decode_any(const void *data, size_t len, size_t max, struct jcs **ret, struct err *e)
{
	CLEANUP(jcs_decode_release) json_t *j = NULL;
	json_error_t why;
	struct jcs *v;

	if (len > max)
		return err_set(e, ERR_LIMIT, "JSON longer than %zu bytes", max);
	if (len == 0)
		return err_set(e, ERR_FORMAT, "JSON: the text is empty");
	if (jcs_decode_depth(data, len, e) != 0)
		return -1;
	/* without JSON_ALLOW_NUL: U+0000 is refused here */
	j = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (j == NULL && json_error_code(&why) == json_error_out_of_memory)
		return err_nomem(e);
	if (j == NULL)
		return err_set(e, ERR_FORMAT, "JSON: %s at byte %d", why.text, why.position);
	v = jcs_decode_node(j, e);
	if (v == NULL)
		return -1;
	*ret = v;
	return 0;
}
