#include <string.h>
#include "base/array.h"
#include "base/interrupt.h"
#include "store/gc-state.h"
#include "store/history.h"
#include "store/links.h"
#include "store/odb-file.h"
#include "store/odb-small.h"

/*
 * Rule 16: what names others comes before what it names, so that at any moment
 * of the sweep an object that is there has all that it had.
 */
struct gc_order {
	struct gc *g;
	struct oid_map places;  /* id -> place in candidates */
	size_t filled;          /* of order */
	int rc;
	struct err *e;
};

static int
gc_order_candidate(struct gc_order *o, const struct oid *id, uint64_t size, bool plain)
{
	struct gc *g = o->g;
	size_t place;
	bool fresh;

	o->rc = interrupt_check(o->e);
	if (o->rc != 0)
		return -1;
	if (oid_map_get(&g->marked, id, &place)) {
		g->r.kept++;
		return 0;
	}
	if (oid_map_get(&o->places, id, &place)) /* as a file and as a row */
		return 0;
	if (ARRAY_ROOM(g->candidates, g->count, g->cap, o->e) != 0)
		return o->rc = -1;
	g->candidates[g->count] = (struct gc_candidate){.id = *id, .size = size, .plain = plain};
	return o->rc = oid_map_add(&o->places, id, g->count++, &fresh, o->e);
}

static int
gc_order_file(void *arg, const struct oid *id, uint64_t size)
{
	return gc_order_candidate(arg, id, size, false);
}

/* Most are neither a document nor a tree, and need not be opened again to know it. */
static int
gc_order_row(void *arg, const struct oid *id, const void *data, size_t len)
{
	static const char tree[] = "aicert tree ";
	bool plain = len < sizeof tree - 1 ||
	    (*(const char *)data != '{' && memcmp(data, tree, sizeof tree - 1) != 0);

	return gc_order_candidate(arg, id, len, plain);
}

static int
gc_order_count(void *arg, const struct links_link *l, struct err *e)
{
	struct gc_order *o = arg;
	size_t place;

	(void)e;
	if (oid_map_get(&o->places, &l->ref.id, &place))
		o->g->candidates[place].referrers++;
	return 0;
}

static int
gc_order_release(void *arg, const struct links_link *l, struct err *e)
{
	struct gc_order *o = arg;
	size_t place;

	(void)e;
	if (oid_map_get(&o->places, &l->ref.id, &place) &&
	    o->g->candidates[place].referrers > 0 && --o->g->candidates[place].referrers == 0)
		o->g->order[o->filled++] = place;
	return 0;
}

/* A candidate that cannot be read names nothing: nobody can use it either. */
static int
gc_order_links(struct gc_order *o, const struct gc_candidate *c, links_fn *fn, struct err *e)
{
	const struct object_ref ref = {(enum object_type)c->type, c->id};

	if (links_each(o->g->s, &ref, fn, o, e) == 0)
		return 0;
	return e->code == ERR_CORRUPT || e->code == ERR_FORMAT || e->code == ERR_NOTFOUND ? 0 : -1;
}

/* What it was is not known.  It may have been a certificate that nobody else has. */
static int
gc_order_unreadable(const struct gc *g, const struct oid *id, struct err *e)
{
	char hex[OID_HEX_SIZE];

	if (e->code == ERR_NOTFOUND || e->code == ERR_FORMAT || e->code == ERR_LIMIT)
		return 0;
	if (e->code != ERR_CORRUPT)
		return -1;
	oid_hex(id, hex);
	return g->o->prune_unpushed ? 0 : err_set(e, ERR_CORRUPT, "%s: damaged, so it is not known"
	    " whether it is needed; nothing was removed: see aicert fsck (--prune-unpushed removes"
	    " it)", hex);
}

static int
gc_order_types(struct gc_order *o, struct err *e)
{
	for (size_t i = 0; i < o->g->count; i++) {
		struct gc_candidate *c = &o->g->candidates[i];
		enum object_type type = OBJECT_BLOB;

		if (interrupt_check(e) != 0)
			return -1;
		if (!c->plain && history_type(o->g->s, &c->id, &type, e) != 0 &&
		    gc_order_unreadable(o->g, &c->id, e) != 0)
			return -1;
		c->type = (unsigned char)type;
		if (type != OBJECT_BLOB && gc_order_links(o, c, gc_order_count, e) != 0)
			return -1;
	}
	return 0;
}

/* The digests make it a graph without cycles; what damage keeps out of the order stays. */
static int
gc_order_fill(struct gc_order *o, struct err *e)
{
	struct gc *g = o->g;

	g->order = calloc(g->count + 1, sizeof *g->order);
	if (g->order == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < g->count; i++)
		if (g->candidates[i].referrers == 0)
			g->order[o->filled++] = i;
	for (size_t i = 0; i < o->filled; i++) {
		const struct gc_candidate *c = &g->candidates[g->order[i]];

		if (interrupt_check(e) != 0 ||
		    (c->type != OBJECT_BLOB && gc_order_links(o, c, gc_order_release, e) != 0))
			return -1;
	}
	return 0;
}

/*
 * A commit or a certificate that nothing reaches: had it been pushed, a ref of a remote
 * would reach it.  So this is perhaps the only copy, and is kept with all it names.
 */
static int
gc_order_unpushed(struct gc *g, struct err *e)
{
	for (size_t i = 0; i < g->count && !g->o->prune_unpushed; i++) {
		const struct object_ref ref = {(enum object_type)g->candidates[i].type, g->candidates[i].id};

		if ((ref.type == OBJECT_COMMIT || ref.type == OBJECT_CERTIFICATE) &&
		    gc_mark_ref_id(g, &ref, e) != 0)
			return -1;
	}
	return 0;
}

/* Leaves those that are marked out of the order. */
static void
gc_order_drop(struct gc_order *o)
{
	struct gc *g = o->g;
	size_t n = 0, ignored;

	for (size_t i = 0; i < o->filled; i++) {
		if (oid_map_get(&g->marked, &g->candidates[g->order[i]].id, &ignored))
			g->r.kept++;
		else
			g->order[n++] = g->order[i];
	}
	g->count = n;
}

int
gc_order_make(struct gc *g, struct err *e)
{
	struct gc_order o = {.g = g, .places = OID_MAP_INIT, .e = e};
	int rc = odb_file_each(g->s, "", gc_order_file, NULL, &o, e);

	if (rc == 0 && o.rc == 0)
		rc = odb_small_rows(g->s, gc_order_row, &o, e);
	if (rc == 0)
		rc = o.rc;
	if (rc == 0)
		rc = gc_order_types(&o, e);
	if (rc == 0)
		rc = gc_order_unpushed(g, e);
	if (rc == 0)
		rc = gc_order_fill(&o, e);
	if (rc == 0)
		gc_order_drop(&o);
	oid_map_free(&o.places);
	return rc;
}
