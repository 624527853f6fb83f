/* What a run left: owned, then taken into the store. */
#ifndef RUN_OUTPUTS_H
#define RUN_OUTPUTS_H

#include <sys/types.h>
#include "object/run-spec.h"
#include "store/store.h"

/*
 * Gives everything beneath the directory to uid and gid (left alone when we are
 * not root) with plain modes, following no link: before a run to the run's
 * user, afterwards back to us.  No process of the run may be alive.
 */
int outputs_own(int dirfd, uid_t uid, gid_t gid, struct err *e) MUST_CHECK;

/* The free space of the file system: what a run may fill, so what a file of it may be
 * long, and the outputs together.  A sparse file could take days to hash. */
int outputs_room(int dirfd, uint64_t *ret, struct err *e) MUST_CHECK;
/* Subtracts an output's length, everything beneath it, from *room.  *ret_reason is
 * NULL, or "unsupported" where it is longer (and detail has a sentence). */
int outputs_measure(int scratchfd, const struct run_spec_output *o, uint64_t *room,
    const char **ret_reason, struct buf *detail, struct err *e) MUST_CHECK;

/*
 * Takes one declared output from beneath scratchfd.  *ret_reason is NULL and
 * *ret filled when it is there, else it says why not: "absent", "symlink",
 * "wrong-type", "unsupported", "unreadable" (and detail has a sentence).
 * -1 only when the store or the machine failed.
 */
int outputs_take(struct store *s, int scratchfd, const struct run_spec_output *o,
    struct resource *ret, const char **ret_reason, struct buf *detail, struct err *e) MUST_CHECK;

#endif
