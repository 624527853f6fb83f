/*
 * A run's log as its clients watch it, in a file: the first LIVE_LOG_HALF bytes,
 * and behind them a ring of the last LIVE_LOG_HALF.  Offsets are those of the log
 * itself, whatever was dropped.  The caller locks.
 */
#ifndef SERVE_LIVE_LOG_H
#define SERVE_LIVE_LOG_H

#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

#define LIVE_LOG_HALF (16u * 1024 * 1024)

struct live_log {
	int fd;             /* borrowed */
	uint64_t size;      /* bytes that the log has had */
	uint64_t half;      /* LIVE_LOG_HALF but in tests */
};

/* What cannot be written (a full disk) is dropped: size does not grow. */
void live_log_add(struct live_log *l, const void *data, size_t len);
/* Where the next byte kept at or after offset is; size when there is none. */
uint64_t live_log_next(const struct live_log *l, uint64_t offset);
/* Bytes from offset, which is kept, as many as lie there; 0: none; -1: unreadable. */
ssize_t live_log_read(const struct live_log *l, uint64_t offset, void *ret, size_t cap);
/* Bytes that were dropped from the middle. */
uint64_t live_log_dropped(const struct live_log *l);

#endif
