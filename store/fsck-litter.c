#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "store/fsck-state.h"
#include "store/lease.h"
#include "store/refs.h"

#define FSCK_LITTER_MAX 1000000
#define FSCK_LITTER_DEPTH 64

/* A lock whose holder lives is flocked: that is no litter. */
static bool
fsck_litter_held(int dirfd, const char *name)
{
	struct err ignored;
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK, 0, &ignored);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

static void
fsck_litter_name(struct fsck *f, const char *path)
{
	size_t len = strlen(path);

	if (len > 5 && strcmp(path + len - 5, ".lock") == 0) {
		if (!fsck_litter_held(store_dirfd(f->s), path))
			fsck_state_say(f, FSCK_LITTER, "%s: a lock that nobody holds", path);
	} else if (strstr(path, ".tmp-") != NULL) {
		fsck_state_say(f, FSCK_LITTER, "%s: left by a writer that died, or in use", path);
	} else if (strncmp(path, "runs/", 5) == 0) {
		if (strlen(path) != 5 + 64 || !hex_is(path + 5, 64))
			fsck_state_say(f, FSCK_LITTER, "%s: not the record of a run", path);
	} else if (strncmp(path, "quarantine/", 11) == 0) {
		return; /* evidence */
	} else if (strncmp(path, "refs/", 5) == 0 ? !refs_name_ok(path) : !refs_name_ok(path + 5)) {
		fsck_state_say(f, FSCK_LITTER, "%s: not the name of a ref", path);
	}
}

/* dir: refs, logs, runs or quarantine, or beneath */
static int
fsck_litter_dir(struct fsck *f, const char *dir, int depth)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int fd = -1;

	if (depth > FSCK_LITTER_DEPTH)
		return 0;
	fd = fd_open_beneath(store_dirfd(f->s), dir, O_RDONLY | O_DIRECTORY, 0, f->e);
	if (fd < 0 || dir_walk_list(fd, ".", FSCK_LITTER_MAX, &names, f->e) != 0)
		return f->e->code == ERR_NOTFOUND ? 0 : fsck_state_finding(f, dir);
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_free) char *path = buf_strfmt(f->e, "%s/%s", dir, names.names[i]);
		struct stat st;

		if (path == NULL)
			return -1;
		if (fstatat(fd, names.names[i], &st, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			if (fsck_litter_dir(f, path, depth + 1) != 0)
				return -1;
		} else {
			fsck_litter_name(f, path);
		}
	}
	return 0;
}

static int
fsck_litter_tmp(struct fsck *f)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (dir_walk_list(store_dirfd(f->s), "tmp", FSCK_LITTER_MAX, &names, f->e) != 0)
		return f->e->code == ERR_NOTFOUND ? 0 : fsck_state_finding(f, "tmp");
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_free) char *path = buf_strfmt(f->e, "tmp/%s", names.names[i]);

		if (path == NULL)
			return -1;
		if (!fsck_litter_held(store_dirfd(f->s), path))
			fsck_state_say(f, FSCK_LITTER, "%s: left by a process that died, or in use", path);
	}
	return 0;
}

static int
fsck_litter_top(struct fsck *f)
{
	static const char *const known[] = {".gitignore", "HEAD", "config", LEASE_GATE, "in-place.db",
	    "in-place.db-journal", "index.db", "index.db-journal", "kept", "logs", "objects",
	    "quarantine", "refs", "runs", "serve", "tmp"};
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (dir_walk_list(store_dirfd(f->s), ".", FSCK_LITTER_MAX, &names, f->e) != 0)
		return fsck_state_finding(f, "the store");
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.names[i];
		size_t len = strlen(name), k;

		for (k = 0; k < sizeof known / sizeof *known && strcmp(known[k], name) != 0; k++)
			;
		if (k < sizeof known / sizeof *known)
			continue;
		if (len > 5 && strcmp(name + len - 5, ".lock") == 0 &&
		    fsck_litter_held(store_dirfd(f->s), name))
			continue;
		fsck_state_say(f, FSCK_LITTER, "%s: does not belong to a store", name);
	}
	return 0;
}

int
fsck_litter_gate(struct fsck *f)
{
	int dirfd = store_dirfd(f->s);
	struct stat st;

	if (fstatat(dirfd, LEASE_GATE, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(st.st_mode))
		return 0;
	if ((f->o->flags & FSCK_REPAIR) != 0 &&
	    unlinkat(dirfd, LEASE_GATE, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) == 0)
		fsck_state_say(f, FSCK_REPAIRED, LEASE_GATE ": was not a regular file; removed, it is made again");
	else
		fsck_state_say(f, FSCK_DAMAGE, LEASE_GATE ": not a regular file, so nothing can be written;"
		    " remove it, it is made again");
	return 0;
}

int
fsck_litter_run(struct fsck *f)
{
	return fsck_litter_top(f) != 0 || fsck_litter_tmp(f) != 0 ||
	    fsck_litter_dir(f, "refs", 0) != 0 || fsck_litter_dir(f, "logs", 0) != 0 ||
	    fsck_litter_dir(f, "runs", 0) != 0 || fsck_litter_dir(f, "quarantine", 0) != 0 ? -1 : 0;
}
