/* Ids, one after the other, in memory. */
#ifndef OBJECT_OID_LIST_H
#define OBJECT_OID_LIST_H

#include "object/oid.h"

/* Begins as zero. */
struct oid_list {
	struct oid *ids;
	size_t count, cap;
};

int oid_list_add(struct oid_list *l, const struct oid *id, struct err *e) MUST_CHECK;
/* It can be used again. */
void oid_list_free(struct oid_list *l);
/* Of a set, whatever its order: the SHA-256 over its ids, which are sorted by this. */
int oid_list_digest(struct oid_list *l, struct oid *ret, struct err *e) MUST_CHECK;

#endif
