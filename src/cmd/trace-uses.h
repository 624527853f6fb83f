/* trace --uses: what was made from a thing. */
#ifndef CMD_TRACE_USES_H
#define CMD_TRACE_USES_H

#include "store/store.h"

/* Prints every use of a path's content, an id, or a run's outputs.  The exit status: 3
 * when the store lacks certificates, so that there may be more. */
int trace_uses(struct store *s, const char *arg, struct err *e) MUST_CHECK;

#endif
