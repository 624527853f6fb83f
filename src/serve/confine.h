/* System calls that the daemon gives up: seccomp(2), for it and all that it starts. */
#ifndef SERVE_CONFINE_H
#define SERVE_CONFINE_H

#include <stdbool.h>
#include "base/err.h"

/*
 * Before the first thread.  What loads code into the kernel, looks into other processes,
 * sets clocks or stops the machine answers EPERM from here on; on a hub also what starts
 * programs, mounts, or makes namespaces, which a runner's sandbox needs.  Privileges can
 * no longer be gained by executing a program.
 */
int confine_self(bool hub, struct err *e) MUST_CHECK;

#endif
