/* What belongs into a bundle: the lineage of its subjects, their history, what proves both. */
#ifndef CMD_BUNDLE_COLLECT_H
#define CMD_BUNDLE_COLLECT_H

#include "object/bundle.h"
#include "store/store.h"

struct bundle_collect {
	struct bundle_index index;
	struct object_ref *refs;    /* in the order of the members */
	size_t count, cap;
	size_t lineage;             /* certificates of the subjects and their ancestors */
};

/*
 * index holds the subjects.  history: all commits before those that name the lineage,
 * with their certificates and evidence; else only what the lineage itself has.
 * ERR_NOTFOUND when the store lacks what a verification would need.
 */
int bundle_collect(struct store *s, bool history, struct bundle_collect *ret, struct err *e) MUST_CHECK;
void bundle_collect_free(struct bundle_collect *c);

#endif
