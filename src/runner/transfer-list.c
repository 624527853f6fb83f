#include "runner/transfer-internal.h"

#include <string.h>
#include "base/array.h"
#include "codec/shape.h"
#include "store/odb.h"

static const struct shape transfer_list_shape[] = {
	{"mediaType", SHAPE_STRING, 0},
	{"objects", SHAPE_ARRAY, 0},
	{NULL, SHAPE_STRING, 0},
};

void
transfer_list_free(struct transfer_list *l)
{
	free(l->items);
	*l = (struct transfer_list){0};
}

int
transfer_list_add(struct transfer_list *l, const struct transfer_item *item, struct err *e)
{
	if (ARRAY_ROOM(l->items, l->count, l->cap, e) != 0)
		return -1;
	l->items[l->count++] = *item;
	return 0;
}

static int
transfer_list_compare(const void *a, const void *b)
{
	const struct transfer_item *x = a, *y = b;

	return oid_compare(&x->id, &y->id);
}

void
transfer_list_unique(struct transfer_list *l)
{
	size_t kept = 0;

	if (l->count == 0)
		return;
	qsort(l->items, l->count, sizeof *l->items, transfer_list_compare);
	for (size_t i = 1; i < l->count; i++)
		if (!oid_equal(&l->items[i].id, &l->items[kept].id))
			l->items[++kept] = l->items[i];
	l->count = kept + 1;
}

static const struct transfer_item *
transfer_list_find(const struct transfer_list *l, const struct oid *id)
{
	struct transfer_item key = {.id = *id};

	if (l->count == 0)
		return NULL;
	return bsearch(&key, l->items, l->count, sizeof key, transfer_list_compare);
}

bool
transfer_list_has(const struct transfer_list *l, const struct oid *id)
{
	return transfer_list_find(l, id) != NULL;
}

int
transfer_list_encode(const struct transfer_list *l, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *list = jcs_new_array();
	char text[OID_TEXT_SIZE];

	for (size_t i = 0; i < l->count; i++) {
		oid_text(&l->items[i].id, text);
		jcs_append(list, jcs_new_string(text));
	}
	jcs_set_string(v, "mediaType", TRANSFER_LIST_TYPE);
	jcs_set(v, "objects", list);
	return jcs_encode(v, ret, e);
}

static int
transfer_list_take(const struct jcs *list, const struct transfer_list *asked,
    struct transfer_list *ret, struct err *e)
{
	if (jcs_length(list) > asked->count)
		return err_set(e, ERR_REFUSED, "the other side names more objects than it was asked about");
	for (size_t i = 0; i < jcs_length(list); i++) {
		const char *text = jcs_string(jcs_at(list, i));
		const struct transfer_item *item;
		struct oid id;

		if (text == NULL || oid_from_text(&id, text, e) != 0)
			return err_set(e, ERR_REFUSED, "the other side's list of missing objects holds what is"
			    " no id");
		item = transfer_list_find(asked, &id);
		if (item == NULL)
			return err_set(e, ERR_REFUSED, "the other side asks for objects that it was"
			    " not asked about");
		if (transfer_list_add(ret, item, e) != 0)
			return -1;
	}
	return 0;
}

int
transfer_list_decode(const void *data, size_t len, const struct transfer_list *asked,
    struct transfer_list *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_decode(data, len, TRANSFER_ANSWER_MAX, &v, e) != 0)
		return err_prefix(e, "the other side's list of missing objects");
	type = jcs_get_string(v, "mediaType");
	if (type == NULL || strcmp(type, TRANSFER_LIST_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the other side's answer is not a list of objects");
	if (shape_check(v, transfer_list_shape, "the other side's list of missing objects", e) != 0)
		return -1;
	return transfer_list_take(jcs_get(v, "objects"), asked, ret, e);
}

int
transfer_read_tree(struct store *s, const struct oid *id, struct tree *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (odb_read(s, id, TREE_BYTES_MAX, &text, e) != 0)
		return -1;
	return tree_decode(text.data, text.len, ret, e);
}

void
transfer_path(const struct link *l, const struct oid *id, char ret[TRANSFER_PATH_SIZE])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	snprintf(ret, TRANSFER_PATH_SIZE, "%.*s%s", TRANSFER_PATH_SIZE - OID_HEX_SIZE - 1,
	    l->objects != NULL ? l->objects : "/v1/objects/", hex);
}
