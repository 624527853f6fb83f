/*
 * A connection to a runner, and how it is kept: what transfers and requests
 * need of it, and the patience that a lost link is met with.
 */
#ifndef RUNNER_LINK_H
#define RUNNER_LINK_H

#include <stdint.h>
#include "base/notice.h"
#include "net/http.h"

#define LINK_PATIENCE_S 120     /* without a byte that moved; then the error stands */

struct link {
	struct http *http;
	struct notice notice;       /* from any thread, one at a time */
	FILE *progress;             /* NULL: silent */
	unsigned patience_s;
	bool deaf;                  /* a signal ends no wait */
	const char *objects;        /* what stands before an object's digits; NULL: the protocol's */
	bool key_changed;           /* the last request met another key and sent nothing */
};

/* For one piece of work; zeroed when it begins and whenever it gets on. */
struct link_retry {
	unsigned tries;
	int64_t since_ms;
};

/*
 * *e is why an attempt failed.  0 after a pause: try again, it was the link
 * (ERR_NETWORK) or the runner was busy (ERR_BUSY).  -1: it was something else, or
 * patience is at its end (*e stands), or ERR_CANCELLED.
 */
int link_retry(const struct link *l, struct link_retry *r, struct err *e) MUST_CHECK;
/* Waits; ERR_CANCELLED when a signal comes and the link is not deaf. */
int link_sleep(const struct link *l, unsigned ms, struct err *e) MUST_CHECK;

#endif
