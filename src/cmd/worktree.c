#include "cmd/worktree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/path.h"
#include "cmd/worktree-tmp.h"
#include "store/history.h"
#include "store/ingest.h"
#include "store/ingest-write.h"
#include "store/source.h"

#define WORKTREE_ORIG_MAX 1000

/* --- what is there --- */

static bool
worktree_stored_at(struct store *s, enum object_type type, const struct oid *id, int depth)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool all = true;

	if (type == OBJECT_BLOB)
		return odb_kept(s, id);
	if (depth > TREE_DEPTH_MAX || odb_read(s, id, TREE_BYTES_MAX, &text, NULL) != 0 ||
	    tree_decode(text.data, text.len, &t, NULL) != 0)
		return false;
	for (size_t i = 0; all && i < t.count; i++)
		all = worktree_stored_at(s, t.entries[i].mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB,
		    &t.entries[i].id, depth + 1);
	return all;
}

bool
worktree_stored(struct store *s, enum object_type type, const struct oid *id)
{
	return worktree_stored_at(s, type, id, 0);
}

static int
worktree_one_use(void *arg, const struct history_use *use)
{
	bool *found = arg;

	(void)use;
	*found = true;
	return 1;
}

/* A run that the history holds made it or used it. */
static int
worktree_recorded(struct store *s, const struct ingest_result *now, bool *ret, struct err *e)
{
	CLEANUP(history_producer_free) struct history_producer p = {0};
	const struct resource content = {.type = now->type, .size = now->size,
	    .digests = {.sha256 = now->id}};
	CLEANUP(history_view_freep) struct history_view *view = NULL;
	bool whole;

	*ret = history_producer(s, &content, HISTORY_INSIDE | HISTORY_QUICK, &p, e) == 0;
	if (*ret)
		return 0;
	if (e->code != ERR_NOTFOUND)
		return -1;
	if (history_view_new(s, &view, e) != 0)
		return -1;
	return history_uses(view, &now->id, false, worktree_one_use, ret, &whole, e);
}

int
worktree_check_parent(struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strdup(path, e);
	char *slash;

	if (dir == NULL)
		return -1;
	while ((slash = strrchr(dir, '/')) != NULL) {
		CLEANUP(cleanup_close) int fd = -1;

		*slash = '\0';
		fd = fd_open_beneath(store_worktree_fd(s), dir, O_PATH | O_DIRECTORY, 0, e);
		if (fd >= 0)
			return 0;
		if (e->code != ERR_NOTFOUND)
			return err_prefix(e, "%s", path);
	}
	return 0;
}

/* What is there is not the thing. */
static int
worktree_other(struct store *s, const struct ingest_result *now, struct worktree_found *ret,
    struct err *e)
{
	bool recorded;

	if (worktree_recorded(s, now, &recorded, e) != 0)
		return -1;
	if (recorded && worktree_stored(s, now->type, &now->id)) {
		ret->state = WORKTREE_COVERED;
		ret->id = now->id;
	}
	return 0;
}

bool
worktree_is_untold(const struct err *e)
{
	return e->code == ERR_NOMEM || e->code == ERR_CANCELLED || (e->code == ERR_IO && !source_absent(e));
}

static int
worktree_look_file(struct store *s, int dirfd, const char *name, const struct worktree_thing *t,
    const struct stat *st, struct worktree_found *ret, struct err *e)
{
	struct ingest_result now;
	bool exec = (st->st_mode & 0100) != 0;

	if (ingest_path(NULL, dirfd, name, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &now, e) != 0)
		return worktree_is_untold(e) ? -1 : 0; /* not ours */
	if (t->mode == TREE_LINK || now.type != t->type || !oid_equal(&now.id, &t->id))
		return worktree_other(s, &now, ret, e);
	ret->state = t->type == OBJECT_BLOB && t->mode != 0 && exec != (t->mode == TREE_EXEC) ?
	    WORKTREE_MODE : WORKTREE_SAME;
	return 0;
}

static int
worktree_look_link(int dirfd, const char *name, const struct worktree_thing *t,
    struct worktree_found *ret, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = t->mode == TREE_LINK ? readlinkat(dirfd, name, target, sizeof target) : -1;
	struct oid id;

	if (n < 0 || (size_t)n == sizeof target)
		return 0;
	if (oid_from_data(&id, target, (size_t)n, e) != 0)
		return -1;
	if (oid_equal(&id, &t->id))
		ret->state = WORKTREE_SAME;
	return 0;
}

int
worktree_look(struct store *s, const struct worktree_thing *t, struct worktree_found *ret,
    struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	struct worktree_found found = {.state = WORKTREE_ABSENT};
	const char *name;
	struct stat st;
	int rc = 0;

	if (worktree_check_parent(s, t->path, e) != 0)
		return -1;
	if (fd_open_parent(store_worktree_fd(s), t->path, &dirfd, &name, e) != 0) {
		if (e->code != ERR_NOTFOUND)
			return err_prefix(e, "%s", t->path);
		*ret = found;
		return 0;
	}
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return err_sys(e, "%s: cannot look at it", t->path);
		*ret = found;
		return 0;
	}
	found.state = S_ISDIR(st.st_mode) && t->type != OBJECT_TREE ? WORKTREE_DIRECTORY : WORKTREE_CHANGED;
	if (S_ISLNK(st.st_mode))
		rc = worktree_look_link(dirfd, name, t, &found, e);
	else
		rc = worktree_look_file(s, dirfd, name, t, &st, &found, e);
	if (rc != 0)
		return err_prefix(e, "%s", t->path);
	*ret = found;
	return 0;
}

/* --- into its place --- */

/* The directory of path beneath the work tree, made when it is missing. */
static int
worktree_parent(struct store *s, const char *path, int *ret_fd, struct err *e)
{
	const char *base = path_base(path);
	CLEANUP(cleanup_free) char *dir = base == path ? buf_strdup(".", e) :
	    buf_strfmt(e, "%.*s", (int)(base - path - 1), path);

	if (dir == NULL)
		return -1;
	if (base != path && fd_mkdirs_beneath(store_worktree_fd(s), dir, 0777, e) != 0)
		return -1;
	*ret_fd = fd_open_beneath(store_worktree_fd(s), dir, O_RDONLY | O_DIRECTORY, 0, e);
	return *ret_fd < 0 ? -1 : 0;
}

/* rename(2) that never replaces.  Not every file system can promise that; there
 * it is looked at first. */
static int
worktree_move(int dirfd, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(dirfd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dirfd, from, dirfd, to);
}

int
worktree_keep(int dirfd, const char *from, const char *name, struct err *e)
{
	for (int i = 0; i < WORKTREE_ORIG_MAX; i++) {
		char suffix[16] = "";
		CLEANUP(cleanup_free) char *kept = NULL;

		if (i > 0)
			snprintf(suffix, sizeof suffix, ".%d", i);
		kept = buf_strfmt(e, "%s.orig%s", name, suffix);
		if (kept == NULL)
			return -1;
		if (worktree_move(dirfd, from, kept) == 0) {
			fprintf(stderr, "aicert: %s was not made by a recorded run: kept as %s\n", name, kept);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(e, "%s: cannot rename to %s", name, kept);
	}
	return err_set(e, ERR_EXISTS, "%s: too many .orig files beside it", name);
}

/* tmp and name change places, at once where the file system can. */
static int
worktree_exchange(int dirfd, const char *tmp, const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *old = worktree_tmp_name(name, true, e);

	if (old == NULL)
		return -1;
	if (renameat2(dirfd, tmp, dirfd, name, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return err_sys(e, "%s: cannot replace", name);
	if (worktree_move(dirfd, name, old) != 0)
		return err_sys(e, "%s: cannot move aside", name);
	if (worktree_move(dirfd, tmp, name) != 0 || worktree_move(dirfd, old, tmp) != 0)
		return err_sys(e, "%s: cannot replace; what was there is %s", name, old);
	return 0;
}

/* After an error: dirfd/tmp is not in its place, and holds what the store has. */
static int
worktree_undo(int dirfd, const char *tmp, struct err *e)
{
	if (fd_remove_tree(dirfd, tmp, NULL) != 0)
		return err_prefix(e, "%s is left behind", tmp);
	return -1;
}

/* Puts dirfd/tmp in the place of dirfd/name, whose content is covered by
 * expected.  What was written to it since it was looked at is kept. */
static int
worktree_swap(int dirfd, const char *tmp, const char *name, const struct oid *expected, struct err *e)
{
	CLEANUP(cleanup_free) char *old = worktree_tmp_name(name, true, e);
	struct ingest_result was;

	/* whoever sweeps here must know that it may be what was there before: in this order,
	 * also after a power loss */
	if (old == NULL)
		return -1;
	if (worktree_move(dirfd, tmp, old) != 0)
		return err_sys(e, "%s: cannot rename", tmp);
	if (fd_sync(dirfd, name, e) != 0)
		return worktree_undo(dirfd, old, e);
	if (worktree_exchange(dirfd, old, name, e) != 0)
		return worktree_undo(dirfd, old, e);
	if (ingest_path(NULL, dirfd, old, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &was, e) == 0 &&
	    oid_equal(&was.id, expected))
		return fd_remove_tree(dirfd, old, e);
	return worktree_keep(dirfd, old, name, e);
}

/* dirfd/tmp to dirfd/name. */
static int
worktree_settle(int dirfd, const char *tmp, const char *name, const struct worktree_found *found,
    unsigned flags, struct err *e)
{
	int rc;

	if (found->state == WORKTREE_COVERED)
		return worktree_swap(dirfd, tmp, name, &found->id, e);
	if (found->state == WORKTREE_DIRECTORY && (flags & WORKTREE_KEEP) == 0)
		return err_set(e, ERR_EXISTS, "%s: a directory is in the way", name);
	if (found->state != WORKTREE_ABSENT && (flags & WORKTREE_KEEP) != 0 &&
	    worktree_keep(dirfd, name, name, e) != 0)
		return -1;
	rc = found->state == WORKTREE_ABSENT || (flags & WORKTREE_KEEP) != 0 ?
	    worktree_move(dirfd, tmp, name) : renameat(dirfd, tmp, dirfd, name);
	return rc == 0 ? 0 : err_sys(e, "%s: cannot rename into place", name);
}

static int
worktree_link(struct store *s, const struct oid *id, int dirfd, const char *name, struct err *e)
{
	CLEANUP(buf_free) struct buf target = BUF_INIT;

	if (odb_read(s, id, PATH_MAX - 1, &target, e) != 0)
		return -1;
	if (target.len == 0 || strlen(buf_str(&target)) != target.len)
		return err_set(e, ERR_FORMAT, "not the target of a symbolic link");
	return symlinkat(buf_str(&target), dirfd, name) == 0 ? 0 : err_sys(e, "cannot create the link");
}

static int
worktree_write(struct store *s, const struct worktree_thing *t, int dirfd, const char *name,
    unsigned flags, struct progress *progress, struct err *e)
{
	const struct object_ref ref = {t->type, t->id};
	const struct ingest_place place = {
		.dirfd = dirfd,
		.name = name,
		.exec = t->mode == TREE_EXEC,
		.sync = flags & WORKTREE_SYNC,
		.progress = progress,
	};

	return t->mode == TREE_LINK ? worktree_link(s, &t->id, dirfd, name, e) :
	    ingest_write_at(s, &ref, &place, e);
}

/* Of a file that was seen to be no link; umask decides as for a new one. */
static int
worktree_mode(int dirfd, const char *name, enum tree_mode mode, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);

	if (fd < 0)
		return -1;
	if (fchmod(fd, mode == TREE_EXEC ? 0755 : 0644) != 0)
		return err_sys(e, "%s: cannot set its permissions", name);
	return 0;
}

static int
worktree_place(struct store *s, const struct worktree_thing *t, const struct worktree_found *found,
    int dirfd, unsigned flags, struct progress *progress, struct err *e)
{
	const char *name = path_base(t->path);
	CLEANUP(cleanup_free) char *tmp = worktree_tmp_name(name, false, e);

	if (tmp == NULL)
		return -1;
	if (found->state == WORKTREE_MODE)
		return worktree_mode(dirfd, name, t->mode, e);
	if (found->state == WORKTREE_ABSENT && t->type == OBJECT_BLOB) /* whole when it has the name */
		return worktree_write(s, t, dirfd, name, flags, progress, e);
	if (worktree_write(s, t, dirfd, tmp, flags, progress, e) != 0 ||
	    worktree_settle(dirfd, tmp, name, found, flags, e) != 0)
		return worktree_undo(dirfd, tmp, e);
	return 0;
}

int
worktree_put(struct store *s, const struct worktree_thing *t, const struct worktree_found *found,
    unsigned flags, struct progress *progress, struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;

	if (found->state == WORKTREE_SAME)
		return 0;
	if (worktree_parent(s, t->path, &dirfd, e) != 0 || worktree_tmp_hold(dirfd, t->path, e) != 0 ||
	    worktree_place(s, t, found, dirfd, flags, progress, e) != 0 ||
	    ((flags & WORKTREE_SYNC) != 0 && fd_sync(dirfd, t->path, e) != 0))
		return err_prefix(e, "%s", t->path);
	return 0;
}

int
worktree_sweep(struct store *s, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	const char *name;

	if (fd_open_parent(store_worktree_fd(s), path, &dirfd, &name, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	return worktree_tmp_sweep(s, dirfd, e) == 0 ? 0 : err_prefix(e, "%s", path);
}

/* --- names --- */

/* Takes "." and ".." out of path, which is absolute, by its text alone. */
static void
worktree_normalise(char *path)
{
	char *out = path, *in = path;

	while (*in != '\0') {
		size_t len;

		in += strspn(in, "/");
		len = strcspn(in, "/");
		if (len == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (len > 0 && !(len == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, len);
			out += len;
		}
		in += len;
	}
	*out = '\0';
}

int
worktree_path(struct store *s, const char *arg, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *here = realpath(".", NULL);
	CLEANUP(cleanup_free) char *full = NULL;
	const char *root = store_worktree(s);

	if (here == NULL)
		return err_sys(e, "the current directory");
	full = arg[0] == '/' ? buf_strdup(arg, e) : buf_strfmt(e, "%s/%s", here, arg);
	if (full == NULL)
		return -1;
	worktree_normalise(full);
	if (strcmp(root, "/") != 0 && !path_covers(root, full))
		return err_set(e, ERR_DENIED, "%s: outside the work tree %s", arg, root);
	if (strcmp(root, "/") != 0)
		*ret = buf_strdup(full[strlen(root)] == '/' ? full + strlen(root) + 1 : "", e);
	else
		*ret = buf_strdup(full[0] == '/' ? full + 1 : "", e);
	return *ret == NULL ? -1 : 0;
}
