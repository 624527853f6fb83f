/* The end of a commit: from a certificate that was judged to history and work tree. */
#ifndef CMD_COMMIT_FINISH_H
#define CMD_COMMIT_FINISH_H

#include "cmd/commit-run.h"

/*
 * Records the run by p's author and message, writes its outputs, says what was done,
 * removes the record p.  A failed run is kept under refs/failed: ERR_RUNFAILED.
 */
int commit_finish(struct store *s, const struct pending *p, const struct commit_run_result *r,
    bool quiet, struct err *e) MUST_CHECK;

#endif
