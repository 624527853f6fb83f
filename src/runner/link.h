/*
 * A connection to a runner, and how it is kept: what transfers and requests
 * need of it, and the patience that a lost link is met with.
 */
#ifndef RUNNER_LINK_H
#define RUNNER_LINK_H

#include <stdint.h>
#include "net/http.h"

#define LINK_PATIENCE_S 120     /* without a byte that moved; then the error stands */

/* Something people should be told while they wait. From any thread, one at a time. */
typedef void link_notice_fn(void *arg, const char *message);

struct link {
	struct http *http;
	link_notice_fn *notice;     /* NULL: nobody is told */
	void *notice_arg;
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

void link_say(const struct link *l, const char *fmt, ...) PRINTF(2, 3);
/*
 * *e is why an attempt failed.  0 after a pause: try again, it was the link
 * (ERR_NETWORK) or the runner was busy (ERR_BUSY).  -1: it was something else, or
 * patience is at its end (*e stands), or ERR_CANCELLED.
 */
int link_retry(const struct link *l, struct link_retry *r, struct err *e) MUST_CHECK;
/* Waits; ERR_CANCELLED when a signal comes and the link is not deaf. */
int link_sleep(const struct link *l, unsigned ms, struct err *e) MUST_CHECK;

#endif
