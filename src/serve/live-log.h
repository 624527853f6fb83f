/*
 * A run's log as its clients watch it, in a file: the first LIVE_LOG_HALF bytes,
 * and behind them a ring of the last LIVE_LOG_HALF.  Once the ring has come round,
 * 16 bytes behind it say how long the log is, and how long it is to become by the
 * bytes that are being written; so another process can read it after this one was
 * killed.  Offsets are those of the log itself, whatever was dropped.  The caller
 * locks.
 */
#ifndef SERVE_LIVE_LOG_H
#define SERVE_LIVE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

#define LIVE_LOG_HALF (16u * 1024 * 1024)

struct live_log {
	int fd;             /* borrowed */
	uint64_t size;      /* bytes that the log has had */
	uint64_t half;      /* LIVE_LOG_HALF but in tests */
	uint64_t lost;      /* bytes at the tail's beginning that are not the log's any more */
};

/* What cannot be written (a full disk) is dropped: size does not grow. */
void live_log_add(struct live_log *l, const void *data, size_t len);
/* Where the next byte kept at or after offset is; size when there is none. */
uint64_t live_log_next(const struct live_log *l, uint64_t offset);
/* Bytes from offset, which is kept, as many as lie there; 0: none; -1: unreadable. */
ssize_t live_log_read(const struct live_log *l, uint64_t offset, void *ret, size_t cap);
/* size and lost by what is in the file, whose writer is gone.  Where it cannot be known how
 * long the log was, its head is all there is. */
void live_log_recover(struct live_log *l);
/* Bytes that were dropped from the middle. */
uint64_t live_log_dropped(const struct live_log *l);

#endif
