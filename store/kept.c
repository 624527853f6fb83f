#include "store/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/interrupt.h"
#include "object/tree.h"
#include "store/ingest.h"

#define KEPT_DIR "kept"
#define KEPT_SIZE_MIN 65536     /* a shorter file is copied sooner than looked for */
#define KEPT_FREE_SHARE 10      /* one part in so many must be free */
#define KEPT_ENTRIES_MAX 10000000

static int
kept_open(struct store *s, bool create, struct err *e)
{
	if (create && mkdirat(store_dirfd(s), KEPT_DIR, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "%s/" KEPT_DIR ": cannot create", store_path(s));
	return fd_open_beneath(store_dirfd(s), KEPT_DIR, O_RDONLY | O_DIRECTORY, 0, e);
}

bool
kept_full(struct store *s)
{
	struct statvfs v;

	return fstatvfs(store_dirfd(s), &v) != 0 || v.f_bavail < v.f_blocks / KEPT_FREE_SHARE;
}

static bool
kept_worth(const struct resource *r)
{
	return r->type == OBJECT_TREE || r->size >= KEPT_SIZE_MIN;
}

/* --- is it what was laid out? --- */

static int kept_check_dir(int dirfd, const char *name, int depth, struct err *e);

/* 1: ours, of one name, with a mode that laying out gives */
static int
kept_check(int dirfd, const char *name, int depth, struct err *e)
{
	struct stat st;
	mode_t mode;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s: cannot look at a kept input", name);
	mode = st.st_mode & 07777;
	if (st.st_uid != geteuid())
		return 0;
	if (S_ISLNK(st.st_mode))
		return st.st_nlink == 1;
	if (S_ISREG(st.st_mode))
		return st.st_nlink == 1 && (mode == 0444 || (mode == 0555 && depth > 0));
	if (!S_ISDIR(st.st_mode) || mode != 0555)
		return 0;
	return kept_check_dir(dirfd, name, depth, e);
}

static int
kept_check_dir(int dirfd, const char *name, int depth, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	int rc = 1;

	if (depth > TREE_DEPTH_MAX)
		return 0;
	fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0 || dir_walk_list(fd, ".", KEPT_ENTRIES_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; rc == 1 && i < names.count; i++)
		rc = interrupt_check(e) != 0 ? -1 : kept_check(fd, names.names[i], depth + 1, e);
	return rc;
}

static int
kept_same(int dirfd, const char *name, const struct resource *r, struct err *e)
{
	struct ingest_result now;
	int rc = kept_check(dirfd, name, 0, e);

	if (rc != 1)
		return rc;
	if (ingest_path(NULL, dirfd, name, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &now, e) != 0)
		return -1;
	return now.type == r->type && now.size == r->size && oid_equal(&now.id, &r->digests.sha256);
}

/* --- in and out --- */

/* A directory changes its parent only when it can be written. */
static int
kept_unlock(int dirfd, const char *name, const struct resource *r)
{
	CLEANUP(cleanup_close) int fd = -1;

	if (r->type != OBJECT_TREE)
		return 0;
	fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, NULL);
	return fd < 0 ? -1 : fchmod(fd, 0700);
}

static int
kept_lock(int dirfd, const char *name, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, name, O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return -1;
	return fchmod(fd, 0555) == 0 ? 0 : err_sys(e, "%s: cannot make read-only", name);
}

int
kept_take(struct store *s, const struct resource *r, int dirfd, const char *name, bool *ret_taken,
    struct err *e)
{
	CLEANUP(cleanup_close) int kept = -1;
	char hex[OID_HEX_SIZE];
	struct err why;
	int rc;

	*ret_taken = false;
	if (!kept_worth(r) || store_read_only(s))
		return 0;
	kept = kept_open(s, false, &why);
	oid_hex(&r->digests.sha256, hex);
	if (kept < 0 || renameat2(kept, hex, dirfd, name, RENAME_NOREPLACE) != 0)
		return 0; /* there is none, or it cannot be had: it is laid out */
	rc = r->type == OBJECT_TREE ? kept_lock(dirfd, name, &why) : 0;
	if (rc == 0)
		rc = kept_same(dirfd, name, r, &why);
	*ret_taken = rc == 1;
	if (rc == 1)
		return 0;
	if (rc < 0 && why.code == ERR_CANCELLED)
		return err_set(e, ERR_CANCELLED, "%s", why.msg);
	return fd_remove_tree(dirfd, name, e);
}

void
kept_give(struct store *s, const struct resource *r, int dirfd, const char *name)
{
	CLEANUP(cleanup_close) int kept = -1;
	char hex[OID_HEX_SIZE];

	if (!kept_worth(r) || store_read_only(s) || kept_full(s))
		return;
	kept = kept_open(s, true, NULL);
	if (kept < 0 || kept_unlock(dirfd, name, r) != 0)
		return;
	oid_hex(&r->digests.sha256, hex);
	(void)renameat2(dirfd, name, kept, hex, RENAME_NOREPLACE);
}

/* --- swept --- */

static int
kept_remove(struct store *s, int kept, const char *name, int64_t seconds, size_t *count,
    struct err *e)
{
	CLEANUP(cleanup_free) char *dir = NULL;
	struct timespec now;
	struct stat st;
	int rc = 0;
	int fd;

	clock_gettime(CLOCK_REALTIME, &now);
	if (fstatat(kept, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (seconds > 0 && (int64_t)now.tv_sec - (int64_t)st.st_ctim.tv_sec < seconds))
		return 0;
	if (store_tmp_dir(s, "kept", &dir, e) != 0)
		return -1;
	fd = fd_open_beneath(store_tmp_fd(s), dir, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		rc = -1;
	else if (renameat(kept, name, fd, "x") == 0) /* a run may have been faster */
		++*count;
	cleanup_close(&fd);
	return fd_remove_tree(store_tmp_fd(s), dir, e) != 0 ? -1 : rc;
}

int
kept_sweep(struct store *s, int64_t seconds, size_t *ret_count, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	CLEANUP(cleanup_close) int kept = kept_open(s, false, e);
	size_t count = 0;

	if (kept < 0 && e->code == ERR_NOTFOUND) {
		*ret_count = 0;
		return 0;
	}
	if (kept < 0 || dir_walk_list(kept, ".", KEPT_ENTRIES_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (kept_remove(s, kept, names.names[i], seconds, &count, e) != 0)
			return err_prefix(e, "%s/" KEPT_DIR "/%s", store_path(s), names.names[i]);
	*ret_count = count;
	return 0;
}
