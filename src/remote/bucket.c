#include "remote/bucket.h"

#include <string.h>
#include <time.h>
#include "base/interrupt.h"
#include "codec/zstd.h"
#include "crypto/random.h"
#include "remote/bucket-manifest.h"
#include "remote/pack.h"
#include "remote/pack-make.h"
#include "remote/spool.h"
#include "store/oid-map.h"
#include "store/odb.h"

#define BUCKET_FLUSH (48u * 1024 * 1024)    /* of pending objects */
#define BUCKET_FLUSH_COUNT 50000u
#define BUCKET_THREADS 4                    /* that make packs of what was offered ... */
#define BUCKET_AWAY 4                       /* ... so many packs at a time */
#define BUCKET_WAIT_MS 100
#define BUCKET_TRIES 50
#define BUCKET_PUBLISH_S 5
#define BUCKET_SLACK (1024u * 1024)         /* by which compressing can make it longer */
#define BUCKET_GET_BATCH 2000
#define BUCKET_SMALL (1024u * 1024)         /* packs that are made into one ... */
#define BUCKET_SMALL_MAX 32u                /* ... when there are more of them */

enum bucket_pack_state { BUCKET_PACK_THERE, BUCKET_PACK_SPOOLED, BUCKET_PACK_BAD };

struct bucket_view {
	bool there;             /* a manifest is */
	char tag[BUCKET_TAG_SIZE];
	struct bucket_manifest m;
	struct oid_map where;   /* an object to the number of its pack */
	size_t indexed;         /* packs whose heads are in it */
	enum bucket_pack_state *packs; /* as many as indexed */
	struct spool *spool;
	/* of a push: what is not in a pack yet, and packs no manifest has yet */
	struct pack_make *pending;
	struct workers *workers; /* NULL: packs are made here */
	struct workers_job *made; /* in threads, and to be written, one at a time */
	size_t made_count;
	bool writing;
	struct bucket_manifest fresh;
	/* What was offered: commits before what they need, so no manifest has it before the last. */
	bool offering;          /* pending is such */
	struct oid_map offered;
	struct bucket_manifest held;
	int64_t published_s;    /* when packs without refs were last published; 0: never */
	struct oid_map merged;  /* packs whose objects are in a fresh one too */
};

static int64_t
bucket_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec;
}

static struct bucket *
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
	while (v->workers != NULL && workers_pending(v->workers) > 0)
		pack_make_free((struct pack_make *)workers_take(v->workers, BUCKET_WAIT_MS));
	workers_stop(v->workers);
	while (v->made != NULL) {
		struct workers_job *job = v->made;

		v->made = job->next;
		pack_make_free((struct pack_make *)job);
	}
	bucket_manifest_free(&v->m);
	bucket_manifest_free(&v->fresh);
	bucket_manifest_free(&v->held);
	oid_map_free(&v->offered);
	oid_map_free(&v->where);
	oid_map_free(&v->merged);
	free(v->packs);
	spool_free(v->spool);
	pack_make_free(v->pending);
	free(v);
	b->view = NULL;
}

static void
bucket_key(const struct oid *id, const char *ending, char ret[BUCKET_KEY_MAX])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	snprintf(ret, BUCKET_KEY_MAX, "packs/%s%s", hex, ending);
}

/* --- the manifest --- */

/* Packs are only ever added: what is known of those that were there stays true. */
static int
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

static int
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

static int
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
static int
bucket_find(struct bucket *b, const struct oid *id, bool *ret, size_t *ret_pack, struct err *e)
{
	if (bucket_open_view(b, e) != 0 || bucket_index(b, e) != 0)
		return -1;
	*ret = oid_map_get(&b->view->where, id, ret_pack);
	return 0;
}

static bool
bucket_is_large(const struct remote_item *item)
{
	return item->ref.type == OBJECT_BLOB && item->size > PACK_BLOB_MAX;
}

/* Items of one kind side by side, so that the transport gets many at a time; the states go
 * back to where they came from. */
typedef int bucket_many(void *self, struct remote_item *items, size_t n, struct err *e);

static int
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

static void
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
static int
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
		remote_say(b->remote, "object %s: %s", hex, e->msg);
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

/* --- out --- */

/* A pack under its name; no manifest has it yet. */
static int
bucket_write_pack(struct bucket *b, const struct pack_make *m, struct err *e)
{
	char key[BUCKET_KEY_MAX];

	bucket_key(&m->id, "", key);
	if (b->ops->write(b->self, key, m->packed.data, m->packed.len, NULL, e) != 0)
		return err_prefix(e, "%s", key);
	bucket_key(&m->id, ".idx", key);
	return b->ops->write(b->self, key, m->head.data, m->head.len, NULL, e) == 0 ? 0 :
	    err_prefix(e, "%s", key);
}

static void
bucket_write_run(struct workers_job *base)
{
	struct pack_make *m = (struct pack_make *)base;

	if (m->rc == 0)
		m->rc = bucket_write_pack(m->arg, m, &m->why);
}

/* One that was written. */
static int
bucket_written(struct bucket_view *v, const struct pack_make *m, struct err *e)
{
	const struct bucket_manifest_pack p = {.id = m->id, .head_len = m->head.len, .total = m->total};

	if (m->rc == 0)
		return bucket_manifest_add_pack(m->held ? &v->held : &v->fresh, &p, e);
	if (e != NULL)
		*e = m->why;
	return -1;
}

/* The transport belongs to the thread that writes, as long as it does. */
static void
bucket_write_next(struct bucket_view *v)
{
	struct workers_job *job = v->made;

	if (v->writing || job == NULL)
		return;
	v->made = job->next;
	v->made_count--;
	v->writing = true;
	job->run = bucket_write_run;
	workers_submit(v->workers, WORKERS_WAIT, job);
}

/* Something that was done: made, or written. */
static int
bucket_take(struct bucket_view *v, int timeout_ms, struct err *e)
{
	struct workers_job *job = workers_take(v->workers, timeout_ms);
	int rc = 0;

	if (job != NULL && job->run == bucket_write_run) {
		v->writing = false;
		rc = bucket_written(v, (struct pack_make *)job, e);
		pack_make_free((struct pack_make *)job);
	} else if (job != NULL) {
		job->next = v->made;
		v->made = job;
		v->made_count++;
	}
	bucket_write_next(v);
	return rc;
}

static size_t
bucket_away(const struct bucket_view *v)
{
	return workers_pending(v->workers) + v->made_count;
}

/* Waits until no more than `away` are being made and written. */
static int
bucket_collect(struct bucket *b, size_t away, struct err *e)
{
	struct bucket_view *v = b->view;

	if (v->workers == NULL)
		return 0;
	do {
		if (interrupt_check(e) != 0 ||
		    bucket_take(v, bucket_away(v) > away ? BUCKET_WAIT_MS : 0, e) != 0)
			return -1;
	} while (bucket_away(v) > away);
	return 0;
}

/* What is pending becomes a pack. */
static int
bucket_pack(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;
	struct pack_make *next;

	if (v->pending->count == 0)
		return 0;
	if (pack_make_new(&next, e) != 0)
		return -1;
	v->pending->held = v->offering;
	v->pending->arg = b;
	if (v->workers != NULL) {
		workers_submit(v->workers, WORKERS_COMPUTE, &v->pending->base);
		v->pending = next;
		return bucket_collect(b, BUCKET_AWAY, e);
	}
	v->pending->base.run(&v->pending->base);
	bucket_write_run(&v->pending->base);
	if (bucket_written(v, v->pending, e) != 0) {
		pack_make_free(next);
		return -1;
	}
	pack_make_free(v->pending);
	v->pending = next;
	return 0;
}

static size_t
bucket_piece(const struct bucket *b)
{
	return b->ops->piece != 0 ? b->ops->piece : BUCKET_FLUSH;
}

/* There is no room for so many bytes more. */
static bool
bucket_is_full(const struct bucket *b, uint64_t more)
{
	const struct bucket_view *v = b->view;

	return v->pending->count > 0 && (v->pending->bytes.len + more > bucket_piece(b) ||
	    v->pending->count >= BUCKET_FLUSH_COUNT);
}

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

static int
bucket_publish(struct bucket *b, struct remote_update *updates, size_t n, struct err *e)
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

/* Now and then also what no ref needs yet: a push that is killed has not to send it again. */
static int
bucket_flush(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;
	int64_t now = bucket_now_s();

	if (bucket_pack(b, e) != 0)
		return -1;
	if (v->published_s == 0)
		v->published_s = now;
	if (now - v->published_s < BUCKET_PUBLISH_S)
		return 0;
	v->published_s = now;
	return bucket_publish(b, NULL, 0, e);
}

/* Ours may be damaged: then it is not sent, and the rest is. */
static int
bucket_put_small(struct bucket *b, struct remote_item *item, struct err *e)
{
	struct bucket_view *v = b->view;
	size_t before = v->pending->bytes.len;
	char hex[OID_HEX_SIZE];

	if (bucket_is_full(b, item->size)) {
		if (odb_reading(b->remote->store, false, e) != 0 || bucket_flush(b, e) != 0)
			return -1;
		before = 0;
	}
	if (odb_reading(b->remote->store, true, e) != 0)
		return -1;
	if (odb_read(b->remote->store, &item->ref.id, PACK_OBJECT_MAX, &v->pending->bytes, e) == 0) {
		item->state = REMOTE_HAS;
		return pack_make_add(v->pending, &item->ref.id, before, e);
	}
	v->pending->bytes.len = before;
	if (e->code != ERR_CORRUPT && e->code != ERR_NOTFOUND && e->code != ERR_LIMIT)
		return -1;
	oid_hex(&item->ref.id, hex);
	remote_say(b->remote, "object %s is not sent: %s", hex, e->msg);
	item->state = REMOTE_FAILED;
	return 0;
}

/* One offers faster than one packs. */
static int
bucket_hire(struct bucket *b, struct err *e)
{
	return workers_start(workers_processors(BUCKET_THREADS), &b->view->workers, e);
}

int
bucket_offer(struct remote *r, struct remote_item *item, const void *data, struct err *e)
{
	struct bucket *b = bucket_of(r);
	struct bucket_view *v;
	size_t ignored, before;
	bool there, fresh;

	if (bucket_find(b, &item->ref.id, &there, &ignored, e) != 0)
		return -1;
	v = b->view;
	if (there || item->size > PACK_OBJECT_MAX)
		return 0;
	if (oid_map_add(&v->offered, &item->ref.id, 0, &fresh, e) != 0)
		return -1;
	item->state = REMOTE_HAS;
	if (!fresh)
		return 0;
	if (!v->offering && bucket_hire(b, e) != 0)
		return -1;
	v->offering = true;
	if (bucket_is_full(b, item->size) && bucket_pack(b, e) != 0)
		return -1;
	before = v->pending->bytes.len;
	buf_add(&v->pending->bytes, data, (size_t)item->size);
	return buf_check(&v->pending->bytes, e) != 0 ? -1 : pack_make_add(v->pending, &item->ref.id, before, e);
}

/* What is pending of the offered is not mixed with what may be published before it. */
static int
bucket_offered(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;

	if (!v->offering)
		return 0;
	if (bucket_pack(b, e) != 0 || bucket_collect(b, 0, e) != 0)
		return -1;
	workers_stop(v->workers);
	v->workers = NULL;
	v->offering = false;
	return 0;
}

int
bucket_put(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct bucket *b = bucket_of(r);
	struct progress p;
	int rc = bucket_open_view(b, e) != 0 ? -1 : bucket_offered(b, e);

	progress_start(&p, r->progress, "sending", 0);
	for (size_t i = 0; i < n && rc == 0; i++)
		p.total += bucket_is_large(&items[i]) ? 0 : items[i].size;
	for (size_t i = 0; i < n && rc == 0; i++) {
		items[i].state = REMOTE_ASKED;
		if (bucket_is_large(&items[i]))
			continue;
		rc = interrupt_check(e) != 0 ? -1 : bucket_put_small(b, &items[i], e);
		progress_add(&p, items[i].size);
	}
	progress_end(&p);
	if (rc != 0 || odb_reading(r->store, false, e) != 0)
		return -1;
	if (b->ops->put != NULL)
		return bucket_large(b, b->ops->put, items, n, e);
	bucket_unfit(items, n);
	return 0;
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
	if (bucket_collect(b, 0, e) != 0 || (b->view->pending->count > 0 && bucket_merge(b, e) != 0) ||
	    bucket_offered(b, e) != 0 || bucket_pack(b, e) != 0 || bucket_unhold(b->view, e) != 0)
		return -1;
	if (n == 0 && b->view->fresh.pack_count == 0)
		return 0;
	return bucket_publish(b, updates, n, e);
}
