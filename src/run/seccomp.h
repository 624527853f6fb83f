/*
 * System calls a run may make: an allow-list.  Everything else, whatever the
 * kernel or the seccomp library calls it, answers ENOSYS, as an older kernel
 * would, so that libraries fall back instead of failing.
 */
#ifndef RUN_SECCOMP_H
#define RUN_SECCOMP_H

#include <stdbool.h>
#include "codec/jcs.h"

/* The "linux.seccomp" object of an OCI configuration; owned by the caller. */
struct jcs *seccomp_profile(void);
/* True when a call of that name is allowed, with whatever arguments. */
bool seccomp_allows(const char *name);

#endif
