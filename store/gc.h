/* Removes what nothing reaches; beside running commits (store/FORMAT.md, rules 12 to 17). */
#ifndef STORE_GC_H
#define STORE_GC_H

#include <stdint.h>
#include "base/progress.h"
#include "object/oid.h"
#include "store/store.h"

struct gc_options {
	bool dry_run;
	/* Inputs of runs, and outputs of failed ones, are not kept for being named by a
	 * certificate: their absence is no damage, but there may be no other copy. */
	bool prune_inputs;
	/* Told of each object that is removed (would be, in a dry run), and of each left-over. */
	void (*on_object)(void *arg, const struct oid *id, uint64_t size);
	void (*on_litter)(void *arg, const char *path);
	void *arg;
	FILE *progress;         /* NULL: silent */
};

struct gc_result {
	uint64_t kept;          /* objects that are reached or relied on */
	uint64_t removed, removed_bytes;
	uint64_t litter;
	uint64_t small_before, small_after; /* bytes of small.db */
	bool held;              /* some were left because a commit relies on everything just now */
	char *holder;           /* who; NULL; the caller frees it */
};

/* ERR_BUSY names another gc; ERR_CORRUPT: damaged, nothing was removed. */
int gc_run(struct store *s, const struct gc_options *o, struct gc_result *ret, struct err *e) MUST_CHECK;

#endif
