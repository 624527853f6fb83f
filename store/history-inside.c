#include "store/history-inside.h"

#include "object/tree.h"
#include "store/odb.h"

static int history_inside_at(struct history_inside *in, const struct oid *id, int depth,
    struct err *e);

bool
history_inside_is(const struct history_inside *in, const struct resource *r)
{
	if (!oid_equal(&r->digests.sha256, &in->content->digests.sha256))
		return false;
	return in->any || (r->type == in->content->type && r->size == in->content->size);
}

static int
history_inside_entries(struct history_inside *in, const struct tree *t, int depth, struct err *e)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct tree_entry *entry = &t->entries[i];
		const struct resource r = {
			.type = entry->mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB,
			.size = entry->size,
			.digests = {.sha256 = entry->id},
		};
		int rc;

		if (++in->entries > HISTORY_INSIDE_MAX)
			return 0;
		if (entry->mode != TREE_LINK && history_inside_is(in, &r))
			return 1;
		if (r.type != OBJECT_TREE)
			continue;
		rc = history_inside_at(in, &entry->id, depth + 1, e);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int
history_inside_read(struct history_inside *in, const struct oid *id, int depth, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool there;

	if (odb_find(in->s, id, &there, e) != 0)
		return -1;
	if (!there)
		return 0;
	if (odb_read(in->s, id, TREE_BYTES_MAX, &text, e) != 0)
		return -1;
	if (tree_decode(text.data, text.len, &t, e) != 0)
		return e->code == ERR_NOMEM ? -1 : 0;
	buf_free(&text);
	return history_inside_entries(in, &t, depth, e);
}

/* Each tree is read once, whatever names it. */
static int
history_inside_at(struct history_inside *in, const struct oid *id, int depth, struct err *e)
{
	bool fresh;
	size_t at;
	int rc;

	if (oid_map_get(&in->with, id, &at))
		return 1;
	if (depth > TREE_DEPTH_MAX || (in->holders != NULL && !oid_map_get(in->holders, id, &at)))
		return 0;
	if (oid_map_add(&in->seen, id, 0, &fresh, e) != 0)
		return -1;
	rc = fresh ? history_inside_read(in, id, depth, e) : 0;
	if (rc == 1 && oid_map_add(&in->with, id, 0, &fresh, e) != 0)
		return -1;
	return rc;
}

int
history_inside_tree(struct history_inside *in, const struct oid *tree, struct err *e)
{
	return history_inside_at(in, tree, 1, e);
}

void
history_inside_free(struct history_inside *in)
{
	oid_map_free(&in->seen);
	oid_map_free(&in->with);
}
