#include "run/run-log.h"

#include <string.h>
#include "base/fd.h"

void
run_log_start(struct run_log *l, int fd, uint64_t max)
{
	*l = (struct run_log){.fd = fd, .half = max / 2};
}

static int
run_log_ring(struct run_log *l, const unsigned char *p, size_t len, struct err *e)
{
	while (len > 0) {
		size_t room, n;

		if (l->ring.len < l->half) { /* not full yet: grows */
			room = (size_t)(l->half - l->ring.len);
			n = len < room ? len : room;
			buf_add(&l->ring, p, n);
			if (buf_check(&l->ring, e) != 0)
				return -1;
		} else {
			room = (size_t)(l->half - l->ring_at);
			n = len < room ? len : room;
			memcpy(l->ring.data + l->ring_at, p, n);
			l->ring_at = (l->ring_at + n) % l->half;
			l->dropped += n;
		}
		p += n;
		len -= n;
	}
	return 0;
}

int
run_log_add(struct run_log *l, const void *data, size_t len, struct err *e)
{
	uint64_t room = l->half - l->written;
	size_t head = len < room ? len : (size_t)room;

	if (head > 0 && fd_write_all(l->fd, data, head, "the run's log", e) != 0)
		return -1;
	l->written += head;
	return run_log_ring(l, (const unsigned char *)data + head, len - head, e);
}

int
run_log_finish(struct run_log *l, bool *ret_truncated, struct err *e)
{
	CLEANUP(buf_free) struct buf gap = BUF_INIT;

	if (l->dropped > 0)
		buf_addf(&gap, "\n[aicert: %llu bytes of the log were not kept]\n",
		    (unsigned long long)l->dropped);
	if (buf_check(&gap, e) != 0 ||
	    fd_write_all(l->fd, gap.data, gap.len, "the run's log", e) != 0)
		return -1;
	if (l->ring.len > 0 && (
	    fd_write_all(l->fd, l->ring.data + l->ring_at, (size_t)(l->ring.len - l->ring_at),
	    "the run's log", e) != 0 ||
	    fd_write_all(l->fd, l->ring.data, (size_t)l->ring_at, "the run's log", e) != 0))
		return -1;
	*ret_truncated = l->dropped > 0;
	return 0;
}

void
run_log_free(struct run_log *l)
{
	buf_free(&l->ring);
}
