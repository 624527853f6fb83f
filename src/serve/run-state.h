/*
 * One run as its clients see it: state, log, outcome.  Shared between the
 * worker, which writes, and any number of connections; references are counted
 * so that who still reads a log keeps it.
 */
#ifndef SERVE_RUN_STATE_H
#define SERVE_RUN_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "object/oid.h"
#include "serve/ledger.h"

#define RUN_STATE_ID_SIZE 65                    /* 64 hex digits and NUL */

/* States: RUN_STATE_QUEUED -> MEASURING -> RUNNING -> MEASURING -> one of the others. */
#define RUN_STATE_QUEUED "queued"
#define RUN_STATE_MEASURING "measuring"
#define RUN_STATE_RUNNING "running"
#define RUN_STATE_DONE "done"                   /* there is a certificate */
#define RUN_STATE_FAILED "failed"               /* there is none */
#define RUN_STATE_CANCELLED "cancelled"         /* there may be one */
#define RUN_STATE_INTERRUPTED "interrupted"     /* the daemon ended; there may be one */

struct run_state;

struct run_state_view {
	char state[16];
	char phase[32];         /* the worker's own word; "" while it is queued or over */
	bool over;
	int64_t created, started, finished;     /* seconds since 1970; 0: not yet */
	uint64_t log_size, log_dropped;
	bool has_certificate;
	struct oid certificate;
	uint64_t certificate_size;
	struct err error;       /* ERR_NONE: none */
};

struct run_state_options {
	const char *id;
	const char *owner;      /* principal */
	int64_t created;        /* seconds since 1970; 0: now */
	int log_fd;             /* an empty file, owned from here on, also on failure; -1: none any more */
	const char *log_path;   /* of that file, to read it once the run is over; NULL: it has no name */
};

int run_state_new(const struct run_state_options *o, struct run_state **ret, struct err *e) MUST_CHECK;
/* As a ledger has it. */
int run_state_from_row(const struct ledger_run *row, const char *log_path, struct run_state **ret,
    struct err *e) MUST_CHECK;
/* Everything but the request. */
void run_state_to_row(struct run_state *r, struct ledger_run *ret);
struct run_state *run_state_ref(struct run_state *r);
void run_state_unref(struct run_state *r);
static inline void run_state_unrefp(struct run_state **r) { run_state_unref(*r); }

const char *run_state_id(const struct run_state *r);
const char *run_state_owner(const struct run_state *r);
int run_state_cancel_fd(const struct run_state *r); /* readable once cancelled */
void run_state_cancel(struct run_state *r);

/* phase is shown beside the state, which it is one of or follows from. */
void run_state_set(struct run_state *r, const char *phase);
void run_state_log(struct run_state *r, const void *data, size_t len);
/* The end: takes the certificate's bytes, or, when it is NULL, copies the error. */
void run_state_finish(struct run_state *r, const char *state, struct buf *certificate,
    const struct err *error);

void run_state_view(struct run_state *r, struct run_state_view *ret);
/* Where the next byte of the log kept at or after offset is. */
uint64_t run_state_log_next(struct run_state *r, uint64_t offset);
/* How many bytes of the log from offset; 0: none yet, after waiting up to wait_ms;
 * -1: the run is over and there are no more, or those at offset were not kept. */
ssize_t run_state_read_log(struct run_state *r, uint64_t offset, void *ret, size_t cap, int wait_ms);
/* ERR_CONFLICT while it runs and when it has none; ERR_NOTFOUND when only its id is known
 * here, which the view has. */
int run_state_certificate(struct run_state *r, struct buf *ret, struct err *e) MUST_CHECK;

#endif
