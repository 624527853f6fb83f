/*
 * What a daemon on an address knows beside its store, in serve/ledger.db: who has
 * sent which object's bytes, what a hub's refs reach, and the runs.  One handle
 * for all threads, under a lock of its own; every change is durable on return.
 */
#ifndef SERVE_LEDGER_H
#define SERVE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "object/oid.h"

struct ledger;

/* path: absolute, of the database; made when missing. */
int ledger_open(const char *path, struct ledger **ret, struct err *e) MUST_CHECK;
void ledger_close(struct ledger *l);

/* Ownership, by the principal's name. */
int ledger_own(struct ledger *l, const char *principal, const struct oid *ids, size_t n,
    struct err *e) MUST_CHECK;
/* 1, 0, -1 */
int ledger_owns(struct ledger *l, const char *principal, const struct oid *id, struct err *e) MUST_CHECK;

/* What refs reach: by some ref, or by a public one too. */
enum ledger_reach { LEDGER_NONE, LEDGER_REF, LEDGER_PUBLIC };
struct ledger_item {
	struct oid id;
	bool proved;            /* a commit, and all that it needs has the mark too */
	int64_t before;         /* for ledger_reach_undo() */
};
/* Marks never get lower here. */
int ledger_reach_add(struct ledger *l, enum ledger_reach reach, struct ledger_item *items, size_t n,
    struct err *e) MUST_CHECK;
/* The marks that items had before ledger_reach_add(), when nothing was changed since.
 * When that fails, nothing counts as reached until ledger_reach_replace() succeeds. */
void ledger_reach_undo(struct ledger *l, const struct ledger_item *items, size_t n);
/* Nothing counts as reached from here on, until then. */
void ledger_reach_close(struct ledger *l);
bool ledger_reach_closed(struct ledger *l);
int ledger_reach(struct ledger *l, const struct oid *id, enum ledger_reach *ret, struct err *e) MUST_CHECK;
/* Instead of all that were there. */
int ledger_reach_replace(struct ledger *l, struct ledger_item *refs, size_t ref_count,
    struct ledger_item *public_, size_t public_count, struct err *e) MUST_CHECK;
/* As it is written down, for who follows refs: the mark, and the one that it was proved for
 * as a commit.  An id that has a mark as a blob was not proved as a commit. */
struct ledger_mark {
	enum ledger_reach reach, proved;
};
int ledger_mark(struct ledger *l, const struct oid *id, struct ledger_mark *ret, struct err *e) MUST_CHECK;

struct ledger_run {
	char id[65];
	char owner[64];
	char state[16];
	int64_t created, started, finished;     /* seconds since 1970; 0: not yet */
	uint64_t log, log_dropped;
	bool has_certificate;
	struct oid certificate;
	uint64_t certificate_size;
	enum err_code error;                    /* ERR_NONE: none */
	char detail[1024];
	struct buf request;                     /* while it is queued: the run request */
};
int ledger_run_put(struct ledger *l, const struct ledger_run *r, struct err *e) MUST_CHECK;
int ledger_run_delete(struct ledger *l, const char *id, struct err *e) MUST_CHECK;
/* Oldest first, at most max; the caller frees each request and the array. */
int ledger_runs(struct ledger *l, size_t max, struct ledger_run **ret, size_t *ret_n,
    struct err *e) MUST_CHECK;
void ledger_runs_free(struct ledger_run *r, size_t n);

#endif
