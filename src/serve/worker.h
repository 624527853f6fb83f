/*
 * The one thread that owns the TPM for runs: it opens the TPM, carries out one
 * run at a time, and lives until the daemon stops (what it forks dies with it:
 * PR_SET_PDEATHSIG goes by thread).  Quotes of identity are made by other
 * threads between runs, under the same lock.
 */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include "object/certificate.h"
#include "object/run-spec.h"
#include "serve/run-state.h"
#include "store/store.h"

#define WORKER_RUNS_KEPT 16     /* finished ones; the oldest is forgotten */
#define WORKER_STOP_S 25        /* enough for SANDBOX_GRACE_MS and a little hashing */

struct worker;

struct worker_options {
	const char *store;      /* .aicert; the worker opens its own */
	const char *tpm;        /* TCTI string */
	/* The TPM's state is held by another: called once, from the worker's thread. */
	void (*on_wait)(void *arg, const char *message);
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

/* ERR_BUSY during a run. *ret_public is added to. */
int worker_quote(struct worker *w, const unsigned char extra[32], struct certificate_quote *ret,
    struct buf *ret_public, enum event_tpm *ret_kind, struct err *e) MUST_CHECK;

/* Takes over *spec (left empty) on success.  ERR_BUSY: a run is in progress;
 * ERR_CONFLICT: PCR 14 or 15 of this boot are used.  s: for the log's file. */
int worker_submit(struct worker *w, struct store *s, struct run_spec *spec,
    const unsigned char nonce[32], struct run_state **ret, struct err *e) MUST_CHECK;
/* A reference for the caller; ERR_NOTFOUND. */
int worker_find(struct worker *w, const char *id, struct run_state **ret, struct err *e) MUST_CHECK;

#endif
