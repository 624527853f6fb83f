/*
 * The log of a run: standard output and error together, bounded.  The first
 * and the last half of the bound are kept; what was left out is said between.
 */
#ifndef RUN_RUN_LOG_H
#define RUN_RUN_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

#define RUN_LOG_BYTES_MAX (16u * 1024 * 1024)

struct run_log {
	int fd;
	uint64_t half;          /* bound of the head and of the tail */
	uint64_t written;       /* bytes of the head */
	struct buf ring;        /* the tail; wraps at half */
	uint64_t ring_at;
	uint64_t dropped;
};

/* fd is borrowed and empty; max: bytes kept. */
void run_log_start(struct run_log *l, int fd, uint64_t max);
int run_log_add(struct run_log *l, const void *data, size_t len, struct err *e) MUST_CHECK;
/* Writes the tail. */
int run_log_finish(struct run_log *l, bool *ret_truncated, struct err *e) MUST_CHECK;
void run_log_free(struct run_log *l);

#endif
