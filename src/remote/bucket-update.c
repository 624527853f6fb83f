/* The manifest, changed by compare-and-swap: packs become part of the bucket, and refs move. */
#include <time.h>
#include "base/interrupt.h"
#include "crypto/random.h"
#include "remote/bucket-internal.h"

#define BUCKET_TRIES 50
#define BUCKET_SMALL (1024u * 1024)         /* packs that are made into one ... */
#define BUCKET_SMALL_MAX 32u                /* ... when there are more of them */

/* --- few packs instead of many --- */

static bool
bucket_is_small(const struct bucket_manifest_pack *p)
{
	return p->total < BUCKET_SMALL;
}

/* What is not what it should be stays where it is. */
static int
bucket_merge_one(struct bucket *b, size_t n, struct err *e)
{
	CLEANUP(pack_free) struct pack head = PACK_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct bucket_view *v = b->view;
	size_t count = v->pending->count, len = v->pending->bytes.len;
	char key[BUCKET_KEY_MAX];
	bool fresh;

	bucket_key(&v->m.packs[n].id, ".idx", key);
	if (b->ops->read(b->self, key, (size_t)v->m.packs[n].head_len, &text, NULL, e) != 0 ||
	    pack_decode(text.data, text.len, false, &head, e) != 0 ||
	    (head.count > 0 && bucket_spool(b, n, &head.entries[0].id, e) != 0))
		return e->code == ERR_CANCELLED || e->code == ERR_NETWORK || e->code == ERR_NOMEM ? -1 : 0;
	for (size_t i = 0; i < head.count; i++) {
		size_t before = v->pending->bytes.len;
		struct oid got;

		if (spool_read(v->spool, &head.entries[i].id, BUCKET_SMALL, &v->pending->bytes, e) != 0 ||
		    oid_from_data(&got, v->pending->bytes.data + before, v->pending->bytes.len - before, e) != 0 ||
		    !oid_equal(&got, &head.entries[i].id)) {
			v->pending->count = count;
			v->pending->bytes.len = len;
			return 0;
		}
		if (pack_make_add(v->pending, &got, before, e) != 0)
			return -1;
	}
	return oid_map_add(&v->merged, &v->m.packs[n].id, 0, &fresh, e);
}

/* Each push adds a pack: in the long run a reader would ask for thousands. */
static int
bucket_merge(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;
	size_t small = 0;

	for (size_t i = 0; i < v->m.pack_count; i++)
		small += bucket_is_small(&v->m.packs[i]);
	if (small <= BUCKET_SMALL_MAX || v->pending->bytes.len > BUCKET_FLUSH / 2 || bucket_index(b, e) != 0)
		return small <= BUCKET_SMALL_MAX || v->pending->bytes.len > BUCKET_FLUSH / 2 ? 0 : -1;
	for (size_t i = 0; i < v->m.pack_count && v->pending->bytes.len < BUCKET_FLUSH / 2; i++)
		if (bucket_is_small(&v->m.packs[i]) && bucket_merge_one(b, i, e) != 0)
			return -1;
	return 0;
}

/* Whoever read the manifest before finds the old packs still: they are not removed. */
static void
bucket_drop_merged(struct bucket_view *v)
{
	size_t kept = 0, ignored;

	if (v->merged.count == 0)
		return;
	for (size_t i = 0; i < v->m.pack_count; i++)
		if (!oid_map_get(&v->merged, &v->m.packs[i].id, &ignored))
			v->m.packs[kept++] = v->m.packs[i];
	v->m.pack_count = kept;
	oid_map_free(&v->where);
	v->indexed = 0;
}

/* Refs that are where they are expected get their new values. */
static int
bucket_apply(struct bucket_manifest *m, struct remote_update *updates, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct remote_update *u = &updates[i];
		const struct remote_ref *now = remote_refs_find(&m->refs, u->name);

		u->state = REMOTE_LACKS;
		if ((now != NULL) != u->has_old || (now != NULL && (now->target.type != u->old.type ||
		    !oid_equal(&now->target.id, &u->old.id))))
			continue;
		if (bucket_manifest_set_ref(m, u->name, u->has_new ? &u->new_ : NULL, e) != 0)
			return -1;
		u->state = REMOTE_HAS;
	}
	return 0;
}

/* One attempt on the manifest as it was last read. */
static int
bucket_write_manifest(struct bucket *b, struct remote_update *updates, size_t n, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct bucket_view *v = b->view;

	bucket_drop_merged(v);
	for (size_t i = 0; i < v->fresh.pack_count; i++)
		if (bucket_manifest_add_pack(&v->m, &v->fresh.packs[i], e) != 0)
			return -1;
	if (bucket_apply(&v->m, updates, n, e) != 0 || bucket_manifest_encode(&v->m, &text, e) != 0)
		return -1;
	return b->ops->write(b->self, BUCKET_MANIFEST, text.data, text.len, v->there ? v->tag : NULL, e);
}

/* Others write too: who is refused looks again. A little patience, of different length for each. */
static int
bucket_pause(int attempt, struct err *e)
{
	unsigned char jitter = 0;
	struct timespec ts = {0};

	if (random_bytes(&jitter, 1, e) != 0)
		return -1;
	ts.tv_nsec = (attempt < 10 ? attempt + 1 : 10) * (10 + jitter / 8) * 1000000L;
	nanosleep(&ts, NULL);
	return interrupt_check(e);
}

int
bucket_update_publish(struct bucket *b, struct remote_update *updates, size_t n, struct err *e)
{
	for (int i = 0; i < BUCKET_TRIES; i++) {
		if (bucket_write_manifest(b, updates, n, e) == 0) {
			bucket_manifest_free(&b->view->fresh);
			oid_map_free(&b->view->merged);
			return bucket_load(b, e);
		}
		if (e->code != ERR_CONFLICT || bucket_pause(i, e) != 0 || bucket_load(b, e) != 0)
			return -1;
	}
	return err_set(e, ERR_BUSY, "%s: others change it all the time; try again", b->remote->url);
}

/* All that refs need is there. */
static int
bucket_unhold(struct bucket_view *v, struct err *e)
{
	for (size_t i = 0; i < v->held.pack_count; i++)
		if (bucket_manifest_add_pack(&v->fresh, &v->held.packs[i], e) != 0)
			return -1;
	bucket_manifest_free(&v->held);
	return 0;
}

int
bucket_update(struct remote *r, struct remote_update *updates, size_t n, struct err *e)
{
	struct bucket *b = bucket_of(r);

	if (bucket_open_view(b, e) != 0)
		return -1;
	if (bucket_put_collect(b, 0, e) != 0 || (b->view->pending->count > 0 && bucket_merge(b, e) != 0) ||
	    bucket_put_offered(b, e) != 0 || bucket_put_pack(b, e) != 0 || bucket_unhold(b->view, e) != 0)
		return -1;
	if (n == 0 && b->view->fresh.pack_count == 0)
		return 0;
	return bucket_update_publish(b, updates, n, e);
}
