#include "serve/live-log.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
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

/* Behind the ring, for this machine alone. */
struct live_log_trailer {
	uint64_t size;      /* bytes that are there */
	uint64_t becomes;   /* the ring may have bytes up to here already, over older ones */
};

/* All or nothing. */
static bool
live_log_write(const struct live_log *l, const void *data, size_t len, uint64_t place)
{
	ssize_t n;

	do
		n = pwrite(l->fd, data, len, (off_t)place);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

static bool
live_log_tell(const struct live_log *l, uint64_t becomes)
{
	const struct live_log_trailer t = {.size = l->size, .becomes = becomes};

	return becomes <= 2 * l->half || live_log_write(l, &t, sizeof t, 2 * l->half);
}

void
live_log_add(struct live_log *l, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		uint64_t room = live_log_run(l, l->size);
		size_t n = len < room ? len : (size_t)room;

		if (!live_log_tell(l, l->size + n) || !live_log_write(l, p, n, live_log_place(l, l->size)))
			return;
		l->size += n;
		p += n;
		len -= n;
	}
	(void)live_log_tell(l, l->size);
}

void
live_log_recover(struct live_log *l)
{
	struct live_log_trailer t;
	struct stat st;

	l->size = l->lost = 0;
	if (l->fd < 0 || fstat(l->fd, &st) != 0 || st.st_size < 0)
		return;
	l->size = (uint64_t)st.st_size;
	if (l->size <= 2 * l->half)
		return;
	l->size = l->half;
	if (pread(l->fd, &t, sizeof t, (off_t)(2 * l->half)) != (ssize_t)sizeof t ||
	    t.size < 2 * l->half || t.becomes < t.size || t.becomes - t.size > l->half ||
	    t.becomes > (uint64_t)INT64_MAX)
		return;
	l->size = t.size;
	l->lost = t.becomes - t.size;
}

uint64_t
live_log_dropped(const struct live_log *l)
{
	return (l->size > 2 * l->half ? l->size - 2 * l->half : 0) + l->lost;
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
