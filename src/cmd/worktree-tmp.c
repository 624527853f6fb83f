#include "cmd/worktree-tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include "base/dir-walk.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/interrupt.h"
#include "cmd/worktree.h"
#include "crypto/random.h"
#include "store/ingest.h"

#define WORKTREE_TMP_HEX 16
#define WORKTREE_TMP_NAME 200           /* of the file's own, so that there is room for the rest */
#define WORKTREE_TMP_ENTRIES 10000000
#define WORKTREE_TMP_WAIT_MS 10000
#define WORKTREE_TMP_POLL_MS 10

static const char worktree_tmp_export[] = ".aicert-"; /* odb-export.c */
static const char worktree_tmp_new[] = ".aicert-new-";
static const char worktree_tmp_old[] = ".aicert-old-";

/* A sweep is short; who holds a lock of another kind is not waited for long, and on a file
 * system that cannot lock a directory nobody sweeps. */
int
worktree_tmp_hold(int dirfd, const char *what, struct err *e)
{
	const struct timespec pause = {.tv_nsec = WORKTREE_TMP_POLL_MS * 1000000L};

	for (int waited = 0; flock(dirfd, LOCK_SH | LOCK_NB) != 0; waited += WORKTREE_TMP_POLL_MS) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return 0;
		if (waited >= WORKTREE_TMP_WAIT_MS)
			return err_set(e, ERR_BUSY, "%s: another process has a lock on its directory", what);
		if (interrupt_check(e) != 0)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

char *
worktree_tmp_name(const char *name, bool old, struct err *e)
{
	uint64_t nonce;

	if (random_bytes(&nonce, sizeof nonce, e) != 0)
		return NULL;
	return buf_strfmt(e, ".%.*s%s%016" PRIx64, WORKTREE_TMP_NAME, name,
	    old ? worktree_tmp_old : worktree_tmp_new, nonce);
}

/* name is ".<ret><mark><16 hex>". */
static bool
worktree_tmp_is(const char *name, const char *mark, char ret[NAME_MAX + 1])
{
	size_t len = strlen(name), tail = strlen(mark) + WORKTREE_TMP_HEX;

	if (len <= tail || len > NAME_MAX || name[0] != '.' ||
	    strncmp(name + len - tail, mark, strlen(mark)) != 0 ||
	    !hex_is(name + len - WORKTREE_TMP_HEX, WORKTREE_TMP_HEX))
		return false;
	snprintf(ret, NAME_MAX + 1, "%.*s", (int)(len - tail - 1), name + 1);
	return ret[0] != '\0';
}

/* The store can give back what is there. */
static int
worktree_tmp_stored(struct store *s, int dirfd, const char *name, bool *ret, struct err *e)
{
	struct ingest_result now = {.type = OBJECT_BLOB};
	char target[PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof target);

	*ret = false;
	if (n >= 0) {
		if (oid_from_data(&now.id, target, (size_t)n, e) != 0)
			return -1;
	} else if (ingest_path(NULL, dirfd, name, INGEST_DIRECTORIES | INGEST_HASH_ONLY, NULL, &now, e) != 0) {
		return worktree_is_untold(e) ? -1 : 0;
	}
	*ret = worktree_stored(s, now.type, &now.id);
	return 0;
}

static int
worktree_tmp_sweep_name(struct store *s, int dirfd, const char *name, struct err *e)
{
	char of[NAME_MAX + 1];
	bool stored = true;

	if (worktree_tmp_is(name, worktree_tmp_old, of)) {
		if (worktree_tmp_stored(s, dirfd, name, &stored, e) != 0)
			return -1;
	} else if (!worktree_tmp_is(name, worktree_tmp_new, of) &&
	    (strncmp(name, worktree_tmp_export, strlen(worktree_tmp_export)) != 0 ||
	    strlen(name) != strlen(worktree_tmp_export) + WORKTREE_TMP_HEX ||
	    !hex_is(name + strlen(worktree_tmp_export), WORKTREE_TMP_HEX))) {
		return 0;
	}
	return stored ? fd_remove_tree(dirfd, name, e) : worktree_keep(dirfd, name, of, e);
}

int
worktree_tmp_sweep(struct store *s, int dirfd, struct err *e)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;
	/* a description of its own: the lock is let go with it */
	CLEANUP(cleanup_close) int fd = fd_open_beneath(dirfd, ".", O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return 0; /* others are at work here, or it cannot be known */
	if (dir_walk_list(fd, ".", WORKTREE_TMP_ENTRIES, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (names.names[i][0] == '.' && worktree_tmp_sweep_name(s, fd, names.names[i], e) != 0)
			return -1;
	return 0;
}
