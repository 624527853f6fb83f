#include "store/gc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "store/gc-state.h"
#include "store/lease.h"
#include "store/odb-compact.h"

#define GC_LOCK_MS 1000

static void
gc_free(struct gc *g)
{
	lease_set_free(&g->leases);
	oid_map_free(&g->marked);
	oid_map_free(&g->opened);
	free(g->todo);
	free(g->candidates);
	free(g->order);
	progress_end(&g->progress);
	cleanup_close(&g->gate);
}

/* From here on a lease that ends is left to us (rule 15). */
static int
gc_begin(struct gc *g, struct err *e)
{
	int rc;

	if (lease_gate_open(store_dirfd(g->s), &g->gate, e) != 0 ||
	    lease_gate_lock(g->gate, LOCK_EX, e) != 0)
		return err_prefix(e, "%s", store_path(g->s));
	rc = lease_set_begin(&g->leases, e);
	lease_gate_unlock(g->gate);
	return rc;
}

static uint64_t
gc_small_bytes(const struct gc *g)
{
	struct stat st;

	if (fstatat(store_dirfd(g->s), "objects/small.db", &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	return (uint64_t)st.st_size;
}

static uint64_t
gc_bytes(const struct gc *g)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < g->count; i++)
		bytes += g->candidates[g->order[i]].size;
	return bytes;
}

static int
gc_phases(struct gc *g, struct err *e)
{
	if (gc_begin(g, e) != 0)
		return -1;
	if (gc_mark_roots(g, e) != 0 || gc_order_make(g, e) != 0)
		return -1;
	progress_start(&g->progress, g->o->progress, "removing", gc_bytes(g));
	if (gc_sweep_run(g, e) != 0)
		return -1;
	progress_end(&g->progress);
	if (!g->o->dry_run && odb_compact_run(g->s, g->r.removed > 0, e) != 0)
		return -1;
	return gc_litter_run(g, e);
}

int
gc_run(struct store *s, const struct gc_options *o, struct gc_result *ret, struct err *e)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(gc_free) struct gc g = {.s = s, .o = o, .gate = -1,
	    .leases = {.s = s, .look_only = o->dry_run}};
	struct err local;

	if (e == NULL)
		e = &local;
	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	if (atomic_file_lock(&lock, store_dirfd(s), LEASE_GC, GC_LOCK_MS, e) != 0)
		return err_prefix(e, "%s", store_path(s));
	g.r.small_before = gc_small_bytes(&g);
	if (gc_phases(&g, e) != 0)
		return -1;
	g.r.small_after = gc_small_bytes(&g);
	*ret = g.r;
	return 0;
}
