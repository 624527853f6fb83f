/* log --failed: what was run and did not succeed. */
#ifndef CMD_LOG_FAILED_H
#define CMD_LOG_FAILED_H

#include "store/store.h"

/* A line for each of refs/failed/, newest first. */
int log_failed(struct store *s, struct err *e) MUST_CHECK;

#endif
