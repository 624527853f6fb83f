/* Counters of the daemon, and their text for Prometheus. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "serve/http.h"

struct metrics;

int metrics_new(struct metrics **ret, struct err *e) MUST_CHECK;
void metrics_free(struct metrics *m);
void metrics_request(struct metrics *m, const struct http_done *d);
/* state: RUN_STATE_* that a run ended with. */
void metrics_run(struct metrics *m, const char *state);

struct metrics_gauges {
	unsigned connections;
	unsigned queued;
	bool running;
	uint64_t failed_credentials;
};
/* Exposition format 0.0.4, appended. */
int metrics_text(struct metrics *m, const struct metrics_gauges *g, struct buf *ret,
    struct err *e) MUST_CHECK;

#endif
