#include "base/atomic-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include "base/fd.h"
#include "base/lock-holder.h"

#define ATOMIC_FILE_POLL_MS 10
#define ATOMIC_FILE_SWEPT 2
#define ATOMIC_FILE_SWEPT_MAX 1000

static char *
atomic_file_tmp_name(const char *name, struct err *e)
{
	uint64_t nonce;

	if (getrandom(&nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce) {
		err_sys(e, "cannot get random bytes");
		return NULL;
	}
	return buf_strfmt(e, "%s.tmp-%016" PRIx64, name, nonce);
}

/* fsync of the directory that holds name beneath dirfd. */
static int
atomic_file_sync_dir(int dirfd, const char *name, struct err *e)
{
	const char *slash = strrchr(name, '/');
	CLEANUP(cleanup_free) char *parent = slash != NULL ?
	    strndup(name, (size_t)(slash - name)) : strdup(".");
	CLEANUP(cleanup_close) int fd = -1;

	if (parent == NULL)
		return err_nomem(e);
	fd = openat(dirfd, *parent != '\0' ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s: cannot open the directory", parent);
	return fd_sync(fd, parent, e);
}

static int
atomic_file_fill(int dirfd, const char *tmp, const void *data, size_t len, mode_t mode, struct err *e)
{
	CLEANUP(cleanup_close) int fd = openat(dirfd, tmp,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

	if (fd < 0)
		return err_sys(e, "%s: cannot create", tmp);
	if (fd_write_all(fd, data, len, tmp, e) != 0 || fd_sync(fd, tmp, e) != 0)
		return -1;
	return fd_close(&fd, tmp, e);
}

int
atomic_file_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
    struct err *e)
{
	CLEANUP(cleanup_free) char *tmp = atomic_file_tmp_name(name, e);

	if (tmp == NULL)
		return -1;
	if (atomic_file_fill(dirfd, tmp, data, len, mode, e) != 0)
		goto undo;
	if (renameat(dirfd, tmp, dirfd, name) != 0) {
		err_sys(e, "%s: cannot rename into place", name);
		goto undo;
	}
	return atomic_file_sync_dir(dirfd, name, e);
undo:
	unlinkat(dirfd, tmp, 0);
	return -1;
}

/* Who holds the lock, a line of lock-holder.h; false when it cannot be read. */
static bool
atomic_file_holder(int dirfd, const char *lock_name, char *ret, size_t cap)
{
	CLEANUP(cleanup_close) int fd = openat(dirfd, lock_name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, ret, cap - 1);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}

/*
 * The holder keeps flock(2) on its lock file, so a lock that can be locked has
 * lost its holder.  It is removed under that flock and only while the name
 * still means the same file: two breakers cannot take a third one's lock.
 */
static bool
atomic_file_break_stale(int dirfd, const char *lock_name)
{
	CLEANUP(cleanup_close) int fd = openat(dirfd, lock_name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat opened, named;

	if (fd < 0)
		return errno == ENOENT;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return false;
	if (fstat(fd, &opened) != 0 || fstatat(dirfd, lock_name, &named, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT;
	if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev)
		return true;
	return unlinkat(dirfd, lock_name, 0) == 0;
}

/* A file of our own that says who we are, flocked, not yet under the lock's name. */
static int
atomic_file_prepare(struct atomic_file_lock *l, const char *tmp, struct err *e)
{
	char self[LOCK_HOLDER_SIZE], holder[LOCK_HOLDER_SIZE + 1];
	struct err why;
	int n;

	lock_holder_self(self);
	n = snprintf(holder, sizeof holder, "%s\n", self);
	l->fd = openat(l->dirfd, tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (l->fd < 0)
		return err_sys(e, "%s: cannot create the lock", l->lock_name);
	/* waits, but not long: others only try whether it is locked */
	if (flock(l->fd, LOCK_EX) != 0)
		return err_sys(e, "%s: cannot lock", l->lock_name);
	/* who holds it is for people to know, and a gc on a full disk makes room */
	if (fd_write_all(l->fd, holder, (size_t)n, l->lock_name, &why) == 0 || why.sys == ENOSPC ||
	    why.sys == EDQUOT)
		return 0;
	if (e != NULL)
		*e = why;
	return -1;
}

/* 1: taken, 0: held by another, ATOMIC_FILE_SWEPT: who looked for litter took our file
 * for some before we had locked it, -1: error */
static int
atomic_file_try_lock(struct atomic_file_lock *l, const char *tmp, struct err *e)
{
	if (linkat(l->dirfd, tmp, l->dirfd, l->lock_name, 0) == 0)
		return 1;
	if (errno == EEXIST)
		return 0;
	if (errno == ENOENT && faccessat(l->dirfd, tmp, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return ATOMIC_FILE_SWEPT;
	return err_sys(e, "%s: cannot create the lock", l->lock_name);
}

/* 0: taken, ATOMIC_FILE_SWEPT, -1: error */
static int
atomic_file_wait(struct atomic_file_lock *l, const char *tmp, int timeout_ms, struct err *e)
{
	const struct timespec pause = {.tv_nsec = ATOMIC_FILE_POLL_MS * 1000000L};

	for (int waited = 0;; waited += ATOMIC_FILE_POLL_MS) {
		char holder[LOCK_HOLDER_SIZE], who[2 * LOCK_HOLDER_SIZE] = "an unknown process";
		int rc = atomic_file_try_lock(l, tmp, e);

		if (rc != 0)
			return rc == 1 ? 0 : rc;
		if (atomic_file_break_stale(l->dirfd, l->lock_name))
			continue;
		if (waited >= timeout_ms) {
			if (atomic_file_holder(l->dirfd, l->lock_name, holder, sizeof holder))
				lock_holder_say(holder, who, sizeof who);
			return err_set(e, ERR_BUSY, "%s: held by %s", l->lock_name, who);
		}
		nanosleep(&pause, NULL);
	}
}

static int
atomic_file_take_once(struct atomic_file_lock *l, int timeout_ms, struct err *e)
{
	CLEANUP(cleanup_free) char *tmp = atomic_file_tmp_name(l->lock_name, e);
	int rc;

	if (tmp == NULL)
		return -1;
	rc = atomic_file_prepare(l, tmp, e);
	if (rc == 0)
		rc = atomic_file_wait(l, tmp, timeout_ms, e);
	unlinkat(l->dirfd, tmp, 0);
	if (rc != 0 && l->fd >= 0) {
		close(l->fd);
		l->fd = -1; /* not held: unlock must leave the name alone */
	}
	return rc;
}

static int
atomic_file_take(struct atomic_file_lock *l, int timeout_ms, struct err *e)
{
	int rc = ATOMIC_FILE_SWEPT;

	for (int i = 0; rc == ATOMIC_FILE_SWEPT && i < ATOMIC_FILE_SWEPT_MAX; i++)
		rc = atomic_file_take_once(l, timeout_ms, e);
	return rc != ATOMIC_FILE_SWEPT ? rc :
	    err_set(e, ERR_BUSY, "%s: another process keeps removing it", l->lock_name);
}

bool
atomic_file_sweep_lock(int dirfd, const char *lock_name)
{
	return atomic_file_break_stale(dirfd, lock_name) &&
	    faccessat(dirfd, lock_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

int
atomic_file_lock(struct atomic_file_lock *ret, int dirfd, const char *name, int timeout_ms,
    struct err *e)
{
	struct atomic_file_lock l = {.dirfd = dirfd, .fd = -1};

	l.name = buf_strdup(name, e);
	l.lock_name = buf_strfmt(e, "%s.lock", name);
	if (l.name == NULL || l.lock_name == NULL || atomic_file_take(&l, timeout_ms, e) != 0) {
		atomic_file_unlock(&l);
		return -1;
	}
	*ret = l;
	return 0;
}

int
atomic_file_lock_commit(struct atomic_file_lock *l, const void *data, size_t len, struct err *e)
{
	/* The holder's line stays in the lock file until the very end: the new
	 * content is a file of its own, renamed first. */
	int rc = atomic_file_write(l->dirfd, l->name, data, len, 0644, e);

	atomic_file_unlock(l);
	return rc;
}

void
atomic_file_unlock(struct atomic_file_lock *l)
{
	if (l->fd >= 0) {
		unlinkat(l->dirfd, l->lock_name, 0);
		close(l->fd);
	}
	free(l->name);
	free(l->lock_name);
	*l = (struct atomic_file_lock)ATOMIC_FILE_LOCK_INIT;
}
