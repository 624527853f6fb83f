#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "base/interrupt.h"

int
fd_write_all(int fd, const void *data, size_t len, const char *what, struct err *e)
{
	const unsigned char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s: cannot write", what);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fd_read_upto(int fd, void *ret_data, size_t len, size_t *ret_len, const char *what, struct err *e)
{
	unsigned char *p = ret_data;
	size_t got = 0;

	if (interrupt_watched(e) != 0)
		return -1;
	while (got < len) {
		ssize_t n = read(fd, p + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s: cannot read", what);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_len = got;
	return 0;
}

int
fd_read_all(int fd, size_t max, struct buf *ret, const char *what, struct err *e)
{
	size_t start = ret->len;

	for (;;) {
		size_t n;

		if (buf_reserve(ret, 16384, e) != 0)
			return err_prefix(e, "%s", what);
		if (fd_read_upto(fd, ret->data + ret->len, 16384, &n, what, e) != 0)
			return -1;
		ret->len += n;
		ret->data[ret->len] = '\0';
		if (ret->len - start > max)
			return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", what, max);
		if (n == 0)
			return 0;
	}
}

static int
fd_open_to_read(int dirfd, const char *path, int *ret, struct err *e)
{
	*ret = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*ret >= 0)
		return 0;
	return errno == ENOENT ? err_set(e, ERR_NOTFOUND, "%s: no such file", path) :
	    err_sys(e, "%s: cannot open", path);
}

int
fd_read_file(int dirfd, const char *path, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;

	return fd_open_to_read(dirfd, path, &fd, e) != 0 ? -1 : fd_read_all(fd, max, ret, path, e);
}

/* Ctrl-C is heard while nothing comes. */
static int
fd_read_pipe(int fd, size_t max, struct buf *ret, const char *path, struct err *e)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t start = ret->len;

	for (;;) {
		char data[16384];
		ssize_t n;

		if (poll(&p, 1, -1) < 0 && interrupt_check(e) != 0)
			return -1;
		n = read(fd, data, sizeof data);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return err_sys(e, "%s: cannot read", path);
		buf_add(ret, data, (size_t)n);
		if (ret->len - start > max)
			return err_set(e, ERR_LIMIT, "%s: longer than %zu bytes", path, max);
		if (n == 0)
			return buf_check(ret, e);
	}
}

int
fd_read_named(const char *path, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct stat st;

	if (fd_open_to_read(AT_FDCWD, path, &fd, e) != 0)
		return -1;
	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) ? fd_read_pipe(fd, max, ret, path, e) :
	    fd_read_all(fd, max, ret, path, e);
}

int
fd_open_beneath(int dirfd, const char *path, int flags, mode_t mode, struct err *e)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	do /* EAGAIN: a rename raced with the look-up */
		fd = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	if (fd >= 0)
		return (int)fd;
	if (errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "%s: no such file or directory", path);
	if (errno == ELOOP)
		return err_set(e, ERR_DENIED, "%s: is, or passes through, a symbolic link", path);
	if (errno == EXDEV)
		return err_set(e, ERR_DENIED, "%s: leads out of its directory", path);
	return err_sys(e, "%s: cannot open", path);
}

int
fd_open_parent(int dirfd, const char *path, int *ret_fd, const char **ret_base, struct err *e)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(cleanup_free) char *parent = slash != NULL ?
	    strndup(path, (size_t)(slash - path)) : strdup(".");
	int fd;

	if (parent == NULL)
		return err_nomem(e);
	fd = fd_open_beneath(dirfd, parent, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	*ret_base = slash != NULL ? slash + 1 : path;
	return 0;
}

static int
fd_mkdir_step(int dirfd, const char *prefix, mode_t mode, struct err *e)
{
	const char *slash = strrchr(prefix, '/');
	CLEANUP(cleanup_free) char *parent = NULL;
	CLEANUP(cleanup_close) int fd = -1;

	if (slash != NULL) {
		parent = strndup(prefix, (size_t)(slash - prefix));
		if (parent == NULL)
			return err_nomem(e);
	}
	fd = fd_open_beneath(dirfd, parent != NULL ? parent : ".", O_PATH | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	if (mkdirat(fd, slash != NULL ? slash + 1 : prefix, mode) != 0 && errno != EEXIST)
		return err_sys(e, "%s: cannot create the directory", prefix);
	return 0;
}

int
fd_mkdirs_beneath(int dirfd, const char *path, mode_t mode, struct err *e)
{
	CLEANUP(cleanup_free) char *prefix = strdup(path);
	CLEANUP(cleanup_close) int fd = -1;

	if (prefix == NULL)
		return err_nomem(e);
	for (char *p = prefix; *p != '\0'; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (*prefix != '\0' && fd_mkdir_step(dirfd, prefix, mode, e) != 0)
			return -1;
		*p = '/';
	}
	if (*prefix != '\0' && prefix[strlen(prefix) - 1] != '/' &&
	    fd_mkdir_step(dirfd, prefix, mode, e) != 0)
		return -1;
	fd = fd_open_beneath(dirfd, path, O_PATH | O_DIRECTORY, 0, e);
	return fd < 0 ? -1 : 0;
}

/*
 * Removal of a tree holds one descriptor a level.  A directory deeper than
 * this is moved up beside the top's entries and removed from there, so that
 * no depth of a hostile tree exhausts descriptors or the stack.
 */
#define FD_REMOVE_DEPTH 32

struct fd_removal {
	int top;         /* the directory whose tree goes away */
	unsigned moved;  /* names given to directories moved up */
};

static int fd_remove_entry(struct fd_removal *r, int dirfd, const char *name, int depth,
    struct err *e);

static int
fd_remove_lift(struct fd_removal *r, int dirfd, const char *name, struct err *e)
{
	char lifted[64];

	do { /* what it may replace, an empty directory, goes away as well */
		snprintf(lifted, sizeof lifted, ".removed-%u", r->moved++);
		if (renameat(dirfd, name, r->top, lifted) == 0)
			return 0;
	} while (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR);
	return err_sys(e, "%s: cannot move a deep directory for its removal", name);
}

/* The entries of fd, which stays open. */
static int
fd_remove_entries(struct fd_removal *r, int fd, const char *path, int depth, struct err *e)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *d;
	int rc = 0;

	if (dir == NULL) {
		err_sys(e, "%s: cannot read the directory", path);
		if (copy >= 0)
			close(copy);
		return -1;
	}
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		rc = fd_remove_entry(r, fd, d->d_name, depth, e);
	}
	closedir(dir);
	return rc;
}

/* Opens the directory name, made writable; a link or a file is refused. */
static int
fd_remove_open(int dirfd, const char *name, uint64_t resolve, struct err *e)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = resolve,
	};
	CLEANUP(cleanup_close) int held = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);
	char self[64];
	struct stat st;
	int fd;

	if (held < 0 && errno == EXDEV)
		return err_set(e, ERR_DENIED, "%s: a mount point is not removed", name);
	if (held < 0)
		return err_sys(e, "%s: cannot remove", name);
	/* by descriptor: the name could have become a link meanwhile */
	snprintf(self, sizeof self, "/proc/self/fd/%d", held);
	if (fstat(held, &st) == 0 && (st.st_mode & 0700) != 0700 && chmod(self, 0700) != 0)
		return err_sys(e, "%s: cannot make writable", name);
	fd = openat(held, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s: cannot remove", name);
	return fd;
}

static int
fd_remove_entry(struct fd_removal *r, int dirfd, const char *name, int depth, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_sys(e, "%s: cannot remove", name);
	/* what is mounted inside a tree is not part of it */
	fd = fd_remove_open(dirfd, name, RESOLVE_NO_XDEV | RESOLVE_BENEATH, e);
	if (fd < 0)
		return -1;
	if (depth == FD_REMOVE_DEPTH)
		return fd_remove_lift(r, dirfd, name, e);
	if (fd_remove_entries(r, fd, name, depth + 1, e) != 0)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return err_sys(e, "%s: cannot remove", name);
	return 0;
}

int
fd_remove_tree(int dirfd, const char *path, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	const char *slash = strrchr(path, '/'), *last = slash != NULL ? slash + 1 : path;
	struct fd_removal r = {.top = -1};
	unsigned before;

	/* "." and ".." would be emptied before their removal fails */
	if (*last == '\0' || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return err_set(e, ERR_USAGE, "%s: not the name of a tree to remove", path);
	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_sys(e, "%s: cannot remove", path);
	fd = fd_remove_open(dirfd, path, 0, e);
	if (fd < 0)
		return -1;
	r.top = fd;
	do { /* again while directories were moved up */
		before = r.moved;
		if (fd_remove_entries(&r, fd, path, 1, e) != 0)
			return -1;
	} while (r.moved != before);
	if (unlinkat(dirfd, path, AT_REMOVEDIR) != 0)
		return err_sys(e, "%s: cannot remove", path);
	return 0;
}

int
fd_close(int *fd, const char *what, struct err *e)
{
	int old = *fd;

	*fd = -1;
	if (old >= 0 && close(old) != 0 && errno != EINTR)
		return err_sys(e, "%s: cannot close", what);
	return 0;
}

int
fd_sync(int fd, const char *what, struct err *e)
{
	int rc;

	do
		rc = fsync(fd);
	while (rc != 0 && errno == EINTR);
	/* EINVAL: a file system or special file without fsync */
	if (rc != 0 && errno != EINVAL)
		return err_sys(e, "%s: cannot sync", what);
	return 0;
}
