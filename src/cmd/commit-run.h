/* The run of a commit: from a resolved spec to a certificate that was judged. */
#ifndef CMD_COMMIT_RUN_H
#define CMD_COMMIT_RUN_H

#include "base/buf.h"
#include "object/certificate.h"
#include "object/run-spec.h"
#include "runner/pending.h"
#include "store/store.h"

struct commit_run_result {
	struct buf bytes;               /* the certificate's document */
	struct certificate certificate;
	struct oid id;
	bool run_ok;                    /* false: sealed and proven, but the run failed */
};

/* runner, spec, author, message and code are filled in; the rest is, by the start. */
struct commit_run {
	struct pending pending;
	bool quiet;                     /* the log is not shown */
	unsigned wait_s;                /* for a place in the runner's queue */
};

/*
 * Runs the spec on the named runner and judges what comes back against the spec
 * and nonce that were sent, at the level the runner was registered with.  A run on
 * a remote runner is written down (runner/pending.h) once it is started: the caller
 * removes the record when the result is recorded.  ERR_REFUSED names the check that
 * failed.
 */
int commit_run(struct store *s, struct commit_run *c, struct commit_run_result *ret,
    struct err *e) MUST_CHECK;
/* The rest of a run that was started before. */
int commit_run_attach(struct store *s, struct commit_run *c, struct commit_run_result *ret,
    struct err *e) MUST_CHECK;
void commit_run_result_free(struct commit_run_result *r);

#endif
