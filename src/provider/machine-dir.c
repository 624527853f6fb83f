#include "provider/machine-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/lock-holder.h"
#include "crypto/random.h"
#include "provider/process.h"
#include "store/config.h"

#define MACHINE_DIR_ALL "machines"
#define MACHINE_DIR_LOCK "lock"
#define MACHINE_DIR_GUARD ".lock"   /* held while directories come and go */
#define MACHINE_DIR_SWEEPS 8
#define MACHINE_DIR_SWEEP_MS 20

/* The directory of all of them, and its guard.  make: is made where it is missing;
 * else *ret is -1 where there is none. */
static int
machine_dir_open_all(bool make, int *ret, int *ret_guard, struct err *e)
{
	CLEANUP(cleanup_free) char *data = NULL;
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(cleanup_close) int dir = -1;

	*ret = *ret_guard = -1;
	if (config_dir_data(&data, e) != 0)
		return -1;
	path = buf_strfmt(e, "%s/" MACHINE_DIR_ALL, data);
	if (path == NULL)
		return -1;
	if (make && config_dir_make(path, e) != 0)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT && !make ? 0 : err_sys(e, "%s", path);
	*ret_guard = openat(dir, MACHINE_DIR_GUARD, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*ret_guard < 0 || flock(*ret_guard, LOCK_EX) != 0) {
		if (*ret_guard >= 0)
			close(*ret_guard);
		*ret_guard = -1;
		return err_sys(e, "%s/" MACHINE_DIR_GUARD, path);
	}
	*ret = dir;
	dir = -1;
	return 0;
}

static int
machine_dir_lock(int all, struct machine_dir *d, struct err *e)
{
	char name[MACHINE_TAG_SIZE + 8], holder[LOCK_HOLDER_SIZE];

	snprintf(name, sizeof name, "%s/" MACHINE_DIR_LOCK, d->tag);
	d->lock = openat(all, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* who looks whether it is free holds it for a moment */
	if (d->lock < 0 || flock(d->lock, LOCK_EX) != 0)
		return err_sys(e, "%s/" MACHINE_DIR_LOCK, d->path);
	lock_holder_self(holder);
	return fd_write_all(d->lock, holder, strlen(holder), d->path, e);
}

int
machine_dir_make(const char *kind, struct machine_dir *ret, struct err *e)
{
	CLEANUP(cleanup_close) int all = -1, guard = -1;
	CLEANUP(cleanup_free) char *data = NULL;
	struct machine_dir d = MACHINE_DIR_INIT;
	unsigned char random[8];
	char hex[2 * sizeof random + 1];

	if (random_bytes(random, sizeof random, e) != 0 || config_dir_data(&data, e) != 0 ||
	    machine_dir_open_all(true, &all, &guard, e) != 0)
		return -1;
	hex_encode(hex, random, sizeof random);
	snprintf(d.tag, sizeof d.tag, "%.6s-%s", kind, hex);
	d.path = buf_strfmt(e, "%s/" MACHINE_DIR_ALL "/%s", data, d.tag);
	if (d.path == NULL)
		return -1;
	if (mkdirat(all, d.tag, 0700) != 0) {
		err_sys(e, "%s", d.path);
		free(d.path);
		return -1;
	}
	if (machine_dir_lock(all, &d, e) != 0) {
		machine_dir_remove(&d);
		return -1;
	}
	*ret = d;
	return 0;
}

void
machine_dir_remove(struct machine_dir *d)
{
	struct err e;

	if (d->path != NULL && fd_remove_tree(AT_FDCWD, d->path, &e) != 0)
		errno = 0; /* aicert runner reap finds it */
	if (d->lock >= 0)
		close(d->lock);
	free(d->path);
	*d = (struct machine_dir)MACHINE_DIR_INIT;
}

/* False: somebody lives in it.  *ret keeps the lock, where there is one. */
static bool
machine_dir_is_free(int all, const char *tag, int *ret)
{
	char name[MACHINE_TAG_SIZE + 8];

	snprintf(name, sizeof name, "%.23s/" MACHINE_DIR_LOCK, tag);
	*ret = openat(all, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 || flock(*ret, LOCK_EX | LOCK_NB) == 0;
}

static void
machine_dir_holder(int lock, char ret[MACHINE_DIR_HOLDER])
{
	char line[LOCK_HOLDER_SIZE] = "";
	size_t n = 0;

	if (lock >= 0 && fd_read_upto(lock, line, sizeof line - 1, &n, MACHINE_DIR_LOCK, NULL) == 0)
		line[n] = '\0';
	if (n == 0)
		snprintf(ret, MACHINE_DIR_HOLDER, "nobody");
	else
		lock_holder_say(line, ret, MACHINE_DIR_HOLDER);
}

/* "<kind>-" and 16 digits. */
static bool
machine_dir_is(const char *name, const char *kind)
{
	size_t len = strlen(kind);

	return strncmp(name, kind, len) == 0 && name[len] == '-' && strlen(name + len + 1) == 16 &&
	    hex_is(name + len + 1, 16);
}

int
machine_dir_each(const char *kind, machine_dir_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_close) int all = -1, guard = -1;
	const struct dirent *entry;
	DIR *dir;
	int rc = 0, copy;

	if (machine_dir_open_all(false, &all, &guard, e) != 0)
		return -1;
	if (all < 0)
		return 0;
	copy = fcntl(all, F_DUPFD_CLOEXEC, 0);
	dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return err_sys(e, MACHINE_DIR_ALL);
	}
	close(guard); /* fn may want it */
	guard = -1;
	while (rc == 0 && (entry = readdir(dir)) != NULL) {
		CLEANUP(cleanup_close) int lock = -1;
		char holder[MACHINE_DIR_HOLDER];
		bool is_free;

		if (!machine_dir_is(entry->d_name, kind))
			continue;
		is_free = machine_dir_is_free(all, entry->d_name, &lock);
		machine_dir_holder(lock, holder);
		if (lock >= 0)
			close(lock);
		lock = -1;
		rc = fn(arg, entry->d_name, holder, !is_free, e);
	}
	closedir(dir);
	return rc;
}

int
machine_dir_reap(const char *tag, struct err *e)
{
	CLEANUP(cleanup_close) int all = -1, guard = -1, lock = -1;

	if (machine_dir_open_all(false, &all, &guard, e) != 0)
		return -1;
	if (all < 0)
		return 0;
	if (!machine_dir_is_free(all, tag, &lock))
		return err_set(e, ERR_BUSY, "machine %s is in use", tag);
	/* what is killed may have begun to start another */
	for (size_t i = 0; i < MACHINE_DIR_SWEEPS && process_sweep(tag) > 0; i++)
		poll(NULL, 0, MACHINE_DIR_SWEEP_MS);
	return fd_remove_tree(all, tag, e);
}
