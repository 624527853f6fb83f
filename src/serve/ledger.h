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
/* Marks never get lower here. */
int ledger_reach_add(struct ledger *l, enum ledger_reach reach, const struct oid *ids, size_t n,
    struct err *e) MUST_CHECK;
int ledger_reach(struct ledger *l, const struct oid *id, enum ledger_reach *ret, struct err *e) MUST_CHECK;
/* Instead of all that were there. */
int ledger_reach_replace(struct ledger *l, const struct oid *refs, size_t ref_count,
    const struct oid *public_, size_t public_count, struct err *e) MUST_CHECK;

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
