/*
 * Small objects on their way in: packs as they came, the newest in memory and the others in a
 * file without a name, found by the ids that their heads claim.  Nothing in it is believed: who
 * reads an object hashes it.
 */
#ifndef REMOTE_SPOOL_H
#define REMOTE_SPOOL_H

#include "base/buf.h"
#include "object/oid.h"
#include "store/store.h"

struct spool;

int spool_new(struct store *s, struct spool **ret, struct err *e) MUST_CHECK;
void spool_free(struct spool *s);
/* A whole pack (remote/pack.h), which is taken over; ERR_FORMAT when it is none. */
int spool_add(struct spool *s, struct buf *pack, struct err *e) MUST_CHECK;
/* Not any more when all objects of a pack in memory were read. */
bool spool_has(const struct spool *s, const struct oid *id);
/* ERR_NOTFOUND, ERR_LIMIT. */
int spool_read(struct spool *s, const struct oid *id, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;

#endif
