#include "run/run-dir.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/dir-walk.h"
#include "base/fd.h"

#define RUN_DIR_PREFIX "run"
#define RUN_DIR_COUNT_MAX 100000

/* Locked while directories are made and looked at: none is seen between its making
 * and its lock. */
static int
run_dir_lock_all(struct store *s, int *ret_fd, struct err *e)
{
	int fd = fd_open_beneath(store_tmp_fd(s), ".", O_RDONLY | O_DIRECTORY, 0, e);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX) != 0) {
		err_sys(e, "%s/tmp: cannot lock", store_path(s));
		close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

int
run_dir_make(struct store *s, char **ret_name, int *ret_fd, struct err *e)
{
	CLEANUP(cleanup_close) int all = -1;
	char *name;
	int fd;

	if (run_dir_lock_all(s, &all, e) != 0 || store_tmp_dir(s, RUN_DIR_PREFIX, &name, e) != 0)
		return -1;
	fd = fd_open_beneath(store_tmp_fd(s), name, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (fd >= 0)
			err_sys(e, "%s/tmp/%s: cannot lock", store_path(s), name);
		cleanup_close(&fd);
		run_dir_remove(s, name);
		free(name);
		return -1;
	}
	*ret_name = name;
	*ret_fd = fd;
	return 0;
}

void
run_dir_remove(struct store *s, const char *name)
{
	(void)(fd_remove_tree(store_tmp_fd(s), name, NULL) != 0);
}

/* A descriptor that holds the lock, or -1: its owner lives, or it is no such thing. */
static int
run_dir_dead(struct store *s, const char *name)
{
	CLEANUP(cleanup_close) int all = -1;
	int fd;

	if (strncmp(name, RUN_DIR_PREFIX "-", sizeof RUN_DIR_PREFIX) != 0 ||
	    run_dir_lock_all(s, &all, NULL) != 0)
		return -1;
	fd = fd_open_beneath(store_tmp_fd(s), name, O_RDONLY | O_DIRECTORY, 0, NULL);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void
run_dir_sweep(struct store *s)
{
	CLEANUP(dir_walk_free) struct dir_walk names = DIR_WALK_INIT;

	if (store_read_only(s) ||
	    dir_walk_list(store_tmp_fd(s), ".", RUN_DIR_COUNT_MAX, &names, NULL) != 0)
		return;
	for (size_t i = 0; i < names.count; i++) {
		CLEANUP(cleanup_close) int fd = run_dir_dead(s, names.names[i]);

		if (fd >= 0)
			run_dir_remove(s, names.names[i]);
	}
}
