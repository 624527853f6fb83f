#include "store/alternates.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/array.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "store/alternates-hub.h"
#include "store/alternates-worktree.h"
#include "store/config.h"
#include "store/odb-file.h"
#include "store/odb-state.h"
#include "store/odb.h"

#define ALTERNATES_LFS ".git/lfs/objects"
#define ALTERNATES_STORES_MAX 16
#define ALTERNATES_SIZES_MAX 1000000    /* of files; beyond them no size is ruled out */
#define ALTERNATES_DIR_MAX 1000000

struct alternates {
	int lfs;                        /* -1: none */
	bool lfs_main;                  /* it is not the work tree's own */
	char *lfs_of;                   /* the work tree it belongs to */
	struct alternates_hub *hub;     /* NULL: none */
	struct store *stores[ALTERNATES_STORES_MAX];
	size_t store_count;
	bool sizes_read, sizes_many;
	uint64_t *sizes;                /* ascending */
	size_t size_count, size_cap;
};

void
alternates_free(struct alternates *a)
{
	if (a == NULL)
		return;
	cleanup_close(&a->lfs);
	free(a->lfs_of);
	alternates_hub_free(a->hub);
	for (size_t i = 0; i < a->store_count; i++)
		store_close(a->stores[i]);
	free(a->sizes);
	free(a);
}

/* It has nothing for us, whatever is wrong with it: not so when nothing could be found out. */
static bool
alternates_lacks(const struct err *e)
{
	return source_absent(e) || (e->code != ERR_IO && e->code != ERR_NOMEM && e->code != ERR_BUSY &&
	    e->code != ERR_CANCELLED);
}

/* One that is not there, or is not to be trusted to be opened, has nothing.  It has no
 * alternates of its own. */
static int
alternates_add_store(struct alternates *a, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *inner = buf_strfmt(e, "%s/" STORE_NAME, path);
	struct stat st;
	struct store *s;

	if (inner == NULL)
		return -1;
	if (a->store_count == ALTERNATES_STORES_MAX)
		return 0;
	if (store_open(lstat(inner, &st) == 0 ? inner : path, STORE_READ_ONLY, &s, e) != 0)
		return alternates_lacks(e) ? 0 : -1;
	odb_state(s)->alone = true;
	a->stores[a->store_count++] = s;
	return 0;
}

/* What a repository says must lie inside its work tree, without links on the way. */
static int
alternates_add_inside(struct alternates *a, struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *full = NULL;
	CLEANUP(cleanup_close) int fd = fd_open_beneath(store_worktree_fd(s), path, O_PATH | O_DIRECTORY,
	    0, e);

	if (fd < 0)
		return source_absent(e) ? 0 : -1;
	full = buf_strfmt(e, "%s/%s", store_worktree(s), path);
	return full == NULL ? -1 : alternates_add_store(a, full, e);
}

struct alternates_load {
	struct alternates *a;
	struct store *s;
	bool on;
	int rc;
	struct err *e;
};

/* As config_get_bool(); anything else than a clear no is no such thing. */
static bool
alternates_is_no(const char *value)
{
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (strcasecmp(value, no[i]) == 0)
			return true;
	return false;
}

static int
alternates_config(void *arg, const char *key, const char *value, bool user)
{
	struct alternates_load *l = arg;

	/* whoever says no, it is no: a repository cannot turn on what its user turned off */
	if (strcasecmp(key, "store.alternates") == 0 && alternates_is_no(value))
		l->on = false;
	if (strcasecmp(key, "store.alternate") != 0)
		return 0;
	if (!user)
		l->rc = alternates_add_inside(l->a, l->s, value, l->e);
	else if (value[0] == '/')
		l->rc = alternates_add_store(l->a, value, l->e);
	return l->rc;
}

/* Without a home there is no configuration of the user, and nothing is wrong with that. */
static int
alternates_load_config(struct alternates *a, struct store *s, bool *ret_on, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;
	struct alternates_load l = {.a = a, .s = s, .on = true, .e = e};

	*ret_on = true;
	if (config_open(s, &c, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (config_each(c, alternates_config, &l, e) != 0 || l.rc != 0)
		return -1;
	for (; !l.on && a->store_count > 0; a->store_count--)
		store_close(a->stores[a->store_count - 1]);
	*ret_on = l.on;
	return 0;
}

/* path: the main work tree, whose git-lfs serves the others of its repository. */
static int
alternates_load_main(struct alternates *a, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int top = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (top < 0) {
		err_sys(e, "%s: cannot open", path);
		return e->sys == ENOENT || source_absent(e) ? 0 : -1;
	}
	if (a->lfs < 0) {
		a->lfs_main = true;
		a->lfs = fd_open_beneath(top, ALTERNATES_LFS, O_RDONLY | O_DIRECTORY, 0, e);
		if (a->lfs < 0 && !source_absent(e))
			return -1;
	}
	return fstatat(top, STORE_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0 ? 0 :
	    alternates_add_store(a, path, e);
}

/* What is found without being named. */
static int
alternates_load_known(struct alternates *a, struct store *s, struct err *e)
{
	CLEANUP(cleanup_free) char *upper = NULL;

	a->lfs = fd_open_beneath(store_worktree_fd(s), ALTERNATES_LFS, O_RDONLY | O_DIRECTORY, 0, e);
	if ((a->lfs < 0 && !source_absent(e)) || alternates_worktree(s, &upper, e) != 0 ||
	    (upper != NULL && alternates_load_main(a, upper, e) != 0))
		return -1;
	a->lfs_of = buf_strdup(a->lfs_main ? upper : store_worktree(s), e);
	return a->lfs_of == NULL ? -1 : alternates_hub_open(&a->hub, e);
}

static int
alternates_load(struct store *s, struct alternates **ret, struct err *e)
{
	struct odb_state *o = odb_state(s);
	struct alternates *a;
	bool on;

	if (o->alternates == NULL && !o->alone) {
		a = calloc(1, sizeof *a);
		if (a == NULL)
			return err_nomem(e);
		a->lfs = -1;
		if (alternates_load_config(a, s, &on, e) != 0 || (on && alternates_load_known(a, s, e) != 0)) {
			alternates_free(a);
			return -1;
		}
		o->alternates = a;
	}
	*ret = o->alternates;
	return 0;
}

static int
alternates_lfs(const struct alternates *a, const struct oid *id, struct source *ret, struct err *e)
{
	char hex[OID_HEX_SIZE], name[OID_HEX_SIZE + 8];
	int fd;

	if (a->lfs < 0)
		return 0;
	oid_hex(id, hex);
	snprintf(name, sizeof name, "%.2s/%.2s/%s", hex, hex + 2, hex);
	fd = fd_open_beneath(a->lfs, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0)
		return source_absent(e) ? 0 : -1;
	return source_take(fd, ret, e, "%s/" ALTERNATES_LFS "/%s", a->lfs_of, name);
}

static int
alternates_store(struct store *other, const struct oid *id, struct source *ret, struct err *e)
{
	uint64_t size;
	int fd;

	if (odb_open(other, id, &fd, &size, e) != 0)
		return alternates_lacks(e) ? 0 : -1;
	return source_take(fd, ret, e, "%s", store_path(other));
}

/* place 0: git-lfs, 1: the hub, from 2: the stores */
static int
alternates_at(struct alternates *a, size_t place, const struct oid *id,
    struct source *ret, struct err *e)
{
	if (place == 0)
		return alternates_lfs(a, id, ret, e);
	if (place == 1)
		return a->hub != NULL ? alternates_hub_find(a->hub, id, ret, e) : 0;
	return alternates_store(a->stores[place - 2], id, ret, e);
}

/* A place that cannot be looked at is an error only when the other places do not have it. */
int
alternates_find(struct store *s, const struct oid *id, unsigned *nth, struct source *ret, struct err *e)
{
	struct err first = {.code = ERR_NONE};
	struct alternates *a;

	if (alternates_load(s, &a, e) != 0)
		return -1;
	for (size_t i = 0; a != NULL && i < a->store_count + 2; i++) {
		struct source p = SOURCE_INIT;
		int rc = alternates_at(a, i, id, &p, e);

		if (rc < 0 && first.code == ERR_NONE)
			first = *e;
		if (rc <= 0)
			continue;
		if ((*nth)-- == 0) {
			*ret = p;
			return 1;
		}
		source_close(&p);
	}
	if (first.code == ERR_NONE)
		return 0;
	*e = first;
	return -1;
}

int
alternates_any(struct store *s, bool *ret, struct err *e)
{
	struct alternates *a;

	if (alternates_load(s, &a, e) != 0)
		return -1;
	*ret = a != NULL && (a->lfs >= 0 || a->hub != NULL || a->store_count > 0);
	return 0;
}

static int
alternates_add_size(void *arg, uint64_t size, struct err *e)
{
	struct alternates *a = arg;

	if (a->size_count == ALTERNATES_SIZES_MAX) {
		a->sizes_many = true;
		return 0;
	}
	if (ARRAY_ROOM(a->sizes, a->size_count, a->size_cap, e) != 0)
		return -1;
	a->sizes[a->size_count++] = size;
	return 0;
}

/* depth 2: of directories named by two digits, then the files. */
static int
alternates_lfs_sizes(struct alternates *a, int dirfd, int depth, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (dir_walk_list(dirfd, ".", ALTERNATES_DIR_MAX, &names, e) != 0)
		return e->code == ERR_NOMEM ? -1 : 0;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_close) int fd = -1;
		struct stat st;

		if (depth == 0) {
			if (fstatat(dirfd, names.names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    S_ISREG(st.st_mode) && alternates_add_size(a, (uint64_t)st.st_size, e) != 0)
				return -1;
			continue;
		}
		if (strlen(names.names[i]) != 2 || !hex_is(names.names[i], 2))
			continue;
		fd = fd_open_beneath(dirfd, names.names[i], O_RDONLY | O_DIRECTORY, 0, e);
		if (fd >= 0 && alternates_lfs_sizes(a, fd, depth - 1, e) != 0)
			return -1;
	}
	return 0;
}

struct alternates_sizes {
	struct alternates *a;
	struct err *e;
	int rc;
};

static int
alternates_store_size(void *arg, const struct oid *id, uint64_t size)
{
	struct alternates_sizes *z = arg;

	(void)id;
	z->rc = alternates_add_size(z->a, size, z->e);
	return z->rc;
}

static int
alternates_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
alternates_read_sizes(struct alternates *a, struct err *e)
{
	struct alternates_sizes z = {a, e, 0};

	if (a->sizes_read)
		return 0;
	if (a->lfs >= 0 && alternates_lfs_sizes(a, a->lfs, 2, e) != 0)
		return -1;
	if (a->hub != NULL && alternates_hub_sizes(a->hub, alternates_add_size, a, e) != 0)
		return -1;
	for (size_t i = 0; i < a->store_count; i++)
		if (odb_file_each(a->stores[i], "", alternates_store_size, NULL, &z, e) != 0 || z.rc != 0)
			return -1;
	if (a->size_count > 0)
		qsort(a->sizes, a->size_count, sizeof *a->sizes, alternates_compare);
	a->sizes_read = true;
	return 0;
}

int
alternates_size(struct store *s, uint64_t size, bool *ret, struct err *e)
{
	struct alternates *a;

	if (alternates_load(s, &a, e) != 0)
		return -1;
	if (a == NULL || (a->lfs < 0 && a->hub == NULL && a->store_count == 0)) {
		*ret = false;
		return 0;
	}
	if (alternates_read_sizes(a, e) != 0)
		return -1;
	*ret = a->sizes_many || (a->size_count > 0 &&
	    bsearch(&size, a->sizes, a->size_count, sizeof size, alternates_compare) != NULL);
	return 0;
}
