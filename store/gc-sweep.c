#include <sys/file.h>
#include "base/interrupt.h"
#include "store/gc-state.h"
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

int
gc_sweep_run(struct gc *g, struct err *e)
{
	size_t next = 0;

	if (g->o->dry_run)
		return gc_sweep_dry(g);
	while (next < g->count)
		if (interrupt_check(e) != 0 || gc_sweep_slice(g, next, &next, e) != 0)
			return -1;
	return 0;
}
