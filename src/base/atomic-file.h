/*
 * Durable before visible: bytes go to a temporary file beside the target,
 * fsync, rename over the target, fsync of the directory.  A crash at any
 * moment leaves the old file or the new one.
 */
#ifndef BASE_ATOMIC_FILE_H
#define BASE_ATOMIC_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/err.h"

int atomic_file_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode,
    struct err *e) MUST_CHECK;

/*
 * A lock file, <name>.lock, that says who holds it (lock-holder.h) and is
 * flock(2)ed by its holder for as long as it lives.
 */
struct atomic_file_lock {
	int dirfd;   /* borrowed; must outlive the lock */
	int fd;      /* -1: not held */
	char *name;
	char *lock_name;
};

#define ATOMIC_FILE_LOCK_INIT {.fd = -1}

/* Waits up to timeout_ms for another holder; then ERR_BUSY that names it.
 * A lock whose holder no longer lives is broken. */
int atomic_file_lock(struct atomic_file_lock *ret, int dirfd, const char *name, int timeout_ms,
    struct err *e) MUST_CHECK;
/* Writes the file that is locked, durably, and lets the lock go. */
int atomic_file_lock_commit(struct atomic_file_lock *l, const void *data, size_t len,
    struct err *e) MUST_CHECK;
/* Lets the lock go without writing; harmless when not held. */
void atomic_file_unlock(struct atomic_file_lock *l);

/* Removes a lock file, or one on its way to be one, that nobody holds: true when it
 * is gone. */
bool atomic_file_sweep_lock(int dirfd, const char *lock_name);

#endif
