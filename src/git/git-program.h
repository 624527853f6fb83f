/*
 * The git program, for what it does better than its library: carrying objects with the
 * user's own credentials, proxies and ssh.  Arguments are fixed by the callers; nothing
 * of a repository decides what is run.
 */
#ifndef GIT_GIT_PROGRAM_H
#define GIT_GIT_PROGRAM_H

#include <stdint.h>
#include <stdio.h>
#include "base/buf.h"

#define GIT_PROGRAM_FILE_MAX (UINT64_C(64) << 30)   /* bytes of a file it may write */

struct git_program {
	const char *dir;            /* a bare repository of our own: no hooks, no configuration of others */
	const char *const *args;    /* after the options that all calls have; NULL ends them */
	FILE *progress;             /* a terminal that its progress is shown on; NULL: none */
};

/* 0: it ran, and *ret_status is its exit status; stdout (bounded) and the end of stderr are
 * text of others.  ERR_NOTFOUND without a git program, ERR_CANCELLED. */
int git_program_run(const struct git_program *p, int *ret_status, struct buf *ret_out,
    struct buf *ret_complaint, struct err *e) MUST_CHECK;

#endif
