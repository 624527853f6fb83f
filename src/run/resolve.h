/* From the declared spec and the work tree to the resolved spec: every input is
 * put into the store, fetched first where it must be, and named by digest. */
#ifndef RUN_RESOLVE_H
#define RUN_RESOLVE_H

#include "base/progress.h"
#include "run/spec.h"
#include "store/ingest.h"
#include "store/store.h"

/* Fills in->made_by for a content, or leaves it NULL. */
typedef int resolve_made_by(void *arg, struct resource_input *in, struct err *e);

struct resolve_options {
	struct store *store;            /* its work tree holds the inputs */
	const char *cache_dir;          /* for fetched repositories */
	resolve_made_by *made_by;
	void *arg;
	struct progress *progress;      /* may be NULL */
	const struct ingest_options *ingest; /* threads, mode and cache; NULL: the defaults, no cache */
	bool hash_only;                 /* status: nothing stored, nothing fetched: git: and url:
	                                 * inputs are left out of the result */
};
int resolve_spec(const struct spec *s, const struct resolve_options *o, struct run_spec *ret,
    struct err *e) MUST_CHECK;

#endif
