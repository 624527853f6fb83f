/*
 * What was in the store at one moment, for who asks about many objects of which most are not
 * there: a clone, a push of what was never stored.  A look-up each would be a question to
 * small.db and a name that is not there.
 *
 * It may be out of date: what came since is found to be lacking, which costs those who ask
 * work done twice, and what a gc took since is found to be there.  So whoever relies on "has"
 * is to have the ids in his lease before (odb_keep).
 */
#ifndef STORE_ODB_GLANCE_H
#define STORE_ODB_GLANCE_H

#include <stdbool.h>
#include "store/oid-set.h"
#include "store/store.h"

struct odb_glance {
	struct store *s;
	bool taken;
	size_t asked, take_at;      /* questions until it is worth to look; those known to come count */
	struct oid_set ids;         /* of the small objects */
	unsigned char dirs[32];     /* bit i: there is objects/<i> */
	bool elsewhere;             /* references or alternates are to be asked too */
};

#define ODB_GLANCE_INIT(store) {.s = (store)}
/* For who is going to ask so many. */
#define ODB_GLANCE_FOR(store, count) {.s = (store), .asked = (count)}

/* The next question asks the store. */
bool odb_glance_looks(const struct odb_glance *g);
/* Surely neither in the store nor elsewhere.  false: look. */
bool odb_glance_lacks(struct odb_glance *g, const struct oid *id);
/* As odb_has(). */
bool odb_glance_has(struct odb_glance *g, const struct oid *id);
void odb_glance_free(struct odb_glance *g);

/* The directories objects/ab that there are, as bits. */
int odb_glance_dirs(struct store *s, unsigned char ret[32], struct err *e) MUST_CHECK;

#endif
