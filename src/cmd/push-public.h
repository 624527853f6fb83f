/* What a first push makes public. */
#ifndef CMD_PUSH_PUBLIC_H
#define CMD_PUSH_PUBLIC_H

#include "cmd/push-plan.h"

/* Nothing of this store was ever pushed to or fetched from there. */
bool push_public_first(struct store *s, const struct remotes_entry *entry,
    const struct remote_refs *there);
/* Commands, values of the environment, logs, names in certificates, files: of all runs that the
 * plan's refs reach. */
int push_public_print(struct store *s, const struct push_plan *p, enum sync_blobs blobs,
    struct err *e) MUST_CHECK;

#endif
