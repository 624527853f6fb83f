/*
 * index.db: a cache that may be deleted at any time and rebuilds itself from
 * refs and objects.  It answers which certificates have a digest as output or
 * input; every answer is a hint: callers re-read the certificate.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "object/certificate.h"
#include "object/commit.h"
#include "store/store.h"

struct index_hit {
	struct oid certificate;
	struct oid commit;       /* the commit that carries it */
	const char *path;        /* the output's path in the certificate */
	bool run_ok;
};

/* Reads a commit that was stored, together with what the index may lack before it. */
int index_add(struct store *s, const struct oid *commit_id, struct err *e) MUST_CHECK;
/* Everything reachable from all refs, again. */
int index_rebuild(struct store *s, struct err *e) MUST_CHECK;

typedef int index_each_fn(void *arg, const struct index_hit *hit);
/* Certificates with an output (or a file inside an output tree) of that content. */
int index_by_output(struct store *s, enum object_type type, const struct oid *id,
    index_each_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* Certificates with an output of that path. */
int index_by_path(struct store *s, const char *path, index_each_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
