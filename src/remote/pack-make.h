/*
 * Objects on their way out, one after the other, and the pack that is made of them, compressed.
 * Making it is pure: a thread may do it while the next objects are collected.
 */
#ifndef REMOTE_PACK_MAKE_H
#define REMOTE_PACK_MAKE_H

#include "base/buf.h"
#include "base/workers.h"
#include "object/oid.h"

struct pack_make_item {
	struct oid id;
	size_t offset, len;     /* in bytes */
};

struct pack_make {
	struct workers_job base; /* first; run is set */
	struct pack_make_item *items;
	size_t count, cap;
	struct buf bytes;
	bool held;              /* the caller's own, as arg */
	void *arg;
	/* what was made: */
	int rc;
	struct err why;
	struct oid id;          /* of the pack as it is expanded */
	uint64_t total;
	struct buf head, packed;
};

int pack_make_new(struct pack_make **ret, struct err *e) MUST_CHECK;
void pack_make_free(struct pack_make *m);
/* What was added to bytes since offset is this object. */
int pack_make_add(struct pack_make *m, const struct oid *id, size_t offset, struct err *e) MUST_CHECK;

#endif
