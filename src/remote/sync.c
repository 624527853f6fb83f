#include "remote/sync.h"

#include <string.h>
#include "base/interrupt.h"
#include "object/commit.h"
#include "remote/sync-walk.h"
#include "store/history.h"
#include "store/odb.h"

#define SYNC_ASK 50000u         /* ids in one question */

int
sync_blobs_parse(const char *text, enum sync_blobs *ret, struct err *e)
{
	static const char *const words[] = {[SYNC_BLOBS_NONE] = "none",
	    [SYNC_BLOBS_OUTPUTS] = "outputs", [SYNC_BLOBS_ALL] = "all"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = (enum sync_blobs)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "\"%s\": which blobs travel is none, outputs or all", text);
}

/* Each once, in the order of the walk: that is how they lie in the store. */
static int
sync_unique(struct sync_walk_list *l, struct err *e)
{
	CLEANUP(oid_map_free) struct oid_map seen = OID_MAP_INIT;
	size_t kept = 0;
	bool fresh;

	for (size_t i = 0; i < l->count; i++) {
		if (oid_map_add(&seen, &l->items[i].ref.id, 0, &fresh, e) != 0)
			return -1;
		if (fresh)
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
	return 0;
}

static int
sync_have(struct sync_walk *w, const struct oid *ids, size_t n, struct err *e)
{
	bool fresh;

	for (size_t i = 0; i < n; i++)
		if (oid_map_add(&w->have, &ids[i], 0, &fresh, e) != 0)
			return -1;
	return 0;
}

static void
sync_count(struct sync_tally *t, const struct remote_item *item)
{
	t->objects++;
	t->bytes += item->size;
	t->commits += item->ref.type == OBJECT_COMMIT;
	t->certificates += item->ref.type == OBJECT_CERTIFICATE;
}

/* --- out --- */

static int
sync_ask(struct remote *r, struct sync_walk_list *l, struct err *e)
{
	for (size_t at = 0; at < l->count; at += SYNC_ASK) {
		size_t n = l->count - at < SYNC_ASK ? l->count - at : SYNC_ASK;

		if (interrupt_check(e) != 0 || r->ops->missing(r, l->items + at, n, e) != 0)
			return -1;
	}
	return 0;
}

/* Keeps in *l what the remote lacks and the store has. */
static int
sync_lacking(struct remote *r, struct sync_walk_list *l, struct sync_tally *t, struct err *e)
{
	CLEANUP(odb_glance_free) struct odb_glance glance = ODB_GLANCE_INIT(r->store);
	size_t kept = 0;

	if (odb_reading(r->store, true, e) != 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		const struct remote_item *item = &l->items[i];

		if (item->state == REMOTE_UNFIT) {
			t->unfit++;
			t->unfit_bytes += item->size;
		} else if (item->state == REMOTE_LACKS && odb_glance_has(&glance, &item->ref.id)) {
			l->items[kept++] = *item;
		} else if (item->state == REMOTE_LACKS) {
			t->absent++;
		}
	}
	l->count = kept;
	return odb_reading(r->store, false, e);
}

/* What the remote took while the walk read it is sent. */
static void
sync_took(struct sync_walk_list *l, struct sync_tally *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].state == REMOTE_HAS)
			sync_count(t, &l->items[i]);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
}

/* One class of objects. *ret_all: the remote has them now. */
static int
sync_send(const struct sync_push *p, struct sync_walk_list *l, bool *ret_all,
    struct sync_tally *t, struct err *e)
{
	struct remote *r = p->remote;

	if (sync_unique(l, e) != 0)
		return -1;
	sync_took(l, t);
	if (sync_ask(r, l, e) != 0 || sync_lacking(r, l, t, e) != 0)
		return -1;
	if (!p->dry_run && l->count > 0 && r->ops->put(r, l->items, l->count, e) != 0)
		return -1;
	*ret_all = true;
	for (size_t i = 0; i < l->count; i++) {
		if (p->dry_run || l->items[i].state == REMOTE_HAS) {
			sync_count(t, &l->items[i]);
		} else {
			*ret_all = false;
			t->failed++;
		}
	}
	return 0;
}

int
sync_push(const struct sync_push *p, struct sync_tally *ret, struct err *e)
{
	CLEANUP(sync_walk_free) struct sync_walk w = {.store = p->remote->store, .remote = p->remote,
	    .blobs = p->blobs, .offering = !p->dry_run && p->remote->ops->offer != NULL, .tally = ret};
	bool all = true;

	*ret = (struct sync_tally){0};
	if (sync_have(&w, p->have, p->have_count, e) != 0)
		return -1;
	for (size_t i = 0; i < p->tip_count; i++)
		if (sync_walk_tip(&w, &p->tips[i].ref, &p->tips[i].whole, e) != 0)
			return -1;
	for (int c = 0; c < SYNC_WALK_CLASSES; c++) {
		bool sent;

		if (sync_send(p, &w.lists[c], &sent, ret, e) != 0)
			return -1;
		all &= sent || c == SYNC_WALK_CONTENTS;
	}
	p->remote->partial = p->blobs == SYNC_BLOBS_NONE || ret->absent + ret->unfit + ret->failed > 0;
	/* which ref needs what was not taken is not looked for: it is an odd remote */
	for (size_t i = 0; i < p->tip_count && !all; i++)
		p->tips[i].whole = false;
	return 0;
}

/* --- in --- */

static int
sync_expect(const struct sync_fetch *f, struct err *e)
{
	CLEANUP(cleanup_free) struct oid *want = calloc(f->tip_count + 1, sizeof *want);
	struct remote *r = f->remote;
	size_t n = 0;

	if (want == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < f->tip_count; i++)
		if (f->tips[i].ref.type == OBJECT_COMMIT)
			want[n++] = f->tips[i].ref.id;
	return n == 0 || r->ops->expect == NULL ? 0 :
	    r->ops->expect(r, want, n, f->have, f->have_count, e);
}

struct sync_keeper {
	struct oid *ids;
	size_t count;
};

static int
sync_keep_one(void *arg, const struct oid *id)
{
	struct sync_keeper *k = arg;

	k->ids[k->count++] = *id;
	return 0;
}

/* What was here already is relied on from now on, and is looked for once more: a gc may
 * have taken it since (rule 12 of store/FORMAT.md). */
static int
sync_keep(const struct sync_walk *w, struct err *e)
{
	CLEANUP(cleanup_free) struct oid *ids = calloc(w->local.count + 1, sizeof *ids);
	CLEANUP(odb_glance_free) struct odb_glance glance = ODB_GLANCE_FOR(w->store, w->local.count);
	struct sync_keeper k = {ids, 0};

	if (ids == NULL)
		return err_nomem(e);
	oid_map_each(&w->local, sync_keep_one, &k);
	if (odb_keep(w->store, ids, k.count, e) != 0)
		return -1;
	for (size_t i = 0; i < k.count; i++)
		if (!odb_glance_has(&glance, &ids[i]))
			return err_set(e, ERR_BUSY, "a gc removed objects meanwhile: try again");
	return 0;
}

/* Before it is looked which of them are here. */
static int
sync_keep_blobs(struct store *s, const struct sync_walk_list *l, struct err *e)
{
	CLEANUP(cleanup_free) struct oid *ids = calloc(l->count + 1, sizeof *ids);

	if (ids == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->count; i++)
		ids[i] = l->items[i].ref.id;
	return odb_keep(s, ids, l->count, e);
}

/* Those that are not here. */
static int
sync_get(struct remote *r, struct sync_walk_list *l, struct sync_tally *t, struct err *e)
{
	CLEANUP(odb_glance_free) struct odb_glance glance = ODB_GLANCE_FOR(r->store, l->count);
	size_t kept = 0;

	if (sync_unique(l, e) != 0)
		return -1;
	if (sync_keep_blobs(r->store, l, e) != 0 || odb_reading(r->store, true, e) != 0)
		return -1;
	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].ref.type == OBJECT_BLOB && !odb_glance_has(&glance, &l->items[i].ref.id))
			l->items[kept++] = l->items[i];
	l->count = kept;
	if (odb_reading(r->store, false, e) != 0)
		return -1;
	if (l->count == 0)
		return 0;
	if (r->ops->get(r, l->items, l->count, e) != 0)
		return -1;
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].state == REMOTE_HAS)
			sync_count(t, &l->items[i]);
		else if (l->items[i].state == REMOTE_FAILED)
			t->failed++;
		else if (l->items[i].state == REMOTE_UNFIT)
			t->unfit++, t->unfit_bytes += l->items[i].size;
		else
			t->absent++;
	}
	return 0;
}

static void
sync_count_came(const struct sync_walk *w, struct sync_tally *t)
{
	for (int c = 0; c < SYNC_WALK_CLASSES; c++)
		for (size_t i = 0; i < w->lists[c].count; i++)
			if (w->lists[c].items[i].state == REMOTE_HAS)
				sync_count(t, &w->lists[c].items[i]);
}

static int
sync_fetch_tips(const struct sync_fetch *f, struct sync_walk *w, struct err *e)
{
	struct err ignored;
	int rc = 0;

	for (size_t i = 0; i < f->tip_count && rc == 0; i++)
		rc = sync_walk_tip(w, &f->tips[i].ref, &f->tips[i].whole, e);
	if (rc == 0)
		return sync_aside_flush(&w->aside, e);
	/* what came is good: the next attempt goes on from it */
	if (sync_aside_flush(&w->aside, &ignored) != 0 && e != NULL)
		err_prefix(e, "%s; and then", ignored.msg);
	return -1;
}

int
sync_fetch(const struct sync_fetch *f, struct sync_tally *ret, struct err *e)
{
	struct progress progress;
	CLEANUP(sync_walk_free) struct sync_walk w = {.store = f->remote->store, .remote = f->remote,
	    .glance = ODB_GLANCE_INIT(f->remote->store), .aside.store = f->remote->store,
	    .fetching = true, .blobs = f->blobs, .progress = &progress, .tally = ret};
	int rc;

	*ret = (struct sync_tally){0};
	if (sync_have(&w, f->have, f->have_count, e) != 0 || sync_expect(f, e) != 0)
		return -1;
	progress_start(&progress, f->remote->progress, "fetching history", 0);
	rc = sync_fetch_tips(f, &w, e);
	progress_end(&progress);
	if (rc != 0)
		return -1;
	sync_count_came(&w, ret);
	return sync_keep(&w, e) != 0 ? -1 : sync_get(f->remote, &w.lists[SYNC_WALK_CONTENTS], ret, e);
}

int
sync_contents(const struct sync_contents *c, struct sync_tally *ret, struct err *e)
{
	CLEANUP(sync_walk_free) struct sync_walk w = {.store = c->remote->store, .remote = c->remote,
	    .glance = ODB_GLANCE_INIT(c->remote->store), .aside.store = c->remote->store,
	    .fetching = true, .blobs = c->blobs, .paths = c->paths, .path_count = c->path_count,
	    .tally = ret};

	*ret = (struct sync_tally){0};
	for (size_t i = 0; i < c->tip_count; i++)
		if (sync_walk_tip(&w, &c->tips[i].ref, &c->tips[i].whole, e) != 0)
			return -1;
	if (sync_aside_flush(&w.aside, e) != 0)
		return -1;
	sync_count_came(&w, ret);
	return sync_keep(&w, e) != 0 ? -1 : sync_get(c->remote, &w.lists[SYNC_WALK_CONTENTS], ret, e);
}

/* --- histories --- */

struct sync_search {
	const struct oid *wanted;
	bool found;
};

static int
sync_search_one(void *arg, const struct oid *id, const struct commit *c)
{
	struct sync_search *s = arg;

	(void)c;
	s->found = oid_equal(id, s->wanted);
	return s->found;
}

int
sync_descends(struct store *s, const struct oid *new_, const struct oid *old, bool *ret,
    struct err *e)
{
	struct sync_search w = {.wanted = old};

	if (history_walk(s, new_, 1, sync_search_one, &w, e) != 0)
		return -1;
	*ret = w.found;
	return 0;
}

struct sync_side {
	struct oid_map map;
	const struct oid_map *other;    /* counted is what is not in it */
	size_t count;
	struct err *e;
	int rc;
};

static int
sync_side_one(void *arg, const struct oid *id, const struct commit *c)
{
	struct sync_side *side = arg;
	size_t ignored;
	bool fresh;

	(void)c;
	if (side->other != NULL)
		side->count += !oid_map_get(side->other, id, &ignored);
	side->rc = oid_map_add(&side->map, id, 0, &fresh, side->e);
	return side->rc;
}

int
sync_divergence(struct store *s, const struct oid *a, const struct oid *b, size_t *ret_ahead,
    size_t *ret_behind, struct err *e)
{
	struct sync_side x = {.e = e}, y = {.other = &x.map, .e = e};
	int rc = -1;

	if (history_walk(s, a, 1, sync_side_one, &x, e) == 0 && x.rc == 0 &&
	    history_walk(s, b, 1, sync_side_one, &y, e) == 0 && y.rc == 0) {
		*ret_behind = y.count;
		*ret_ahead = x.map.count - (y.map.count - y.count);
		rc = 0;
	}
	oid_map_free(&x.map);
	oid_map_free(&y.map);
	return rc;
}
