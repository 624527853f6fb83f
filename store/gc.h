/* Removes what nothing reaches; beside running commits (store/FORMAT.md, rules 12 to 17). */
#ifndef STORE_GC_H
#define STORE_GC_H

#include <stdint.h>
#include "base/progress.h"
#include "object/oid.h"
#include "store/store.h"

/* Every id in a text, any 64 lower-case digits in a row, is kept with all that it names. */
typedef int gc_text_fn(void *gc, const void *text, size_t len, struct err *e);

struct gc_options {
	bool dry_run;
	/* Tells of what else is needed, that the store does not know of; may be NULL. */
	int (*roots)(void *arg, struct store *s, gc_text_fn *text, void *gc, struct err *e);
	/* Inputs of runs, and outputs of failed ones, are not kept for being named by a
	 * certificate: their absence is no damage, but there may be no other copy. */
	bool prune_inputs;
	/* Commits and certificates that nothing reaches are kept with all they name: no
	 * remote is known to have them.  With this they go. */
	bool prune_unpushed;
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
};

/* ERR_BUSY names another gc; ERR_CORRUPT: damaged, nothing was removed. */
int gc_run(struct store *s, const struct gc_options *o, struct gc_result *ret, struct err *e) MUST_CHECK;

#endif
