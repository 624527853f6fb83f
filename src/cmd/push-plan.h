/* Which refs a push moves, and whether it may. */
#ifndef CMD_PUSH_PLAN_H
#define CMD_PUSH_PLAN_H

#include "cmd/remotes.h"

#define PUSH_LOST_SHOWN 10

struct push_options {
	bool force, force_lease, remove, all, tags, upstream, dry_run;
	const char *lease;      /* of --force-with-lease: "", "REF" or "REF:ID"; NULL: not given */
	enum sync_blobs blobs;
	int argc;               /* refspecs */
	char **argv;
};

enum push_result {
	PUSH_READY, PUSH_UP_TO_DATE, PUSH_NEW, PUSH_FORWARD, PUSH_FORCED, PUSH_DELETED,
	PUSH_REJECTED,          /* history would be lost */
	PUSH_RACE,              /* another pusher was first */
	PUSH_FAILED
};

struct push_ref {
	struct remote_update update;
	char *name;             /* of update */
	char *local;            /* the ref here; NULL: a revision */
	enum push_result result, then; /* now; and when it was done */
	const char *why;        /* of PUSH_REJECTED and so on; static */
	struct oid lost[PUSH_LOST_SHOWN];
	size_t lost_shown, lost_count;
};

struct push_plan {
	struct push_ref *refs;
	size_t count;
	bool again;             /* also those that are up to date: contents were sent */
};

int push_plan_make(struct store *s, const struct remotes_entry *entry, const struct remote_refs *there,
    const struct push_options *o, struct push_plan *ret, struct err *e) MUST_CHECK;
/* Moves the refs that are ready, and what is known of them here. */
int push_plan_apply(struct store *s, struct remote *r, const struct remotes_entry *entry,
    struct push_plan *p, bool dry_run, struct err *e) MUST_CHECK;
/* branch.<name>.remote and .merge */
int push_plan_follow(struct config *c, const struct remotes_entry *entry, const struct push_plan *p,
    struct err *e) MUST_CHECK;
/* A commit of the remote's that is here: then the remote has all before it too. */
bool push_plan_known(struct store *s, const struct object_ref *ref);
void push_plan_free(struct push_plan *p);

#endif
