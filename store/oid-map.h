/* A set of ids with a number for each: in memory, grows. */
#ifndef STORE_OID_MAP_H
#define STORE_OID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "object/oid.h"

struct oid_map {
	struct oid_map_entry *entries;  /* in the order in which they came */
	uint32_t *index;                /* by id: one more than the number of an entry; 0: free */
	size_t cap, count;              /* of the index, a power of two; of the entries, at most half of it */
};

#define OID_MAP_INIT {0}

bool oid_map_get(const struct oid_map *m, const struct oid *id, size_t *ret);
/* *ret_new is false, and nothing changed, when it was there. */
int oid_map_add(struct oid_map *m, const struct oid *id, size_t value, bool *ret_new,
    struct err *e) MUST_CHECK;
/* In the order in which they came; fn returns non-zero to stop, and so does this. */
typedef int oid_map_fn(void *arg, const struct oid *id);
int oid_map_each(const struct oid_map *m, oid_map_fn *fn, void *arg);
void oid_map_free(struct oid_map *m);

#endif
