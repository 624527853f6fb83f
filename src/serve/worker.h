/*
 * The one thread that owns the TPM for runs: it opens the TPM, carries out one
 * run at a time, and lives until the daemon stops (what it forks dies with it:
 * PR_SET_PDEATHSIG goes by thread).  Quotes of identity are made by other
 * threads, also during a run.
 */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include "object/certificate.h"
#include "object/run-spec.h"
#include "serve/platform.h"
#include "serve/run-table.h"
#include "store/store.h"

#define WORKER_STOP_S 25        /* enough for SANDBOX_GRACE_MS and a little hashing */

struct worker;

struct worker_options {
	const char *store;      /* .aicert; the worker opens its own */
	const char *tpm;        /* TCTI string */
	struct platform_options platform;
	struct run_host host;   /* borrowed */
	struct run_table *table;/* borrowed */
	struct ledger *ledger;  /* borrowed; NULL: everything is the one user's */
	/* The TPM's state is held by another: called once, from the worker's thread. */
	void (*on_wait)(void *arg, const char *message);
	/* A line for the daemon's log: what became of a run.  NULL: none. */
	void (*on_run)(void *arg, const struct ledger_run *row);
	void *arg;
};

int worker_start(const struct worker_options *o, struct worker **ret, struct err *e) MUST_CHECK;
/* Readable once the TPM and the store are open, or cannot be opened. */
int worker_ready_fd(const struct worker *w);
/* After that: 0, or why not. */
int worker_ready(struct worker *w, struct err *e) MUST_CHECK;
/* Cancels the run in progress, waits for its clean-up, ends the thread.  False: it
 * does not end within WORKER_STOP_S; then w cannot be freed, only the process ended. */
bool worker_stop(struct worker *w);
void worker_free(struct worker *w);

/* What does not change while the daemon runs; borrowed, after worker_ready(). */
const struct run_platform *worker_platform(const struct worker *w);
const struct buf *worker_ak_public(const struct worker *w);
enum event_tpm worker_tpm_kind(const struct worker *w);
/* waiter: as in worker_turn_begin(). */
int worker_quote(struct worker *w, const char *waiter, const unsigned char extra[32],
    struct certificate_quote *ret, struct err *e) MUST_CHECK;

/* One of the few turns at the TPM that quotes of identity have; a run has its own.  waiter: an
 * address, of which one at a time may wait for a turn, others are ERR_BUSY at once; NULL:
 * anybody.  Who waits too long is ERR_BUSY too. */
int worker_turn_begin(struct worker *w, const char *waiter, struct err *e) MUST_CHECK;
void worker_turn_end(struct worker *w);
/* How many of the address wait. */
unsigned worker_waiting(struct worker *w, const char *waiter);

/* A request that was checked, as run_table_submit(); single is the TPM's to say.
 * ERR_CONFLICT: PCR 14 or 15 of this boot are used, or will be by another run. */
int worker_submit(struct worker *w, struct store *s, struct run_table_request *rq,
    struct run_state **ret, struct err *e) MUST_CHECK;

#endif
