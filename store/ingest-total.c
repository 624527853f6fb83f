#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include "base/clock.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "store/ingest-state.h"

#define TOTAL_MS 1000           /* longer is not worth it: then the total is unknown */
#define TOTAL_ENTRIES_MAX 1000000

/* Counts beside the work: who waits for the first file does not wait for this. */
struct ingest_total {
	const struct ingest_item *items; /* borrowed; only their names are read */
	size_t count;
	uint64_t bytes;
	int64_t until_ms;
	atomic_bool stop, known;
	bool runs;
	pthread_t thread;
};

/* What cannot be looked at is found out again, with an error, by the ingest. */
static int
total_add(struct ingest_total *t, int dirfd, const char *name, int depth)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;
	struct err ignored;

	if (atomic_load(&t->stop) || clock_ms() > t->until_ms || depth > TREE_DEPTH_MAX ||
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

static void *
total_main(void *arg)
{
	struct ingest_total *t = arg;

	for (size_t i = 0; i < t->count; i++)
		if (total_add(t, t->items[i].dirfd, t->items[i].path, 1) != 0)
			return NULL;
	atomic_store(&t->known, true);
	return NULL;
}

void
ingest_total_start(struct ingest *in)
{
	const struct progress *p = in->o->progress;
	struct ingest_total *t;

	/* nobody sees it, or several ingests share the line */
	if (p == NULL || p->out == NULL || p->total != 0 || p->done != 0)
		return;
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return;
	t->items = in->items;
	t->count = in->item_count;
	t->until_ms = clock_ms() + TOTAL_MS;
	in->total = t;
	if (in->inline_) { /* one thread, and a disk that reads one thing after the other */
		(void)total_main(t);
		return;
	}
	t->runs = workers_thread(&t->thread, total_main, t) == 0;
}

void
ingest_total_tell(struct ingest *in)
{
	if (in->total != NULL && atomic_load(&in->total->known))
		in->o->progress->total = in->total->bytes;
}

void
ingest_total_stop(struct ingest *in)
{
	if (in->total == NULL)
		return;
	atomic_store(&in->total->stop, true);
	if (in->total->runs)
		pthread_join(in->total->thread, NULL);
	ingest_total_tell(in);
	free(in->total);
	in->total = NULL;
}
