/* /v1/runs: starting, watching and cancelling runs (aicert-protocol(5)). */
#ifndef SERVE_RUNS_H
#define SERVE_RUNS_H

#include "serve/http.h"

#define RUNS_STATE_MEDIA_TYPE "application/vnd.aicert.run-state.v1+json"
#define RUNS_LIST_MEDIA_TYPE "application/vnd.aicert.run-list.v1+json"

/* {"mediaType":...,"nonce":hex,"spec":resolved spec}: 201, the run's state, Location.
 * Idempotency-Key names the run: 200 when it began before. */
int runs_post(struct http_call *c, struct err *e) MUST_CHECK;
int runs_get(struct http_call *c, struct err *e) MUST_CHECK;
/* The principal's. */
int runs_list(struct http_call *c, struct err *e) MUST_CHECK;
/* ?offset=N&follow=1: the log's bytes; with follow until the run is over. */
int runs_log(struct http_call *c, struct err *e) MUST_CHECK;
int runs_certificate(struct http_call *c, struct err *e) MUST_CHECK;
/* Cancels: 202 with the state; it is over once it has been cleaned up. */
int runs_delete(struct http_call *c, struct err *e) MUST_CHECK;

#endif
