/*
 * When a machine that was started for one run has nothing more to do.  Only requests of
 * principals count: who is not known does not keep it up.
 */
#ifndef SERVE_IDLE_H
#define SERVE_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

#define IDLE_FETCHED_S 20       /* once a certificate was fetched: time for its outputs to follow */

struct idle;

/* Times are seconds of any clock that only grows. */
int idle_new(int64_t idle_s, int64_t now, struct idle **ret, struct err *e) MUST_CHECK;
void idle_free(struct idle *i);
/* A request of a principal; each begin has its end.  fetched: it took a certificate away. */
void idle_begin(struct idle *i, int64_t now);
void idle_end(struct idle *i, bool fetched, int64_t now);
/* busy: a run waits or is in progress. */
bool idle_due(struct idle *i, bool busy, int64_t now);

#endif
