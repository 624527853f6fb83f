/* Bytes that lie outside of the store and are said to be an object's. */
#ifndef STORE_SOURCE_H
#define STORE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

struct source {
	int fd;         /* at offset 0 */
	uint64_t size;
	bool steady;    /* nothing says that it was changed since it was known to be right */
	char *path;     /* for messages; may have been chosen by others */
};

#define SOURCE_INIT {.fd = -1}

void source_close(struct source *p);
/* After an open that failed: there is no such file for us.  False when nothing is known, for
 * want of descriptors or memory, or because a disk failed: then nobody may call it lost. */
bool source_absent(const struct err *e);
/* Takes fd over, also on failure: 1: a regular file, 0: it is none, -1. path is
 * a format. */
int source_take(int fd, struct source *ret, struct err *e, const char *path, ...) PRINTF(4, 5) MUST_CHECK;

#endif
