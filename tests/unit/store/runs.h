/* Certificates of runs that never were, made from a golden one. */
#ifndef UNIT_STORE_RUNS_H
#define UNIT_STORE_RUNS_H

#include "store/fixture.h"
#include "object/resource.h"

struct runs_output {
	const char *path;
	enum object_type type;
	struct oid id;
	uint64_t size;
};

/* Stores the bytes and says them as an output. */
struct runs_output runs_blob(struct fixture *f, const char *path, const char *text);
/* A run with two outputs (the golden one has two), its log stored; a failed one
 * is the golden failed run, whose outputs are missing. */
struct oid runs_certificate(struct fixture *f, const struct runs_output *a,
    const struct runs_output *b);
struct oid runs_failed_certificate(struct fixture *f);
/* A run commit on top of parent (NULL: root), not on any ref. */
struct object_ref runs_commit(struct fixture *f, const struct oid *certificate, long time,
    const struct oid *parent);
void runs_set_ref(struct fixture *f, const char *name, const struct object_ref *to);

#endif
