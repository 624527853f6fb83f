#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/array.h"
#include "base/buf.h"
#include "base/fd.h"
#include "store/refs.h"

#define REFS_LIST_MAX 1000000
#define REFS_LIST_DEPTH 64

struct refs_list {
	struct store *s;
	const char *prefix;
	size_t skip;            /* of the path, what is not the ref's name: "logs/" */
	struct dir_walk names;
	size_t cap;
};

static int
refs_list_add(struct refs_list *l, const char *name, struct err *e)
{
	if (l->names.count == REFS_LIST_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d refs", store_path(l->s), REFS_LIST_MAX);
	if (ARRAY_ROOM(l->names.names, l->names.count, l->cap, e) != 0)
		return -1;
	l->names.names[l->names.count] = buf_strdup(name, e);
	if (l->names.names[l->names.count] == NULL)
		return -1;
	l->names.count++;
	return 0;
}

static int
refs_list_dir(struct refs_list *l, const char *dir, int depth, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk found = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = -1;

	if (depth > REFS_LIST_DEPTH)
		return err_set(e, ERR_LIMIT, "%s/%s: too deep", store_path(l->s), dir);
	fd = fd_open_beneath(store_dirfd(l->s), dir, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0 || dir_walk_list(fd, ".", REFS_LIST_MAX, &found, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : err_prefix(e, "%s", store_path(l->s));
	for (size_t i = 0; i < found.count; i++) {
		CLEANUP(cleanup_free) char *name = buf_strfmt(e, "%s/%s", dir, found.names[i]);
		struct stat st;

		if (name == NULL)
			return -1;
		if (fstatat(fd, found.names[i], &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				continue;
			return err_sys(e, "%s/%s: cannot look at it", store_path(l->s), name);
		}
		if (S_ISDIR(st.st_mode)) {
			if (refs_list_dir(l, name, depth + 1, e) != 0)
				return -1;
		} else if (refs_name_ok(name + l->skip) &&
		    strncmp(name + l->skip, l->prefix, strlen(l->prefix)) == 0 &&
		    refs_list_add(l, name + l->skip, e) != 0) {
			return -1;
		}
	}
	return 0;
}

static int
refs_list_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
refs_list_run(struct refs_list *l, const char *dir, struct dir_walk *ret, struct err *e)
{
	struct err local;

	if (refs_list_dir(l, dir, 0, e != NULL ? e : &local) != 0) {
		dir_walk_free(&l->names);
		return -1;
	}
	if (l->names.count > 0)
		qsort(l->names.names, l->names.count, sizeof *l->names.names, refs_list_compare);
	*ret = l->names;
	return 0;
}

int
refs_names(struct store *s, const char *prefix, struct dir_walk *ret, struct err *e)
{
	struct refs_list l = {.s = s, .prefix = prefix, .names = DIR_WALK_INIT};

	return refs_list_run(&l, "refs", ret, e);
}

int
refs_log_names(struct store *s, struct dir_walk *ret, struct err *e)
{
	struct refs_list l = {.s = s, .prefix = "", .skip = strlen("logs/"), .names = DIR_WALK_INIT};

	return refs_list_run(&l, "logs/refs", ret, e);
}

int
refs_each(struct store *s, const char *prefix, refs_each_fn *fn, void *arg, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	struct err local;

	if (e == NULL)
		e = &local;
	if (refs_names(s, prefix, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct object_ref ref;

		if (refs_read(s, names.names[i], &ref, e) == 0) {
			if (fn(arg, names.names[i], &ref) != 0)
				return 0;
		} else if (e->code != ERR_NOTFOUND) { /* deleted meanwhile */
			return -1;
		}
	}
	return 0;
}
