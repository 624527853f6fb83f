/* Many ids that do not change, to be looked up. */
#ifndef STORE_OID_SET_H
#define STORE_OID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "object/oid.h"

struct oid_set {
	struct oid *ids;    /* ascending */
	size_t count;
	uint32_t *fan;      /* by the first two bytes: where those ids begin, and one more */
};

#define OID_SET_INIT {0}
#define OID_SET_MAX UINT32_MAX

/* Of count ids, ascending, malloc'd and taken over, also by a failure. */
int oid_set_make(struct oid_set *ret, struct oid *ids, size_t count, struct err *e) MUST_CHECK;
bool oid_set_has(const struct oid_set *s, const struct oid *id);
/* It will be asked for this one soon: what is in the way comes into the cache meanwhile. */
void oid_set_ahead(const struct oid_set *s, const struct oid *id);
/* It can be used again. */
void oid_set_free(struct oid_set *s);

#endif
