/* A run's inputs: judged, then laid out as private, read-only copies. */
#ifndef RUN_INPUTS_H
#define RUN_INPUTS_H

#include "object/run-spec.h"
#include "store/store.h"

/*
 * Every input's object is in the store with the size and the digests it is said
 * to have, and a madeBy names a successful run whose output at that path has
 * the same content; ERR_REFUSED names the input.
 */
int inputs_check(struct store *s, const struct run_spec *spec, struct err *e) MUST_CHECK;
/* Input i becomes inputs/<i> beneath run_dirfd: one that was kept, read again in full,
 * else a new copy. */
int inputs_place(struct store *s, const struct run_spec *spec, int run_dirfd,
    struct err *e) MUST_CHECK;
/* When the run is over: they are kept for the next. */
void inputs_keep(struct store *s, const struct run_spec *spec, int run_dirfd);
/* Makes scratch/ beneath run_dirfd: mount points of the inputs, parent directories
 * of the outputs, nothing else. */
int inputs_scratch(const struct run_spec *spec, int run_dirfd, struct err *e) MUST_CHECK;

#endif
