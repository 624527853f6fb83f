#include "serve/live-log.h"

#include <errno.h>
#include <unistd.h>

/* Where offset lies in the file. */
static uint64_t
live_log_place(const struct live_log *l, uint64_t offset)
{
	return offset < l->half ? offset : l->half + (offset - l->half) % l->half;
}

/* How many bytes lie together from offset on. */
static uint64_t
live_log_run(const struct live_log *l, uint64_t offset)
{
	return offset < l->half ? l->half - offset : l->half - (offset - l->half) % l->half;
}

void
live_log_add(struct live_log *l, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		uint64_t room = live_log_run(l, l->size);
		ssize_t n = pwrite(l->fd, p, len < room ? len : (size_t)room,
		    (off_t)live_log_place(l, l->size));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		l->size += (uint64_t)n;
		p += n;
		len -= (size_t)n;
	}
}

uint64_t
live_log_dropped(const struct live_log *l)
{
	return l->size > 2 * l->half ? l->size - 2 * l->half : 0;
}

uint64_t
live_log_next(const struct live_log *l, uint64_t offset)
{
	uint64_t tail = l->half + live_log_dropped(l);

	if (offset >= l->half && offset < tail)
		offset = tail;
	return offset < l->size ? offset : l->size;
}

ssize_t
live_log_read(const struct live_log *l, uint64_t offset, void *ret, size_t cap)
{
	uint64_t together;
	ssize_t n;

	if (offset >= l->size)
		return 0;
	together = live_log_run(l, offset);
	if (together > l->size - offset)
		together = l->size - offset;
	do
		n = pread(l->fd, ret, cap < together ? cap : (size_t)together,
		    (off_t)live_log_place(l, offset));
	while (n < 0 && errno == EINTR);
	return n > 0 ? n : -1;
}
