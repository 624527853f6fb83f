#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "store/ingest-state.h"

#define TOTAL_MS 1000           /* longer is not worth it: then the total is unknown */
#define TOTAL_ENTRIES_MAX 1000000

struct ingest_total {
	uint64_t bytes;
	int64_t until_ms;
};

static int64_t
total_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What cannot be looked at is found out again, with an error, by the ingest. */
static int
total_add(struct ingest_total *t, int dirfd, const char *name, int depth)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;
	struct err ignored;

	if (total_now_ms() > t->until_ms || depth > TREE_DEPTH_MAX ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -1;
	if (!S_ISDIR(st.st_mode)) {
		t->bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		return 0;
	}
	fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (fd < 0 || dir_walk_list(fd, ".", TOTAL_ENTRIES_MAX, &names, &ignored) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (total_add(t, fd, names.names[i], depth + 1) != 0)
			return -1;
	return 0;
}

void
ingest_total(struct ingest *in)
{
	struct progress *p = in->o->progress;
	struct ingest_total t = {.until_ms = total_now_ms() + TOTAL_MS};

	/* nobody sees it, or several ingests share the line */
	if (p == NULL || p->out == NULL || p->total != 0 || p->done != 0)
		return;
	for (size_t i = 0; i < in->item_count; i++)
		if (total_add(&t, in->items[i].dirfd, in->items[i].path, 1) != 0)
			return;
	p->total = t.bytes;
}
