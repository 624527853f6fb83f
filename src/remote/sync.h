/*
 * What travels between a store and a remote, and in which order.
 *
 * Out: objects before certificates, certificates before commits, and (by the
 * caller, for tips that are whole) refs last.  In: small objects
 * follow the history; blobs last.  A lost object does not keep others back.
 */
#ifndef REMOTE_SYNC_H
#define REMOTE_SYNC_H

#include "remote/remote.h"

/* Of what runs made and took: the contents, beside proofs and history. */
enum sync_blobs {
	SYNC_BLOBS_NONE,        /* logs and boot logs travel all the same: they are proof */
	SYNC_BLOBS_OUTPUTS,
	SYNC_BLOBS_ALL          /* inputs and images too */
};

int sync_blobs_parse(const char *text, enum sync_blobs *ret, struct err *e) MUST_CHECK;

/* A ref's object, and what became of all that it needs. */
struct sync_tip {
	struct object_ref ref;
	bool whole;             /* the ref may be set: all but blobs is there; else why was told */
};

struct sync_push {
	struct remote *remote;
	enum sync_blobs blobs;
	struct sync_tip *tips;
	size_t tip_count;
	const struct oid *have;         /* commits that the remote has, with all before them */
	size_t have_count;
	bool dry_run;                   /* asks, and sends nothing */
};

struct sync_tally {
	size_t objects;         /* moved, or with dry_run to be moved */
	uint64_t bytes;
	size_t commits, certificates; /* of them */
	size_t unfit;           /* blobs that this remote does not hold */
	uint64_t unfit_bytes;
	size_t absent;          /* blobs and trees that the giving side does not have */
	size_t failed;          /* blobs that could not be moved: told */
};

int sync_push(const struct sync_push *p, struct sync_tally *ret, struct err *e) MUST_CHECK;

struct sync_fetch {
	struct remote *remote;
	enum sync_blobs blobs;
	struct sync_tip *tips;          /* the remote's refs */
	size_t tip_count;
	const struct oid *have;         /* commits that are here, with all before them */
	size_t have_count;
};

/* History, proofs, and blobs last. */
int sync_fetch(const struct sync_fetch *f, struct sync_tally *ret, struct err *e) MUST_CHECK;

/* Blobs alone, of what is in the store already: of the commits that tips reach. paths: those of
 * outputs (and inputs, with SYNC_BLOBS_ALL), or beneath them; none: all. */
struct sync_contents {
	struct remote *remote;
	enum sync_blobs blobs;
	struct sync_tip *tips;
	size_t tip_count;
	const char *const *paths;
	size_t path_count;
};
int sync_contents(const struct sync_contents *c, struct sync_tally *ret, struct err *e) MUST_CHECK;

/* Is old reached from new_?  Both are in the store. */
int sync_descends(struct store *s, const struct oid *new_, const struct oid *old, bool *ret,
    struct err *e) MUST_CHECK;
/* Commits that a reaches and b does not, and the other way round. */
int sync_divergence(struct store *s, const struct oid *a, const struct oid *b, size_t *ret_ahead,
    size_t *ret_behind, struct err *e) MUST_CHECK;

#endif
