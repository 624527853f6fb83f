/* What runner.c and runner-run.c share. */
#ifndef RUNNER_RUNNER_INTERNAL_H
#define RUNNER_RUNNER_INTERNAL_H

#include "runner/identity.h"
#include "runner/runner.h"

#define RUNNER_SHORT_S 60u      /* requests that are answered at once */

struct runner {
	struct runner_options o;    /* its strings are the caller's */
	struct link link;           /* without http before the identity, but on a socket */
	struct buf ak_public;       /* of the identity that was accepted; empty before */
	char ak_name[IDENTITY_NAME_SIZE];
	char *version;
	struct verdict *verdict;
	unsigned renewals;
};

/* Nothing is sent to a runner that has not been identified. */
int runner_check_identified(const struct runner *r, struct err *e) MUST_CHECK;
/*
 * *e is why something failed.  0: the runner had another key, is the same machine
 * all the same, and a new session with it began; try again.  -1: *e, which may be
 * why the new identity was refused.
 */
int runner_renew(struct runner *r, struct err *e) MUST_CHECK;
/* A request that does no harm when it is made twice: over lost links and new sessions. */
int runner_ask(struct runner *r, const struct http_request *rq, struct http_response *ret,
    struct err *e) MUST_CHECK;

#endif
