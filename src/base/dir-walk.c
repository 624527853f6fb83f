#include "base/dir-walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fd.h"

static int
dir_walk_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
dir_walk_add(struct dir_walk *w, size_t *cap, const char *name, struct err *e)
{
	if (w->count == *cap) {
		size_t want = *cap != 0 ? *cap * 2 : 64;
		char **names = reallocarray(w->names, want, sizeof *names);

		if (names == NULL)
			return err_nomem(e);
		w->names = names;
		*cap = want;
	}
	w->names[w->count] = buf_strdup(name, e);
	if (w->names[w->count] == NULL)
		return -1;
	w->count++;
	return 0;
}

static int
dir_walk_read(DIR *dir, const char *path, size_t max, struct dir_walk *w, struct err *e)
{
	size_t cap = 0;

	for (;;) {
		struct dirent *d;

		errno = 0;
		d = readdir(dir);
		if (d == NULL && errno != 0)
			return err_sys(e, "%s: cannot read the directory", path);
		if (d == NULL)
			return 0;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (w->count == max)
			return err_set(e, ERR_LIMIT, "%s: more than %zu entries", path, max);
		if (dir_walk_add(w, &cap, d->d_name, e) != 0)
			return -1;
	}
}

int
dir_walk_list(int dirfd, const char *path, size_t max, struct dir_walk *ret, struct err *e)
{
	struct dir_walk w = DIR_WALK_INIT;
	int fd = fd_open_beneath(dirfd, path, O_RDONLY | O_DIRECTORY, 0, e);
	DIR *dir;
	int rc;

	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return err_sys(e, "%s: cannot read the directory", path);
	}
	rc = dir_walk_read(dir, path, max, &w, e);
	closedir(dir);
	if (rc != 0) {
		dir_walk_free(&w);
		return -1;
	}
	if (w.count > 0)
		qsort(w.names, w.count, sizeof *w.names, dir_walk_compare);
	*ret = w;
	return 0;
}

void
dir_walk_free(struct dir_walk *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->names[i]);
	free(w->names);
	*w = (struct dir_walk)DIR_WALK_INIT;
}
