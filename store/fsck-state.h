/* One check of a store: what the files of fsck share. */
#ifndef STORE_FSCK_STATE_H
#define STORE_FSCK_STATE_H

#include "base/progress.h"
#include "object/oid.h"
#include "store/fsck.h"
#include "store/oid-map.h"
#include "store/source.h"

struct fsck_suspect {           /* an object whose bytes are wrong, or that has none */
	struct oid id;
	char *why;              /* malloc'd */
};

struct fsck_certificate {       /* reached */
	struct oid id, commit;
};

struct fsck {
	struct store *s;
	const struct fsck_options *o;
	struct progress progress;
	struct fsck_result r;
	struct oid_map bad;     /* damaged or missing, and not put right */
	struct oid_map reached;
	struct oid_map opened;  /* reached, and what they name too */
	struct oid_map outside; /* reached, and not in the store itself */
	struct fsck_suspect *suspects;
	size_t suspect_count, suspect_cap;
	struct fsck_certificate *certificates;
	size_t certificate_count, certificate_cap;
	int rc;
	struct err *e;
};

void fsck_state_say(struct fsck *f, enum fsck_severity severity, const char *fmt, ...) PRINTF(3, 4);
/* An error as a finding; -1 when it means that nothing can be said. */
int fsck_state_finding(struct fsck *f, const char *what) MUST_CHECK;
/* Is it there, in the store itself or anywhere?  What is damaged counts as absent. */
int fsck_state_there(struct fsck *f, const struct oid *id, bool own, bool *ret) MUST_CHECK;
/* To be told by fsck_state_settle(), in the order of the ids. */
int fsck_state_suspect(struct fsck *f, const struct oid *id, const char *why) MUST_CHECK;
/* Repairs what was suspected, or reports it as damage, once. */
int fsck_state_settle(struct fsck *f) MUST_CHECK;

/* Threads that hash. */
struct fsck_hash;
int fsck_hash_start(struct fsck *f, struct fsck_hash **ret) MUST_CHECK;
/* There is room for one more at once. */
bool fsck_hash_room(const struct fsck_hash *h);
/* Takes *p over. What does not have the digest becomes a suspect. */
int fsck_hash_add(struct fsck_hash *h, const struct oid *id, struct source *p) MUST_CHECK;
/* Waits for all, also after an error; h is gone. */
int fsck_hash_finish(struct fsck_hash *h) MUST_CHECK;

/* Every object of the store. */
int fsck_objects_run(struct fsck *f) MUST_CHECK;
/* What the refs reach: commits, certificates and what they name. */
int fsck_reach_run(struct fsck *f) MUST_CHECK;
/* What is reached and lies outside of the store. */
int fsck_outside_run(struct fsck *f) MUST_CHECK;
/* The certificates and outputs that what is bad is a part of. */
int fsck_touch_run(struct fsck *f) MUST_CHECK;
/* 1: good bytes were found and are in the store; why it was done was said; 0: none */
int fsck_repair_object(struct fsck *f, const struct oid *id) MUST_CHECK;
/* A ref's log, under the ref's lock: out of the way, and kept. */
int fsck_repair_keep_log(struct fsck *f, const char *ref) MUST_CHECK;
/* The logs of all refs: that their lines follow one another, and lead to what the ref is. */
int fsck_reflog_run(struct fsck *f) MUST_CHECK;
int fsck_runs_run(struct fsck *f) MUST_CHECK;
/* What every writer locks: before anything is repaired. */
int fsck_litter_gate(struct fsck *f) MUST_CHECK;
/* tmp/, stale locks, names that do not belong there. */
int fsck_litter_run(struct fsck *f) MUST_CHECK;

#endif
