/* Where else than in the store an object's bytes may be: references, then alternates. */
#ifndef STORE_ELSEWHERE_H
#define STORE_ELSEWHERE_H

#include <stdbool.h>
#include "object/oid.h"
#include "store/source.h"
#include "store/store.h"

/* The nth place, from 0: 1, 0 when there are no more, -1.  Its digest is not compared. */
int elsewhere_find(struct store *s, const struct oid *id, unsigned nth, struct source *ret,
    struct err *e) MUST_CHECK;
/* There are such places at all. */
int elsewhere_any(struct store *s, bool *ret, struct err *e) MUST_CHECK;
/* ERR_CORRUPT that names the place unless its bytes, all read, have the digest; the
 * descriptor is at their end then. */
int elsewhere_verify(const struct source *p, const struct oid *id, struct err *e) MUST_CHECK;

#endif
