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

#define RUN_STATE_ID_SIZE 65                    /* 64 hex digits and NUL */
#define RUN_STATE_LOG_MAX (1024u * 1024 * 1024) /* more is not kept for clients */

struct run_state;

struct run_state_view {
	char state[32];         /* "queued", the worker's words, at last "done" or "failed" */
	bool over;
	uint64_t log_size;
	bool has_certificate;   /* state "done" */
	struct oid certificate;
	uint64_t certificate_size;
	struct err error;       /* state "failed" */
};

/* log_fd: an empty file for the log, owned from here on, also on failure. */
int run_state_new(int log_fd, struct run_state **ret, struct err *e) MUST_CHECK;
struct run_state *run_state_ref(struct run_state *r);
void run_state_unref(struct run_state *r);
static inline void run_state_unrefp(struct run_state **r) { run_state_unref(*r); }

const char *run_state_id(const struct run_state *r);
int run_state_cancel_fd(const struct run_state *r); /* readable once cancelled */
void run_state_cancel(struct run_state *r);

void run_state_set(struct run_state *r, const char *state);
void run_state_log(struct run_state *r, const void *data, size_t len);
/* The end: takes the certificate's bytes, or, when it is NULL, copies the error. */
void run_state_finish(struct run_state *r, struct buf *certificate, const struct err *error);

void run_state_view(struct run_state *r, struct run_state_view *ret);
/* How many bytes of the log from offset; 0: none yet, after waiting up to wait_ms;
 * -1: the run is over and there are no more. */
ssize_t run_state_read_log(struct run_state *r, uint64_t offset, void *ret, size_t cap, int wait_ms);
/* ERR_CONFLICT while it runs; the run's own error when it has no certificate. */
int run_state_certificate(struct run_state *r, struct buf *ret, struct err *e) MUST_CHECK;

#endif
