/*
 * The runs of a daemon: those that wait, the one in progress, and those that are
 * over.  With a ledger they survive the daemon: what waited is run by the next one,
 * what was in progress is interrupted.
 */
#ifndef SERVE_RUN_TABLE_H
#define SERVE_RUN_TABLE_H

#include "serve/ledger.h"
#include "serve/run-state.h"
#include "store/store.h"

#define RUN_TABLE_KEPT 256      /* in all; of who has most, the oldest that is over is forgotten */
#define RUN_TABLE_QUEUE_MAX 64

struct run_table;

struct run_table_options {
	struct ledger *ledger;  /* NULL: nothing survives */
	const char *logs;       /* with a ledger: the directory for logs */
	unsigned queue;         /* runs that may wait, at most RUN_TABLE_QUEUE_MAX */
	unsigned queue_each;    /* of them of one owner; 0: as many */
};

int run_table_open(const struct run_table_options *o, struct run_table **ret, struct err *e) MUST_CHECK;
void run_table_free(struct run_table *t);

struct run_table_request {
	const char *owner;
	const char *id;             /* 64 hex digits that the client drew; NULL: drawn here */
	const struct buf *bytes;    /* of the run request */
	bool single;                /* only when no other waits or is in progress, else ERR_CONFLICT */
};

/*
 * ERR_BUSY: too many wait.  The owner's run of that id is what comes back when it is here
 * already, whatever the bytes: asked twice, run once.  Another's: ERR_EXISTS.
 * s: for the log's file where there is no ledger.
 */
int run_table_submit(struct run_table *t, struct store *s, const struct run_table_request *rq,
    struct run_state **ret, struct err *e) MUST_CHECK;
/* Waits for the next run, which is now in progress: a reference, and its request added
 * to *ret_request.  NULL: stopped. */
struct run_state *run_table_next(struct run_table *t, struct buf *ret_request);
/* What a run has become is written down; failing to is told in e, and is no more than that. */
int run_table_keep(struct run_table *t, struct run_state *r, struct err *e) MUST_CHECK;
/* The run in progress is over, before its state says so: the next may come. */
void run_table_release(struct run_table *t);
/* Ends the run in progress, or one that waits at once. */
void run_table_cancel(struct run_table *t, struct run_state *r);
/* Wakes run_table_next(), takes no more, and cancels the run in progress. */
void run_table_stop(struct run_table *t);
bool run_table_stopping(struct run_table *t);

/* A reference; ERR_NOTFOUND also when it is another's.  owner NULL: anybody's. */
int run_table_find(struct run_table *t, const char *id, const char *owner, struct run_state **ret,
    struct err *e) MUST_CHECK;
/* References to owner's, newest first, at most RUN_TABLE_KEPT; how many. */
size_t run_table_list(struct run_table *t, const char *owner, struct run_state **ret);
/* How many are before it; -1: it does not wait. */
int run_table_position(struct run_table *t, const struct run_state *r);
/* How many wait, and whether one is in progress. */
void run_table_load(struct run_table *t, unsigned *ret_waiting, bool *ret_active);

#endif
