/* Is a file or directory somewhere inside a tree?  For history-*.c. */
#ifndef STORE_HISTORY_INSIDE_H
#define STORE_HISTORY_INSIDE_H

#include "object/resource.h"
#include "store/oid-map.h"
#include "store/store.h"

struct history_inside {
	struct store *s;
	const struct resource *content;
	bool any;                       /* its digest alone counts, not its type and size */
	const struct oid_map *holders;  /* trees to look into; NULL: all */
	struct oid_map seen, with;      /* trees looked into; those that have it */
	size_t entries;                 /* looked at, of HISTORY_INSIDE_MAX */
};

#define HISTORY_INSIDE_MAX 1000000

/* r has the content itself. */
bool history_inside_is(const struct history_inside *in, const struct resource *r);
/* 1: in the tree, at any depth; 0: not; -1.  A tree that is not in this store, or is
 * none, has nothing to say. */
int history_inside_tree(struct history_inside *in, const struct oid *tree, struct err *e) MUST_CHECK;
void history_inside_free(struct history_inside *in);

#endif
