#include "run/outputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/fd.h"
#include "object/tree.h"
#include "store/ingest.h"

#define OUTPUTS_DEPTH_MAX (TREE_DEPTH_MAX + 8) /* deeper things are no output anyway */
#define OUTPUTS_ROOM_MAX (UINT64_C(1) << 52) /* no file is longer */

static int outputs_own_below(int fd, uid_t uid, gid_t gid, int depth, struct err *e);

static int
outputs_own_one(int fd, const char *name, uid_t uid, gid_t gid, int depth, struct err *e)
{
	CLEANUP(cleanup_close) int child = -1;
	struct stat st;
	mode_t mode;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s: cannot look at what the run left", name);
	/* a change of owner clears set-id bits; the mode below clears the rest */
	if (geteuid() == 0 && fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s: cannot own what the run left", name);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	mode = S_ISDIR(st.st_mode) || (st.st_mode & 0111) != 0 ? 0755 : 0644;
	if (fchmodat(fd, name, mode, 0) != 0) /* no link: looked at above, and nobody races */
		return err_sys(e, "%s: cannot change the mode of what the run left", name);
	if (!S_ISDIR(st.st_mode) || depth == OUTPUTS_DEPTH_MAX)
		return 0;
	child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (child < 0)
		return err_sys(e, "%s: cannot read what the run left", name);
	return outputs_own_below(child, uid, gid, depth + 1, e);
}

static int
outputs_own_below(int fd, uid_t uid, gid_t gid, int depth, struct err *e)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *d;
	int rc = 0;

	if (dir == NULL) {
		err_sys(e, "cannot read what the run left");
		cleanup_close(&copy);
		return -1;
	}
	while (rc == 0 && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			rc = outputs_own_one(fd, d->d_name, uid, gid, depth, e);
	closedir(dir);
	return rc;
}

int
outputs_own(int dirfd, uid_t uid, gid_t gid, struct err *e)
{
	if (geteuid() == 0 && fchown(dirfd, uid, gid) != 0)
		return err_sys(e, "cannot own the run's workspace");
	if (fchmod(dirfd, 0755) != 0)
		return err_sys(e, "cannot change the mode of the run's workspace");
	return outputs_own_below(dirfd, uid, gid, 0, e);
}

int
outputs_room(int dirfd, uint64_t *ret, struct err *e)
{
	struct statvfs v;

	if (fstatvfs(dirfd, &v) != 0)
		return err_sys(e, "cannot find the free space of the store's file system");
	*ret = OUTPUTS_ROOM_MAX;
	if (v.f_blocks != 0 && v.f_frsize != 0 && v.f_bavail < OUTPUTS_ROOM_MAX / v.f_frsize)
		*ret = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

/* Adds up the lengths of files; what cannot be looked at is judged later, by
 * outputs_take().  False: there is no room for them. */
static bool
outputs_fit(int at, const char *name, int depth, uint64_t *room)
{
	struct dirent *d;
	struct stat st;
	bool fit = true;
	DIR *dir;
	int fd;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (S_ISREG(st.st_mode)) {
		fit = (uint64_t)st.st_size <= *room;
		*room -= fit ? (uint64_t)st.st_size : 0;
		return fit;
	}
	if (!S_ISDIR(st.st_mode) || depth == OUTPUTS_DEPTH_MAX)
		return true;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (dir == NULL) {
		cleanup_close(&fd);
		return true;
	}
	while (fit && (d = readdir(dir)) != NULL)
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			fit = outputs_fit(dirfd(dir), d->d_name, depth + 1, room);
	closedir(dir);
	return fit;
}

int
outputs_measure(int scratchfd, const struct run_spec_output *o, uint64_t *room,
    const char **ret_reason, struct buf *detail, struct err *e)
{
	CLEANUP(cleanup_close) int parent = -1;
	CLEANUP(cleanup_free) char *path = buf_strdup(o->path, e);
	uint64_t left = *room;
	char *slash;

	if (path == NULL)
		return -1;
	*ret_reason = NULL;
	slash = strrchr(path, '/');
	if (slash != NULL)
		*slash = '\0';
	parent = fd_open_beneath(scratchfd, slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY, 0, e);
	if (parent < 0)
		return 0;
	if (outputs_fit(parent, slash != NULL ? slash + 1 : path, 0, &left)) {
		*room = left;
		return 0;
	}
	buf_addf(detail, "%s: too long: the outputs may add up to what was free when the run"
	    " began, of which %llu bytes are left", o->path, (unsigned long long)*room);
	*ret_reason = "unsupported";
	return 0;
}

/* The reason in one of the certificate's words. */
static const char *
outputs_look(int scratchfd, const struct run_spec_output *o, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(scratchfd, o->path, O_PATH | O_NOFOLLOW, 0, e);
	struct stat st;

	if (fd < 0 && e->code == ERR_NOTFOUND)
		return "absent";
	if (fd < 0 && e->code == ERR_DENIED)
		return "symlink";
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (fd < 0 && e->sys == ENOTDIR)
			return "absent";
		err_set(e, ERR_DENIED, "%s: cannot be looked at", o->path);
		return "unreadable";
	}
	if (S_ISLNK(st.st_mode)) {
		err_set(e, ERR_DENIED, "%s: is a symbolic link", o->path);
		return "symlink";
	}
	if (o->type == OBJECT_TREE ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode))
		return NULL;
	err_set(e, ERR_DENIED, "%s: is not a %s; a directory is declared with a '/' at the end",
	    o->path, o->type == OBJECT_TREE ? "directory" : "regular file");
	return "wrong-type";
}

/* Failures that are the output's own, not the machine's. */
static const char *
outputs_reason(const struct err *e)
{
	switch (e->code) {
	case ERR_FORMAT:
	case ERR_SPEC:
	case ERR_UNSUPPORTED:
	case ERR_REFUSED:
	case ERR_LIMIT:
	case ERR_DENIED: /* by our rules; the system's own refusals are ERR_IO */
		return "unsupported";
	default:
		return e->sys == EACCES || e->sys == EPERM ? "unreadable" : NULL;
	}
}

static int
outputs_fill(const struct run_spec_output *o, const struct ingest_result *got, struct resource *ret,
    struct err *e)
{
	struct resource r = {.type = got->type, .size = got->size, .digests.sha256 = got->id};

	r.path = buf_strdup(o->path, e);
	r.kind = buf_strdup(o->kind, e);
	if (r.path == NULL || r.kind == NULL) {
		resource_free(&r);
		return -1;
	}
	*ret = r;
	return 0;
}

int
outputs_take(struct store *s, int scratchfd, const struct run_spec_output *o, struct resource *ret,
    const char **ret_reason, struct buf *detail, struct err *e)
{
	struct ingest_result got;
	const char *reason = outputs_look(scratchfd, o, e);
	unsigned flags = INGEST_ADOPT | (o->type == OBJECT_TREE ? INGEST_DIRECTORIES : 0);

	if (reason == NULL && ingest_path(s, scratchfd, o->path, flags, NULL, &got, e) != 0) {
		reason = outputs_reason(e);
		if (reason == NULL)
			return err_prefix(e, "output %s", o->path);
	}
	if (reason != NULL) {
		buf_adds(detail, e->msg);
		*ret_reason = reason;
		return 0;
	}
	*ret_reason = NULL;
	return outputs_fill(o, &got, ret, e);
}
