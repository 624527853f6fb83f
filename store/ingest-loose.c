#include <string.h>
#include "base/array.h"
#include "store/ingest-state.h"

/* A file that was measured by itself: the rest of its directory's row stays. */
struct ingest_loose {
	struct stat dir;
	char *name;
	struct stat_cache_entry entry;
};

const struct stat_cache_entry *
ingest_loose_find(struct ingest *in, const struct stat *dir, const char *name)
{
	size_t from = 0, to = in->last.count;

	if (dir->st_dev != in->last_dir.st_dev || dir->st_ino != in->last_dir.st_ino) {
		stat_cache_dir_free(&in->last);
		in->last_dir = *dir;
		stat_cache_load(in->o->cache, dir, &in->last);
		to = in->last.count;
	}
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(in->last.entries[middle].name, name);

		if (order == 0)
			return &in->last.entries[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

int
ingest_loose_add(struct ingest *in, const struct stat *dir, const struct ingest_entry *x,
    struct err *e)
{
	struct ingest_loose *l;

	if (in->o->cache == NULL)
		return 0;
	if (ARRAY_ROOM(in->loose, in->loose_count, in->loose_cap, e) != 0)
		return -1;
	l = &in->loose[in->loose_count];
	l->dir = *dir;
	l->name = buf_strdup(x->name, e);
	l->entry = (struct stat_cache_entry){.name = l->name, .size = x->size, .inode = x->inode,
	    .mtime_ns = x->mtime_ns, .ctime_ns = x->ctime_ns, .mode = x->mode, .id = x->id};
	if (l->name == NULL)
		return -1;
	in->loose_count++;
	return 0;
}

static int
ingest_loose_compare(const void *a, const void *b)
{
	const struct ingest_loose *x = a, *y = b;

	if (x->dir.st_dev != y->dir.st_dev)
		return x->dir.st_dev < y->dir.st_dev ? -1 : 1;
	if (x->dir.st_ino != y->dir.st_ino)
		return x->dir.st_ino < y->dir.st_ino ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* n files of one directory, in the order of their names, among what is known. */
static void
ingest_loose_merge(struct stat_cache *c, const struct ingest_loose *files, size_t n)
{
	struct stat_cache_dir old = STAT_CACHE_DIR_INIT;
	struct stat_cache_entry *all;
	size_t i = 0, k = 0, count = 0;

	stat_cache_load(c, &files->dir, &old);
	all = calloc(old.count + n, sizeof *all);
	while (all != NULL && (i < old.count || k < n)) {
		int order = i == old.count ? 1 : k == n ? -1 :
		    strcmp(old.entries[i].name, files[k].name);

		if (order < 0) {
			all[count++] = old.entries[i++];
			continue;
		}
		if (order == 0)
			i++;
		/* named twice: the same */
		if (count == 0 || strcmp(all[count - 1].name, files[k].name) != 0)
			all[count++] = files[k].entry;
		k++;
	}
	if (all != NULL)
		stat_cache_store(c, &files->dir, all, count, NULL);
	free(all);
	stat_cache_dir_free(&old);
}

void
ingest_loose_store(struct ingest *in)
{
	size_t first = 0;

	if (in->loose_count == 0)
		return;
	qsort(in->loose, in->loose_count, sizeof *in->loose, ingest_loose_compare);
	for (size_t i = 1; i <= in->loose_count; i++) {
		const struct stat *a = &in->loose[first].dir;

		if (i < in->loose_count && in->loose[i].dir.st_dev == a->st_dev &&
		    in->loose[i].dir.st_ino == a->st_ino)
			continue;
		ingest_loose_merge(in->o->cache, in->loose + first, i - first);
		first = i;
	}
}

void
ingest_loose_free(struct ingest *in)
{
	for (size_t i = 0; i < in->loose_count; i++)
		free(in->loose[i].name);
	free(in->loose);
	stat_cache_dir_free(&in->last);
}
