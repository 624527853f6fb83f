/* The run of a commit: from a resolved spec to a certificate that was judged. */
#ifndef CMD_COMMIT_RUN_H
#define CMD_COMMIT_RUN_H

#include "base/buf.h"
#include "object/certificate.h"
#include "object/run-spec.h"
#include "store/store.h"

struct commit_run_result {
	struct buf bytes;               /* the certificate's document */
	struct certificate certificate;
	struct oid id;
	bool run_ok;                    /* false: sealed and proven, but the run failed */
};

/*
 * Runs spec on the named runner and judges what comes back against the spec
 * and nonce that were sent, at the level the runner was registered with.
 * Nothing is recorded.  ERR_REFUSED names the check that failed.
 */
int commit_run(struct store *s, const char *runner, const struct run_spec *spec, bool quiet,
    struct commit_run_result *ret, struct err *e) MUST_CHECK;
void commit_run_result_free(struct commit_run_result *r);

#endif
