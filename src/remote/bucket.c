#include "remote/bucket-internal.h"

#include "base/interrupt.h"
#include "codec/zstd.h"
#include "store/odb.h"

#define BUCKET_SLACK (1024u * 1024)         /* by which compressing can make it longer */
#define BUCKET_GET_BATCH 2000

struct bucket *
bucket_of(struct remote *r)
{
	return r->state;
}

void
bucket_end(struct bucket *b)
{
	struct bucket_view *v = b->view;

	if (v == NULL)
		return;
	bucket_put_end(v);
	bucket_manifest_free(&v->m);
	bucket_manifest_free(&v->fresh);
	bucket_manifest_free(&v->held);
	oid_map_free(&v->offered);
	oid_map_free(&v->where);
	oid_map_free(&v->merged);
	free(v->packs);
	spool_free(v->spool);
	free(v);
	b->view = NULL;
}

void
bucket_key(const struct oid *id, const char *ending, char ret[BUCKET_KEY_MAX])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	snprintf(ret, BUCKET_KEY_MAX, "packs/%s%s", hex, ending);
}

/* --- the manifest --- */

/* Packs are only ever added: what is known of those that were there stays true. */
int
bucket_load(struct bucket *b, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct bucket_manifest m = {0};
	struct bucket_view *v = b->view;

	v->there = false;
	v->tag[0] = '\0';
	if (b->ops->read(b->self, BUCKET_MANIFEST, BUCKET_MANIFEST_MAX, &text, v->tag, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return -1;
	} else if (bucket_manifest_decode(text.data, text.len, &m, e) != 0) {
		return -1;
	} else {
		v->there = true;
	}
	for (size_t i = 0; i < v->indexed; i++)
		if (i >= m.pack_count || !oid_equal(&m.packs[i].id, &v->m.packs[i].id)) {
			oid_map_free(&v->where);
			v->indexed = 0;
		}
	bucket_manifest_free(&v->m);
	v->m = m;
	return 0;
}

int
bucket_open_view(struct bucket *b, struct err *e)
{
	if (b->view != NULL)
		return 0;
	b->view = calloc(1, sizeof *b->view);
	if (b->view == NULL)
		return err_nomem(e);
	if (pack_make_new(&b->view->pending, e) == 0 && bucket_load(b, e) == 0)
		return 0;
	bucket_end(b);
	return -1;
}

int
bucket_refs(struct remote *r, struct remote_refs *ret, struct err *e)
{
	struct bucket *b = bucket_of(r);
	const struct remote_refs *l;

	if (bucket_open_view(b, e) != 0)
		return -1;
	l = &b->view->m.refs;
	for (size_t i = 0; i < l->count; i++)
		if (remote_refs_add(ret, l->items[i].name, &l->items[i].target, e) != 0)
			return -1;
	if (l->head != NULL && (ret->head = buf_strdup(l->head, e)) == NULL)
		return -1;
	if (!b->view->there && !r->writing)
		return err_set(e, ERR_NOTFOUND, "%s: nothing was pushed there", r->url);
	return 0;
}

/* --- which objects are in which pack --- */

static int
bucket_index_one(struct bucket *b, size_t n, struct err *e)
{
	CLEANUP(pack_free) struct pack head = PACK_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct bucket_view *v = b->view;
	char key[BUCKET_KEY_MAX];
	bool fresh;

	bucket_key(&v->m.packs[n].id, ".idx", key);
	if (b->ops->read(b->self, key, (size_t)v->m.packs[n].head_len, &text, NULL, e) != 0 ||
	    pack_decode(text.data, text.len, false, &head, e) != 0)
		return err_prefix(e, "%s", key);
	for (size_t i = 0; i < head.count; i++)
		if (oid_map_add(&v->where, &head.entries[i].id, n, &fresh, e) != 0)
			return -1;
	return 0;
}

int
bucket_index(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;
	enum bucket_pack_state *grown;

	if (v->indexed == v->m.pack_count)
		return 0;
	grown = reallocarray(v->packs, v->m.pack_count, sizeof *grown);
	if (grown == NULL)
		return err_nomem(e);
	v->packs = grown;
	while (v->indexed < v->m.pack_count) {
		if (interrupt_check(e) != 0 || bucket_index_one(b, v->indexed, e) != 0)
			return -1;
		v->packs[v->indexed++] = BUCKET_PACK_THERE;
	}
	return 0;
}

/* Where small objects can be; the newest first would gain nothing: an id is in one pack. */
int
bucket_find(struct bucket *b, const struct oid *id, bool *ret, size_t *ret_pack, struct err *e)
{
	if (bucket_open_view(b, e) != 0 || bucket_index(b, e) != 0)
		return -1;
	*ret = oid_map_get(&b->view->where, id, ret_pack);
	return 0;
}

bool
bucket_is_large(const struct remote_item *item)
{
	return item->ref.type == OBJECT_BLOB && item->size > PACK_BLOB_MAX;
}

int
bucket_large(struct bucket *b, bucket_many *fn, struct remote_item *items, size_t n, struct err *e)
{
	CLEANUP(cleanup_free) struct remote_item *some = calloc(n + 1, sizeof *some);
	CLEANUP(cleanup_free) size_t *at = calloc(n + 1, sizeof *at);
	size_t count = 0;
	int rc;

	if (some == NULL || at == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (bucket_is_large(&items[i]) && items[i].state == REMOTE_ASKED) {
			at[count] = i;
			some[count++] = items[i];
		}
	rc = count == 0 ? 0 : fn(b->self, some, count, e);
	for (size_t i = 0; i < count; i++)
		items[at[i]].state = some[i].state;
	return rc;
}

void
bucket_unfit(struct remote_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bucket_is_large(&items[i]) && items[i].state == REMOTE_ASKED)
			items[i].state = REMOTE_UNFIT;
}

int
bucket_missing(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct bucket *b = bucket_of(r);
	size_t ignored;
	bool there;

	for (size_t i = 0; i < n; i++) {
		items[i].state = REMOTE_ASKED;
		if (bucket_find(b, &items[i].ref.id, &there, &ignored, e) != 0)
			return -1;
		if (there)
			items[i].state = REMOTE_HAS;
		else if (!bucket_is_large(&items[i]))
			items[i].state = items[i].size > PACK_OBJECT_MAX ? REMOTE_UNFIT : REMOTE_LACKS;
	}
	if (b->ops->missing != NULL)
		return bucket_large(b, b->ops->missing, items, n, e);
	bucket_unfit(items, n);
	return 0;
}

/* --- in --- */

/* The pack that has id, if it is not here (any more). */
int
bucket_spool(struct bucket *b, size_t n, const struct oid *id, struct err *e)
{
	CLEANUP(buf_free) struct buf packed = BUF_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct bucket_view *v = b->view;
	char key[BUCKET_KEY_MAX];

	if (v->packs[n] == BUCKET_PACK_SPOOLED && spool_has(v->spool, id))
		return 0;
	if (v->spool == NULL && spool_new(b->remote->store, &v->spool, e) != 0)
		return -1;
	bucket_key(&v->m.packs[n].id, "", key);
	if (v->packs[n] == BUCKET_PACK_BAD)
		return err_set(e, ERR_REFUSED, "%s: not the pack that it should be", key);
	v->packs[n] = BUCKET_PACK_BAD; /* not asked for again with the next object */
	if (b->ops->read(b->self, key, (size_t)v->m.packs[n].total + BUCKET_SLACK, &packed, NULL, e) != 0 ||
	    buf_reserve(&text, (size_t)v->m.packs[n].total + 1, e) != 0 ||
	    zstd_expand(packed.data, packed.len, (size_t)v->m.packs[n].total, &text, e) != 0 ||
	    spool_add(v->spool, &text, e) != 0)
		return err_prefix(e, "%s", key);
	v->packs[n] = BUCKET_PACK_SPOOLED;
	return 0;
}

int
bucket_read(struct remote *r, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	struct bucket *b = bucket_of(r);
	size_t pack;
	bool there;

	if (bucket_find(b, id, &there, &pack, e) != 0)
		return -1;
	if (!there)
		return err_set(e, ERR_NOTFOUND, "the remote does not have it");
	return bucket_spool(b, pack, id, e) != 0 ? -1 : spool_read(b->view->spool, id, max, ret, e);
}

static int
bucket_get_small(struct bucket *b, struct remote_item *item, struct err *e)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	char hex[OID_HEX_SIZE];
	struct oid got;

	oid_hex(&item->ref.id, hex);
	if (bucket_read(b->remote, &item->ref.id, PACK_OBJECT_MAX, &body, e) != 0 ||
	    oid_from_data(&got, body.data, body.len, e) != 0)
		return -1;
	if (!oid_equal(&got, &item->ref.id) || (item->exact && body.len != item->size))
		return err_set(e, ERR_REFUSED, "the remote sent other bytes; nothing of them is kept");
	if (odb_put(b->remote->store, body.data, body.len, &got, e) != 0)
		return -1;
	item->state = REMOTE_HAS;
	return 0;
}

static int
bucket_get_smalls(struct bucket *b, struct remote_item *items, size_t n, struct err *e)
{
	char hex[OID_HEX_SIZE];

	for (size_t i = 0; i < n; i++) {
		if (items[i].state != REMOTE_LACKS || bucket_get_small(b, &items[i], e) == 0)
			continue;
		if (e->code != ERR_NOTFOUND && e->code != ERR_REFUSED && e->code != ERR_FORMAT &&
		    e->code != ERR_LIMIT)
			return -1;
		items[i].state = REMOTE_FAILED;
		oid_hex(&items[i].ref.id, hex);
		notice_say(&b->remote->notice, "object %s: %s", hex, e->msg);
	}
	return 0;
}

int
bucket_get(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct bucket *b = bucket_of(r);
	size_t ignored;
	bool there;

	for (size_t i = 0; i < n; i++) {
		if (bucket_find(b, &items[i].ref.id, &there, &ignored, e) != 0)
			return -1;
		/* LACKS: is to be read from a pack; what is in none may lie alone */
		items[i].state = there ? REMOTE_LACKS : bucket_is_large(&items[i]) ? REMOTE_ASKED :
		    REMOTE_UNFIT;
	}
	for (size_t i = 0; i < n; i += BUCKET_GET_BATCH) {
		size_t some = n - i < BUCKET_GET_BATCH ? n - i : BUCKET_GET_BATCH;

		if (odb_batch_begin(r->store, e) != 0)
			return -1;
		if (bucket_get_smalls(b, items + i, some, e) != 0) {
			odb_batch_abort(r->store);
			return -1;
		}
		if (odb_batch_end(r->store, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (items[i].state == REMOTE_UNFIT)
			items[i].state = REMOTE_LACKS;
	if (b->ops->get != NULL)
		return bucket_large(b, b->ops->get, items, n, e);
	bucket_unfit(items, n);
	return 0;
}
