#include <sys/file.h>
#include <time.h>
#include "base/interrupt.h"
#include "store/gc-state.h"
#include "store/lease.h"
#include "store/odb-file.h"
#include "store/odb-small.h"

#define GC_SWEEP_SLICE 2000     /* objects that are deleted under one lock */
#define GC_SWEEP_WAIT_MS 10000  /* for somebody who relies on everything */
#define GC_SWEEP_POLL_MS 50

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
gc_sweep_locked(struct gc *g, size_t from, size_t *ret_next, bool *ret_all, struct err *e)
{
	size_t i, end = from + GC_SWEEP_SLICE < g->count ? from + GC_SWEEP_SLICE : g->count;

	*ret_next = from;
	if (lease_set_read(&g->leases, gc_mark_id, g, ret_all, e) != 0)
		return -1;
	if (*ret_all)
		return 0;
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
gc_sweep_slice(struct gc *g, size_t from, size_t *ret_next, bool *ret_all, struct err *e)
{
	bool ignored;
	int rc;

	/* most of it while nobody waits for us */
	if (lease_set_read(&g->leases, gc_mark_id, g, &ignored, e) != 0 || odb_small_lock(g->s, e) != 0)
		return -1;
	rc = lease_gate_lock(g->gate, LOCK_EX, e);
	if (rc == 0) {
		rc = gc_sweep_locked(g, from, ret_next, ret_all, e);
		if (rc == 0)
			rc = odb_small_flush(g->s, e);
		lease_gate_unlock(g->gate);
	}
	if (rc != 0)
		odb_small_rollback(g->s);
	return rc;
}

static void
gc_sweep_pause(void)
{
	const struct timespec pause = {.tv_nsec = GC_SWEEP_POLL_MS * 1000000L};

	nanosleep(&pause, NULL);
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
	int waited = 0;

	if (g->o->dry_run)
		return gc_sweep_dry(g);
	while (next < g->count) {
		bool all = false;
		size_t was = next;

		if (interrupt_check(e) != 0 || gc_sweep_slice(g, was, &next, &all, e) != 0)
			return -1;
		if (!all) {
			waited = 0;
			continue;
		}
		if (waited >= GC_SWEEP_WAIT_MS) {
			g->r.held = true;
			g->r.kept += g->count - next;
			g->r.holder = lease_set_holder(&g->leases);
			return 0;
		}
		gc_sweep_pause();
		waited += GC_SWEEP_POLL_MS;
	}
	return 0;
}
