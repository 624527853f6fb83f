/*
 * Other places that have the bytes of objects, found by themselves and only read:
 * the work tree's git-lfs objects, the cache of the Hugging Face hub, other
 * stores that the configuration names.  Whoever uses bytes from there compares
 * their digest.  store.alternates=false turns it off.
 */
#ifndef STORE_ALTERNATES_H
#define STORE_ALTERNATES_H

#include <stdint.h>
#include "object/oid.h"
#include "store/source.h"
#include "store/store.h"

struct alternates;

/* The nth place that has the object, from 0: 1, 0 when there are not so many, then *nth is
 * less by those that there are; -1.  Its digest is not compared. */
int alternates_find(struct store *s, const struct oid *id, unsigned *nth, struct source *ret,
    struct err *e) MUST_CHECK;
/* There are some. */
int alternates_any(struct store *s, bool *ret, struct err *e) MUST_CHECK;
/* One of them may have an object of that size: so that a put asks before it copies. */
int alternates_size(struct store *s, uint64_t size, bool *ret, struct err *e) MUST_CHECK;
void alternates_free(struct alternates *a);

#endif
