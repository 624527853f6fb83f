/* libgit2's errors as ours, and its start. */
#ifndef GIT_REPO_ERROR_H
#define GIT_REPO_ERROR_H

#include <stdbool.h>
#include "base/err.h"

/* rc: libgit2's negative return code.  Always -1. */
int repo_error_set(struct err *e, int rc, const char *fmt, ...) PRINTF(3, 4);
/* Starts libgit2 (counted); each success is paired with repo_error_stop(). */
int repo_error_start(struct err *e) MUST_CHECK;
void repo_error_stop(void);
/* For CLEANUP: stops when *started. */
void repo_error_stopp(const bool *started);

#endif
