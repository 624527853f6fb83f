#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/atomic-file.h"
#include "base/buf.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/timestamp.h"
#include "store/gc-state.h"
#include "store/kept.h"
#include "store/lease.h"

#define GC_LITTER_MAX 1000000
#define GC_LITTER_DEPTH 64
#define GC_LITTER_PART_S (14 * 86400)   /* somebody may still go on with it */
#define GC_LITTER_INIT_S 60             /* a store that is being made */

static const char *const gc_litter_parted[] = {"fetch", "upload"};

static bool
gc_litter_is_parts(const char *name)
{
	for (size_t i = 0; i < sizeof gc_litter_parted / sizeof *gc_litter_parted; i++)
		if (strcmp(name, gc_litter_parted[i]) == 0)
			return true;
	return false;
}

static void
gc_litter_gone(struct gc *g, const char *path)
{
	g->r.litter++;
	if (g->o->on_litter != NULL)
		g->o->on_litter(g->o->arg, path);
}

static int64_t
gc_litter_age(const struct stat *st)
{
	return timestamp_now() - st->st_mtim.tv_sec;
}

/* Its owner would flock it. Returns the descriptor with our lock on it, or -1. */
static int
gc_litter_take(int dirfd, const char *name)
{
	struct err ignored;
	int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &ignored);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* To work in tmp/ one has a lease: what is older than every living one has no owner. */
static bool
gc_litter_orphan(const struct gc *g, const struct stat *st)
{
	return st->st_mtim.tv_sec < lease_set_oldest(&g->leases);
}

static bool
gc_litter_starts(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Runs are locked and looked at under the flock of tmp/ (run/run-dir.h). */
static int
gc_litter_tmp_entry(struct gc *g, const char *name, const struct stat *st, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "tmp/%s", name);
	CLEANUP(cleanup_close) int fd = -1;
	bool locks = gc_litter_starts(name, "run-") || gc_litter_starts(name, "object-");

	if (path == NULL)
		return -1;
	if (!locks && !gc_litter_orphan(g, st))
		return 0;
	fd = gc_litter_take(store_tmp_fd(g->s), name);
	if (fd < 0 && !S_ISLNK(st->st_mode))
		return 0;
	if (!g->o->dry_run && fd_remove_tree(store_tmp_fd(g->s), name, e) != 0)
		return err_prefix(e, "%s", store_path(g->s));
	gc_litter_gone(g, path);
	return 0;
}

/* dir: of parts that another process may go on with, flocked by who does just now. */
static int
gc_litter_parts(struct gc *g, const char *dir, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int dirfd = fd_open_beneath(store_tmp_fd(g->s), dir,
	    O_RDONLY | O_DIRECTORY, 0, e);

	if (dirfd < 0)
		return e->code == ERR_NOTFOUND || e->code == ERR_DENIED ? 0 : -1;
	if (dir_walk_list(dirfd, ".", GC_LITTER_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_close) int fd = gc_litter_take(dirfd, names.names[i]);
		CLEANUP(cleanup_free) char *path = buf_strfmt(e, "tmp/%s/%s", dir, names.names[i]);
		struct stat st;

		if (path == NULL)
			return -1;
		if (fd < 0 || fstat(fd, &st) != 0 || gc_litter_age(&st) < GC_LITTER_PART_S)
			continue;
		if (!g->o->dry_run && unlinkat(dirfd, names.names[i], 0) != 0 && errno != ENOENT)
			return err_sys(e, "%s/%s: cannot remove", store_path(g->s), path);
		gc_litter_gone(g, path);
	}
	if (!g->o->dry_run)
		unlinkat(store_tmp_fd(g->s), dir, AT_REMOVEDIR); /* when it is empty */
	return 0;
}

/* Under the gate: no lease is new that is not known here, and nothing in tmp/ is between
 * its making and its lock. */
static int
gc_litter_tmp_locked(struct gc *g, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int all = -1;

	if (lease_set_end(&g->leases, e) != 0)
		return -1;
	all = fd_open_beneath(store_tmp_fd(g->s), ".", O_RDONLY | O_DIRECTORY, 0, e);
	if (all < 0)
		return -1;
	if (flock(all, LOCK_EX | LOCK_NB) != 0)
		return 0; /* a run begins just now; the next gc will see */
	if (dir_walk_list(store_tmp_fd(g->s), ".", GC_LITTER_MAX, &names, e) != 0)
		return err_prefix(e, "%s/tmp", store_path(g->s));
	for (size_t i = 0; i < names.count; i++) {
		struct stat st;

		if (gc_litter_starts(names.names[i], LEASE_PREFIX) || gc_litter_is_parts(names.names[i]) ||
		    fstatat(store_tmp_fd(g->s), names.names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (gc_litter_tmp_entry(g, names.names[i], &st, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof gc_litter_parted / sizeof *gc_litter_parted; i++)
		if (gc_litter_parts(g, gc_litter_parted[i], e) != 0)
			return -1;
	return 0;
}

static int
gc_litter_tmp(struct gc *g, struct err *e)
{
	int rc;

	if (lease_gate_lock(g->gate, LOCK_EX, e) != 0)
		return err_prefix(e, "%s", store_path(g->s));
	rc = gc_litter_tmp_locked(g, e);
	lease_gate_unlock(g->gate);
	return rc;
}

static bool
gc_litter_ends(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0;
}

/* "x.lock" that nobody holds, and what is on its way to be one: who has just made it and
 * comes to flock it makes another. */
static bool
gc_litter_lock(struct gc *g, int dirfd, const char *name)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (strcmp(name, LEASE_GC ".lock") == 0)
		return false; /* our own */
	if (!g->o->dry_run)
		return atomic_file_sweep_lock(dirfd, name);
	fd = gc_litter_take(dirfd, name);
	return fd >= 0;
}

/* "x.tmp-<hex>": its writer holds the lock of x. */
static bool
gc_litter_written(struct gc *g, int dirfd, const char *name)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(cleanup_free) char *target = strdup(name);
	struct err ignored;
	char *tmp = target != NULL ? strstr(target, ".tmp-") : NULL;

	if (tmp == NULL)
		return false;
	*tmp = '\0';
	if (atomic_file_lock(&lock, dirfd, target, 0, &ignored) != 0)
		return false;
	return g->o->dry_run || unlinkat(dirfd, name, 0) == 0;
}

static void
gc_litter_name(struct gc *g, int dirfd, const char *dir, const char *name)
{
	char path[1200];
	bool gone = false;

	if (gc_litter_ends(name, ".lock") || strstr(name, ".lock.tmp-") != NULL)
		gone = gc_litter_lock(g, dirfd, name);
	else if (strstr(name, ".tmp-") != NULL)
		gone = gc_litter_written(g, dirfd, name);
	if (!gone)
		return;
	snprintf(path, sizeof path, "%s%s%s", dir, *dir != '\0' ? "/" : "", name);
	gc_litter_gone(g, path);
}

/* dir: "" (not what is beneath it), refs, logs, runs, quarantine, or a directory beneath
 * those. */
static int
gc_litter_dir(struct gc *g, const char *dir, int depth, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = -1;

	if (depth > GC_LITTER_DEPTH)
		return 0;
	fd = fd_open_beneath(store_dirfd(g->s), *dir != '\0' ? dir : ".", O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (dir_walk_list(fd, ".", GC_LITTER_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct stat st;

		if (fstatat(fd, names.names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && *dir != '\0') {
			CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", dir, names.names[i]);

			if (path == NULL || gc_litter_dir(g, path, depth + 1, e) != 0)
				return -1;
		} else if (S_ISREG(st.st_mode)) {
			gc_litter_name(g, fd, dir, names.names[i]);
		}
	}
	return 0;
}

/* An init that died; another one that lives loses against the store that is there. */
static int
gc_litter_init(struct gc *g, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (dir_walk_list(store_worktree_fd(g->s), ".", GC_LITTER_MAX, &names, NULL) != 0)
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.names[i];
		struct stat st;

		if (!gc_litter_starts(name, STORE_NAME ".tmp-") || strlen(name) != strlen(STORE_NAME) + 21 ||
		    fstatat(store_worktree_fd(g->s), name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISDIR(st.st_mode) || gc_litter_age(&st) < GC_LITTER_INIT_S)
			continue;
		if (!g->o->dry_run && fd_remove_tree(store_worktree_fd(g->s), name, e) != 0)
			return err_prefix(e, "%s", store_worktree(g->s));
		gc_litter_gone(g, name);
	}
	return 0;
}

/* Inputs that were kept for a next run which did not come. */
static int
gc_litter_kept(struct gc *g, struct err *e)
{
	size_t count = 0;

	if (!g->o->dry_run && kept_sweep(g->s, KEPT_AGE_SECONDS, &count, e) != 0)
		return -1;
	g->r.litter += count;
	return 0;
}

int
gc_litter_run(struct gc *g, struct err *e)
{
	return gc_litter_tmp(g, e) != 0 || gc_litter_kept(g, e) != 0 || gc_litter_dir(g, "", 0, e) != 0 ||
	    gc_litter_dir(g, "refs", 0, e) != 0 || gc_litter_dir(g, "logs", 0, e) != 0 ||
	    gc_litter_dir(g, "runs", 0, e) != 0 || gc_litter_dir(g, "quarantine", 0, e) != 0 ||
	    gc_litter_init(g, e) != 0 ? -1 : 0;
}
