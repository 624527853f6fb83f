/* One gc: what its files share. */
#ifndef STORE_GC_STATE_H
#define STORE_GC_STATE_H

#include "store/gc.h"
#include "store/lease-set.h"
#include "store/oid-map.h"

struct gc_todo {                /* to be followed */
	struct object_ref ref;
	bool needed;            /* its absence is damage */
};

struct gc_candidate {
	struct oid id;
	uint64_t size;
	unsigned referrers;     /* candidates that name it and are not in the order yet */
	unsigned char type;     /* enum object_type */
	bool plain;             /* its first bytes say that it is a blob */
};

struct gc {
	struct store *s;
	const struct gc_options *o;
	struct gc_result r;
	struct lease_set leases;
	int gate;
	struct oid_map marked;  /* kept */
	struct oid_map opened;  /* kept, and what they name is marked */
	struct gc_todo *todo;
	size_t todo_count, todo_cap;
	struct gc_candidate *candidates;
	size_t count, cap;
	size_t *order;          /* of candidates, count once it is made: who names before what is named */
	struct progress progress;
};

/* HEAD, refs, reflogs and leases, with all they name. */
int gc_mark_roots(struct gc *g, struct err *e) MUST_CHECK;
/* An id of a lease or a reflog: what it is, and all it names, if it is there. */
int gc_mark_id(void *gc, const struct oid *id, struct err *e) MUST_CHECK;
/* The same for what it is known to be. */
int gc_mark_ref_id(struct gc *g, const struct object_ref *ref, struct err *e) MUST_CHECK;
/* candidates and order. */
int gc_order_make(struct gc *g, struct err *e) MUST_CHECK;
int gc_sweep_run(struct gc *g, struct err *e) MUST_CHECK;
int gc_litter_run(struct gc *g, struct err *e) MUST_CHECK;

#endif
