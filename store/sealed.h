/*
 * Small files that nothing else vouches for: the text, a newline, and a line with the
 * SHA-256 of the text.  Any other byte is found.
 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include <sys/types.h>
#include "base/buf.h"

/* Durable when it returns.  Written under a lock, so that what a dead writer leaves can be
 * told from what a living one is at. */
int sealed_write(int dirfd, const char *name, const struct buf *text, mode_t mode, struct err *e) MUST_CHECK;
/* At most max bytes of text; ERR_CORRUPT when they are not those that were written. */
int sealed_read(int dirfd, const char *name, size_t max, struct buf *ret, struct err *e) MUST_CHECK;

#endif
