/* What index*.c share: the tables of index.db. */
#ifndef STORE_INDEX_DB_H
#define STORE_INDEX_DB_H

#include "db/db.h"
#include "store/index.h"

#define INDEX_ENTRY 3 /* a role of edges beside enum index_role: n is a tree, key an entry of it */

/* Trees that were not in the store are looked for again: so many at most. */
#define INDEX_ABSENT_MAX 4096

/* The first eight bytes of an id: what edges are found by. */
int64_t index_key(const struct oid *id);

struct index_place {
	int64_t chain, pos;
};

/* 1: the commit, and all before it that could be read, are in the index. */
int index_has(struct db *d, const struct oid *id, struct index_place *ret, struct err *e) MUST_CHECK;
/* Takes in what tips reach; commits to the database now and then. */
int index_build(struct store *s, struct db *d, const struct oid *tips, size_t count,
    struct err *e) MUST_CHECK;
/* Has what was missing come?  *ret_stale: the index must be made again;
 * *ret_complete: it lacks nothing. */
int index_gaps(struct store *s, struct db *d, bool *ret_stale, bool *ret_complete,
    struct err *e) MUST_CHECK;

/* The database, with all that only reaches (NULL: what every ref and HEAD reach).  An
 * index that fails in use, or was made when something was missing that has come, is
 * thrown away once and made again. */
int index_ready(struct store *s, const struct oid *only, struct db **ret, bool *ret_complete,
    struct err *e) MUST_CHECK;

#endif
