#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "base/fd.h"
#include "store/ingest-state.h"
#include "store/steady.h"

#define LIST_ENTRIES_MAX 4000000 /* of one directory */

/* A name, NUL-ended, behind its type. */
static int
list_add(struct ingest_node *node, const struct dirent *d, struct err *e)
{
	struct stat st;
	int type = d->d_type;

	if (type == DT_UNKNOWN && fstatat(node->dirfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	if (node->count == LIST_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d entries", node->path, LIST_ENTRIES_MAX);
	buf_addc(&node->names, type);
	buf_add(&node->names, d->d_name, strlen(d->d_name) + 1);
	node->count++;
	return buf_check(&node->names, e);
}

static int
list_read(struct ingest_node *node, DIR *dir, struct err *e)
{
	for (;;) {
		const struct dirent *d;

		errno = 0;
		d = readdir(dir);
		if (d == NULL)
			return errno != 0 ? err_sys(e, "%s: cannot read the directory", node->path) : 0;
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
		    list_add(node, d, e) != 0)
			return -1;
	}
}

/* Names sort by eight of their bytes, behind those that all begin with. */
struct list_name {
	uint64_t key;
	const char *name;
};

static int
list_compare(const void *a, const void *b)
{
	const struct list_name *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return strcmp(x->name, y->name);
}

static size_t
list_common(const struct list_name *names, size_t n)
{
	size_t common = strlen(names[0].name);

	for (size_t i = 1; i < n; i++) {
		size_t k = 0;

		while (k < common && names[i].name[k] == names[0].name[k])
			k++;
		common = k;
	}
	return common;
}

static void
list_sort(struct list_name *names, size_t n)
{
	size_t common = n > 1 ? list_common(names, n) : 0;

	for (size_t i = 0; i < n; i++) {
		const unsigned char *p = (const unsigned char *)names[i].name + common;
		int k = 0;

		for (names[i].key = 0; k < 8 && *p != '\0'; k++)
			names[i].key = names[i].key << 8 | *p++;
		if (k > 0 && k < 8)
			names[i].key <<= 8 * (8 - k);
	}
	if (n > 1)
		qsort(names, n, sizeof *names, list_compare);
}

static int
list_entries(struct ingest_node *node, struct err *e)
{
	CLEANUP(cleanup_free) struct list_name *names = calloc(node->count + 1, sizeof *names);
	const char *p = (const char *)node->names.data;

	node->entries = calloc(node->count + 1, sizeof *node->entries);
	if (names == NULL || node->entries == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < node->count; i++) {
		names[i].name = p + 1;
		p += strlen(p + 1) + 2;
	}
	list_sort(names, node->count);
	for (size_t i = 0; i < node->count; i++) {
		node->entries[i].name = names[i].name;
		node->entries[i].type = (unsigned char)names[i].name[-1];
	}
	return 0;
}

static DIR *
list_dir(const struct ingest_node *node, struct err *e)
{
	int fd = openat(node->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir != NULL)
		return dir;
	err_sys(e, "%s: cannot read the directory", node->path);
	cleanup_close(&fd);
	return NULL;
}

int
ingest_list_open(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node;
	const struct ingest_node *up = node->parent;
	struct timespec began;

	node->dirfd = fd_open_beneath(up->dirfd, up->entries[node->index].name, O_RDONLY | O_DIRECTORY, 0, e);
	if (node->dirfd < 0)
		return err_prefix(e, "%s", node->path);
	clock_gettime(CLOCK_REALTIME, &began);
	if (filesystem_look(node->dirfd, &node->fs, e) != 0 ||
	    steady_begin(node->dirfd, node->path, &node->before, e) != 0)
		return -1;
	node->settled = stat_cache_settled(&node->before, &began);
	return 0;
}

int
ingest_list_names(struct ingest_job *job, struct err *e)
{
	struct ingest_node *node = job->node;
	DIR *dir;
	int rc;

	if (node->dirfd < 0 && ingest_list_open(job, e) != 0)
		return -1;
	dir = list_dir(node, e);
	if (dir == NULL)
		return -1;
	rc = list_read(node, dir, e);
	closedir(dir);
	return rc != 0 ? -1 : list_entries(node, e);
}

int
ingest_list_recall(struct ingest_node *node, struct err *e)
{
	const struct stat_cache_dir *known = &node->cached;

	node->entries = calloc(known->count + 1, sizeof *node->entries);
	if (node->entries == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < known->count; i++)
		node->entries[i] = (struct ingest_entry){.name = known->entries[i].name,
		    .cached = &known->entries[i], .type = DT_REG};
	node->count = known->count;
	return 0;
}
