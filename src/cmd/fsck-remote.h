/* Good bytes for fsck --repair out of the store's remotes, asked one after the other. */
#ifndef CMD_FSCK_REMOTE_H
#define CMD_FSCK_REMOTE_H

#include "object/oid.h"
#include "store/config.h"
#include "store/store.h"

struct fsck_remote;

int fsck_remote_new(struct store *s, struct fsck_remote **ret, struct err *e) MUST_CHECK;
void fsck_remote_free(struct fsck_remote *r);
static inline void fsck_remote_freep(struct fsck_remote **r) { fsck_remote_free(*r); }
/* An fsck_fetch_fn: ERR_NOTFOUND when no remote has it; one that cannot be reached is told
 * once, and passed over. */
int fsck_remote_fetch(void *fsck_remote, const struct oid *id, int fd, struct err *e);

#endif
