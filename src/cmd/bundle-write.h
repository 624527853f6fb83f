/* Writes a bundle, one object at a time. */
#ifndef CMD_BUNDLE_WRITE_H
#define CMD_BUNDLE_WRITE_H

#include "cmd/bundle-collect.h"

/* path "-": standard output.  Else the file is there only when it is whole; force: one that
 * is there is replaced, else ERR_EXISTS. */
int bundle_write(struct store *s, struct bundle_collect *c, const char *path, bool force,
    uint64_t *ret_size, struct err *e) MUST_CHECK;

#endif
