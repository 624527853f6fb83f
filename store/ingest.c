#include "store/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "store/ingest-write.h"
#include "store/steady.h"

#define INGEST_ENTRIES_MAX 4000000 /* of one directory */

struct ingest {
	struct store *s;
	unsigned flags;
	struct progress *progress;
};

static int ingest_dir(struct ingest *in, int dirfd, const char *name, const char *path, int depth,
    struct ingest_result *ret, struct err *e);

/* O_PATH first: opening a FIFO or a device can have effects. */
static int
ingest_look(int dirfd, const char *name, const char *path, int *ret_fd, struct stat *ret_st,
    struct err *e)
{
	char link[64];
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_PATH, 0, e);

	if (fd < 0)
		return e->code == ERR_NOTFOUND ? err_set(e, ERR_NOTFOUND, "%s: no such file", path) : -1;
	if (fstat(fd, ret_st) != 0)
		return err_sys(e, "%s: cannot look at it", path);
	if (!S_ISREG(ret_st->st_mode) && !S_ISDIR(ret_st->st_mode))
		return err_set(e, ERR_DENIED, "%s: neither a file nor a directory (a %s)", path,
		    S_ISFIFO(ret_st->st_mode) ? "FIFO" : S_ISSOCK(ret_st->st_mode) ? "socket" : "device");
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	*ret_fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return *ret_fd < 0 ? err_sys(e, "%s: cannot open", path) : 0;
}

static int
ingest_file(struct ingest *in, int dirfd, const char *name, const char *path, int fd,
    struct ingest_result *ret, struct err *e)
{
	int rc;

	if (in->flags & INGEST_HASH_ONLY)
		rc = odb_hash_fd(fd, path, &ret->id, &ret->size, e);
	else if (in->flags & INGEST_ADOPT)
		rc = odb_adopt(in->s, dirfd, name, &ret->id, &ret->size, e);
	else
		rc = odb_put_fd(in->s, fd, path, NULL, &ret->id, &ret->size, e);
	if (rc == 0 && in->progress != NULL)
		progress_add(in->progress, ret->size);
	ret->type = OBJECT_BLOB;
	return rc;
}

static int
ingest_bytes(struct ingest *in, const void *data, size_t len, struct oid *ret, struct err *e)
{
	if (in->flags & INGEST_HASH_ONLY)
		return oid_from_data(ret, data, len, e);
	return odb_put(in->s, data, len, ret, e);
}

static int
ingest_link(struct ingest *in, int dirfd, const char *name, const char *path,
    struct ingest_result *ret, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target);

	if (n < 0)
		return err_sys(e, "%s: cannot read the symbolic link", path);
	if ((size_t)n == sizeof target)
		return err_set(e, ERR_LIMIT, "%s: the target of the symbolic link is too long", path);
	ret->type = OBJECT_BLOB;
	ret->size = (uint64_t)n;
	return ingest_bytes(in, target, (size_t)n, &ret->id, e);
}

static int
ingest_check_name(const char *name, const char *path, struct err *e)
{
	if (path_name_ok(name, strlen(name)))
		return 0;
	if (strcasecmp(name, ".git") == 0)
		return err_set(e, ERR_DENIED, "%s: a git repository inside;"
		    " choose another directory", path);
	return err_set(e, ERR_DENIED, "%s: a name that no tree can hold; rename it", path);
}

/* One entry of the directory open at fd into the tree. */
static int
ingest_entry(struct ingest *in, struct tree_builder *b, int fd, const char *name, const char *path,
    int depth, struct err *e)
{
	CLEANUP(cleanup_close) int file = -1;
	struct ingest_result r;
	enum tree_mode mode;
	struct stat st;

	if (ingest_check_name(name, path, e) != 0)
		return -1;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? steady_changed(path, e) : err_sys(e, "%s: cannot look at it", path);
	if (S_ISLNK(st.st_mode)) {
		mode = TREE_LINK;
		if (ingest_link(in, fd, name, path, &r, e) != 0)
			return -1;
	} else {
		if (ingest_look(fd, name, path, &file, &st, e) != 0)
			return -1;
		mode = S_ISDIR(st.st_mode) ? TREE_DIR : st.st_mode & 0100 ? TREE_EXEC : TREE_FILE;
		if (mode == TREE_DIR ? ingest_dir(in, fd, name, path, depth + 1, &r, e) != 0 :
		    ingest_file(in, fd, name, path, file, &r, e) != 0)
			return -1;
	}
	return tree_builder_add(b, mode, r.size, &r.id, name, e);
}

static int
ingest_entries(struct ingest *in, struct tree_builder *b, int fd, const char *path, int depth,
    struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (dir_walk_list(fd, ".", INGEST_ENTRIES_MAX, &names, e) != 0)
		return err_prefix(e, "%s", path);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_free) char *full = buf_strfmt(e, "%s/%s", path, names.names[i]);

		if (full == NULL || interrupt_check(e) != 0 ||
		    ingest_entry(in, b, fd, names.names[i], full, depth, e) != 0)
			return -1;
	}
	return 0;
}

static int
ingest_tree(struct ingest *in, int fd, const char *path, int depth, struct ingest_result *ret,
    struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct tree_builder *b;
	int rc;

	if (tree_builder_new(&b, e) != 0)
		return -1;
	rc = ingest_entries(in, b, fd, path, depth, e);
	if (rc == 0) {
		rc = tree_builder_finish(b, &text, &ret->size, e);
		if (rc != 0)
			err_prefix(e, "%s", path);
	}
	tree_builder_free(b);
	ret->type = OBJECT_TREE;
	return rc != 0 ? -1 : ingest_bytes(in, text.data, text.len, &ret->id, e);
}

static int
ingest_dir(struct ingest *in, int dirfd, const char *name, const char *path, int depth,
    struct ingest_result *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat before;

	if (depth > TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d directories deep", path, TREE_DEPTH_MAX);
	fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return err_prefix(e, "%s", path);
	if (steady_begin(fd, path, &before, e) != 0 || ingest_tree(in, fd, path, depth, ret, e) != 0)
		return -1;
	/* adopting takes the files out of it */
	return in->flags & INGEST_ADOPT ? 0 : steady_check(fd, path, &before, e);
}

static int
ingest_any(struct ingest *in, int dirfd, const char *path, struct ingest_result *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;

	if (ingest_look(dirfd, path, path, &fd, &st, e) != 0)
		return -1;
	if (S_ISREG(st.st_mode))
		return ingest_file(in, dirfd, path, path, fd, ret, e);
	if ((in->flags & INGEST_DIRECTORIES) == 0)
		return err_set(e, ERR_DENIED, "%s: a directory, where a file is expected", path);
	return ingest_dir(in, dirfd, path, path, 1, ret, e);
}

int
ingest_path(struct store *s, int dirfd, const char *path, unsigned flags,
    struct progress *progress, struct ingest_result *ret, struct err *e)
{
	struct ingest in = {s, flags, progress};
	struct ingest_result r;
	struct err local;

	if (e == NULL)
		e = &local;
	if (flags & INGEST_HASH_ONLY) {
		if (ingest_any(&in, dirfd, path, &r, e) != 0)
			return -1;
		*ret = r;
		return 0;
	}
	if (odb_batch_begin(s, e) != 0)
		return -1;
	if (ingest_any(&in, dirfd, path, &r, e) != 0) {
		odb_batch_abort(s);
		return -1;
	}
	if (odb_batch_end(s, e) != 0)
		return -1;
	*ret = r;
	return 0;
}

int
ingest_materialise(struct store *s, enum object_type type, const struct oid *id, int dirfd,
    const char *name, struct err *e)
{
	const struct object_ref ref = {type, *id};

	return ingest_write(s, &ref, dirfd, name, true, e);
}

int
ingest_checkout(struct store *s, enum object_type type, const struct oid *id, int dirfd,
    const char *name, struct err *e)
{
	const struct object_ref ref = {type, *id};

	return ingest_write(s, &ref, dirfd, name, false, e);
}
