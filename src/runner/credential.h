/* What a user shows a runner: read when it is needed, wiped afterwards. */
#ifndef RUNNER_CREDENTIAL_H
#define RUNNER_CREDENTIAL_H

#include "base/buf.h"

#define CREDENTIAL_VARIABLE "AICERT_TOKEN"

/*
 * The token of the file, or, where there is none (NULL), of AICERT_TOKEN: *ret stays
 * empty when there is neither.  buf_wipe() it.  ERR_DENIED for a file that others may read or that
 * is not ours.
 */
int credential_token(const char *file, struct buf *ret, struct err *e) MUST_CHECK;
/* Of the file alone: for who sends it to a place that a repository may have named. */
int credential_file(const char *file, struct buf *ret, struct err *e) MUST_CHECK;
/* A file with a secret: regular, ours or root's, closed to group and others. */
int credential_check_file(const char *file, struct err *e) MUST_CHECK;

#endif
