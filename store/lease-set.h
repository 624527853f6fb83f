/* The leases of others, as gc reads them. */
#ifndef STORE_LEASE_SET_H
#define STORE_LEASE_SET_H

#include <stdint.h>
#include "object/oid.h"
#include "store/store.h"

struct lease_set {
	struct store *s;        /* borrowed */
	struct lease_set_entry *entries;
	size_t count;
	bool look_only;         /* nothing is removed */
};

/* With the gate locked for gc alone: removes those that nobody holds, remembers the
 * others.  Once, at the beginning. */
int lease_set_begin(struct lease_set *l, struct err *e) MUST_CHECK;
/*
 * Tells every id that was not told yet, also of leases that are new.  What is told with
 * the gate locked for gc alone is complete.
 */
typedef int lease_set_fn(void *arg, const struct oid *id, struct err *e);
int lease_set_read(struct lease_set *l, lease_set_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* With the gate locked for gc alone: removes those whose owner is gone. */
int lease_set_end(struct lease_set *l, struct err *e) MUST_CHECK;
/* Since when the oldest of those lives has been there, in seconds; INT64_MAX without any. */
int64_t lease_set_oldest(const struct lease_set *l);
void lease_set_free(struct lease_set *l);

#endif
