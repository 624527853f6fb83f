/*
 * Ctrl-C, SIGTERM and SIGHUP as a flag that long loops look at, and a file
 * descriptor for poll(2).  Installed once, by a main.
 */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include <stdbool.h>
#include "base/err.h"

int interrupt_install(struct err *e) MUST_CHECK;
bool interrupt_pending(void);
/* ERR_CANCELLED once a signal came, else 0. */
int interrupt_check(struct err *e) MUST_CHECK;
/* Becomes readable when a signal comes; -1 when not installed. */
int interrupt_fd(void);

/*
 * A reason of this thread's own to stop, asked by interrupt_check() and before
 * every read of fd.h: so that the hashing of a large file ends early.  check
 * returns 0, or -1 with an error; NULL: no such reason any more.
 */
typedef int interrupt_fn(void *arg, struct err *e);
void interrupt_watch(interrupt_fn *check, void *arg);
int interrupt_watched(struct err *e) MUST_CHECK;

#endif
