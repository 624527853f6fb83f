/* Objects to and from a hub, each for itself: what becomes of one holds up no other. */
#ifndef RUNNER_TRANSFER_OBJECTS_H
#define RUNNER_TRANSFER_OBJECTS_H

#include "object/oid.h"
#include "runner/link.h"
#include "store/store.h"

enum transfer_outcome { TRANSFER_OPEN, TRANSFER_DONE, TRANSFER_ABSENT, TRANSFER_FAILED };

struct transfer_object {
	struct oid id;
	uint64_t size;
	bool exact;             /* else size is a bound */
	enum transfer_outcome outcome; /* FAILED: a notice told why */
};

/* All over several connections, each going on where it stopped. */
int transfer_objects_get(struct link *l, struct store *s, struct transfer_object *o, size_t n,
    struct err *e) MUST_CHECK;
int transfer_objects_put(struct link *l, struct store *s, struct transfer_object *o, size_t n,
    struct err *e) MUST_CHECK;
/* DONE: it is there; ABSENT: it is not. */
int transfer_objects_missing(struct link *l, struct transfer_object *o, size_t n,
    struct err *e) MUST_CHECK;

#endif
