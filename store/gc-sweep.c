#include <sys/file.h>
#include "base/interrupt.h"
#include "object/oid-list.h"
#include "store/gc-state.h"
#include "store/in-place.h"
#include "store/lease.h"
#include "store/odb-file.h"
#include "store/odb-small.h"

#define GC_SWEEP_SLICE 2000     /* objects that are deleted under one lock */

static int
gc_sweep_object(struct gc *g, const struct gc_candidate *c, struct err *e)
{
	size_t ignored;

	if (oid_map_get(&g->marked, &c->id, &ignored)) {
		g->r.kept++;
		return 0;
	}
	if (odb_file_delete(g->s, &c->id, e) != 0 || odb_small_delete(g->s, &c->id, e) != 0)
		return -1;
	g->r.removed++;
	g->r.removed_bytes += c->size;
	progress_add(&g->progress, c->size);
	if (g->o->on_object != NULL)
		g->o->on_object(g->o->arg, &c->id, c->size);
	return 0;
}

/* Both locks are held.  *ret_next: the first that was not looked at. */
static int
gc_sweep_locked(struct gc *g, size_t from, size_t *ret_next, struct err *e)
{
	size_t i, end = from + GC_SWEEP_SLICE < g->count ? from + GC_SWEEP_SLICE : g->count;

	if (lease_set_read(&g->leases, gc_mark_id, g, e) != 0)
		return -1;
	for (i = from; i < end; i++)
		if (gc_sweep_object(g, &g->candidates[g->order[i]], e) != 0)
			return -1;
	*ret_next = end;
	return 0;
}

/*
 * One slice: the write lock of small.db, then the gate (rule 14).  The deletions
 * are committed before the gate opens: who looks after that finds nothing.
 */
static int
gc_sweep_slice(struct gc *g, size_t from, size_t *ret_next, struct err *e)
{
	int rc;

	/* most of it while nobody waits for us */
	if (lease_set_read(&g->leases, gc_mark_id, g, e) != 0 || odb_small_lock(g->s, e) != 0)
		return -1;
	rc = lease_gate_lock(g->gate, LOCK_EX, e);
	if (rc == 0) {
		rc = gc_sweep_locked(g, from, ret_next, e);
		if (rc == 0)
			rc = odb_small_flush(g->s, e);
		lease_gate_unlock(g->gate);
	}
	if (rc != 0)
		odb_small_rollback(g->s);
	return rc;
}

static int
gc_sweep_dry(struct gc *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct gc_candidate *c = &g->candidates[g->order[i]];

		g->r.removed++;
		g->r.removed_bytes += c->size;
		if (g->o->on_object != NULL)
			g->o->on_object(g->o->arg, &c->id, c->size);
	}
	return 0;
}

struct gc_sweep_files {
	struct gc *g;
	struct oid_list unreached;
	int rc;
	struct err *e;
};

static int
gc_sweep_file(void *arg, const struct in_place_file *f)
{
	struct gc_sweep_files *x = arg;
	size_t ignored;

	if (oid_map_get(&x->g->marked, &f->id, &ignored))
		return 0;
	x->rc = oid_list_add(&x->unreached, &f->id, x->e);
	return x->rc;
}

static int
gc_sweep_files_locked(struct gc *g, struct err *e)
{
	struct gc_sweep_files x = {.g = g, .e = e};
	int rc = lease_set_read(&g->leases, gc_mark_id, g, e);

	if (rc == 0)
		rc = in_place_each(g->s, gc_sweep_file, &x, e);
	if (rc == 0)
		rc = x.rc;
	for (size_t i = 0; i < x.unreached.count && rc == 0; i++)
		rc = in_place_delete(g->s, &x.unreached.ids[i], e);
	oid_list_free(&x.unreached);
	return rc != 0 ? -1 : in_place_flush(g->s, e);
}

/* The records of files that are kept where they lie, never the files; as a slice. */
static int
gc_sweep_files(struct gc *g, struct err *e)
{
	int rc;

	if (in_place_lock(g->s, e) != 0)
		return -1;
	rc = lease_gate_lock(g->gate, LOCK_EX, e);
	if (rc == 0) {
		rc = gc_sweep_files_locked(g, e);
		lease_gate_unlock(g->gate);
	}
	if (rc != 0)
		in_place_rollback(g->s);
	return rc;
}

int
gc_sweep_run(struct gc *g, struct err *e)
{
	size_t next = 0;

	if (g->o->dry_run)
		return gc_sweep_dry(g);
	while (next < g->count)
		if (interrupt_check(e) != 0 || gc_sweep_slice(g, next, &next, e) != 0)
			return -1;
	return gc_sweep_files(g, e);
}
