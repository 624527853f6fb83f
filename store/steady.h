/* Finds out whether a file or directory changed while it was read. */
#ifndef STORE_STEADY_H
#define STORE_STEADY_H

#include <sys/stat.h>
#include "base/err.h"

/* For who remembers the times, before steady_begin(): a page that somebody has written to through a
 * mapping can be written to again without a change of the times until it is on the disk.  Only
 * tmpfs, which has no disk, never tells. */
void steady_flush(int fd);
/* Before reading.  Other kinds than files and directories are never steady or
 * unsteady: nothing is found out about them. */
int steady_begin(int fd, const char *what, struct stat *ret, struct err *e) MUST_CHECK;
/* After reading: ERR_CONFLICT when size or times differ. */
int steady_check(int fd, const char *what, const struct stat *before, struct err *e) MUST_CHECK;
/* The error alone. */
int steady_changed(const char *what, struct err *e);

#endif
