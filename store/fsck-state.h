/* One check of a store: what the files of fsck share. */
#ifndef STORE_FSCK_STATE_H
#define STORE_FSCK_STATE_H

#include "object/oid.h"
#include "store/fsck.h"
#include "store/oid-map.h"

struct fsck {
	struct store *s;
	fsck_report_fn *report;
	void *arg;
	struct progress *progress;
	bool damage;
	struct oid_map bad;     /* objects reported already */
	struct oid_map reached;
	int rc;
	struct err *e;
};

void fsck_state_say(struct fsck *f, enum fsck_severity severity, const char *fmt, ...) PRINTF(3, 4);
/* Reports an object once. */
int fsck_state_bad_object(struct fsck *f, const struct oid *id, const char *why) MUST_CHECK;
/* An error as a finding; -1 when it means that nothing can be said. */
int fsck_state_finding(struct fsck *f, const char *what) MUST_CHECK;

/* What the refs reach: commits, certificates and what they name. */
int fsck_reach_run(struct fsck *f) MUST_CHECK;
/* tmp/, stale locks, names that do not belong there. */
int fsck_litter_run(struct fsck *f) MUST_CHECK;

#endif
