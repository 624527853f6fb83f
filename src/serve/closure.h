/* What hangs on an object: trees and their entries, commits and what they name. */
#ifndef SERVE_CLOSURE_H
#define SERVE_CLOSURE_H

#include "object/oid.h"
#include "object/run-spec.h"
#include "store/store.h"

/* Of a reference that the walk found. */
enum closure_need {
	CLOSURE_NEEDED,     /* a history or a tree without it is not whole */
	CLOSURE_OPTIONAL    /* what runs took and made, and their logs: contents */
};
/* 1: look inside it (it is in the store), 0: leave it, -1: stop with an error.
 * Called once for an id as one type with one need. */
typedef int closure_fn(void *arg, const struct object_ref *ref, enum closure_need need,
    struct err *e);

/* Calls fn with the roots and with all that is found beneath, each once however many lead to
 * it. */
int closure_walk(struct store *s, const struct object_ref *roots, size_t n, closure_fn *fn, void *arg,
    struct err *e) MUST_CHECK;
/* The objects that a run request names: image, inputs, certificates in madeBy. */
int closure_spec(struct store *s, const struct run_spec *spec, closure_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
