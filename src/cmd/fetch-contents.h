/* fetch --blobs: files that certificates name and the store lacks. */
#ifndef CMD_FETCH_CONTENTS_H
#define CMD_FETCH_CONTENTS_H

#include "cmd/remotes.h"

/* paths as typed, relative to the current directory; none: all outputs.  From whichever remote
 * has them. */
int fetch_contents_run(struct store *s, struct config *c, int argc, char **argv, bool json,
    struct err *e) MUST_CHECK;

#endif
