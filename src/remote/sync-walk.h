/* Following a history object by object, here and at a remote; for sync*.c only. */
#ifndef REMOTE_SYNC_WALK_H
#define REMOTE_SYNC_WALK_H

#include "remote/sync-aside.h"
#include "remote/sync.h"
#include "store/odb-glance.h"
#include "store/oid-map.h"

#define SYNC_WALK_TYPES (OBJECT_EVIDENCE + 1)
#define SYNC_WALK_MAX 20000000u /* objects */

enum sync_walk_class { SYNC_WALK_CONTENTS, SYNC_WALK_CERTIFICATES, SYNC_WALK_COMMITS, SYNC_WALK_CLASSES };

struct sync_walk_list {
	struct remote_item *items;
	size_t count, cap;
};

struct sync_walk_node {
	struct object_ref ref;
	uint64_t size;          /* of a blob; unsized: the most that is taken */
	bool unsized;
	bool needed;            /* a history without it is not whole */
	bool contents;          /* of a tree: its blobs are wanted too */
	unsigned depth;         /* of trees */
};

struct sync_walk {
	struct store *store;
	struct remote *remote;          /* told of what goes wrong */
	bool offering;                  /* the remote may take what is read */
	bool fetching;                  /* what is not in the store comes from the remote */
	enum sync_blobs blobs;
	/* Only what these paths of outputs and inputs name; none: all. */
	const char *const *paths;
	size_t path_count;
	struct oid_map have;            /* commits beyond which nothing is looked at */
	struct oid_map seen[SYNC_WALK_TYPES];
	struct sync_walk_node *stack;
	size_t count, cap;
	/* What was found: all of it, and of fetched objects those that came. */
	struct sync_walk_list lists[SYNC_WALK_CLASSES];
	unsigned slow;                  /* reads for which the remote was waited for: after some of them
	                                 * the store is not held meanwhile */
	struct odb_glance glance;       /* of the store, before the walk */
	bool stop;                      /* what went wrong is not about one object */
	struct oid_map local;           /* found in the store, without having been fetched */
	struct sync_aside aside;        /* certificates that came, and what is to be stored */
	struct progress *progress;      /* NULL: none */
	struct sync_tally *tally;
};

/*
 * All that a tip reaches; what does not come from the store is stored, but only with the
 * digest and as what it was named.  *ret_whole: false when something needed is missing or
 * is not what it must be, which was told; then what was seen is forgotten, so that other
 * tips find it again.
 */
int sync_walk_tip(struct sync_walk *w, const struct object_ref *tip, bool *ret_whole,
    struct err *e) MUST_CHECK;
void sync_walk_free(struct sync_walk *w);
int sync_walk_add(struct sync_walk_list *l, const struct remote_item *item, struct err *e) MUST_CHECK;

#endif
