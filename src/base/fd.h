/* Whole reads and writes, and opening beneath a directory. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include "base/buf.h"

/* Short reads, short writes and EINTR are dealt with; *what* names the file in errors. */
int fd_write_all(int fd, const void *data, size_t len, const char *what, struct err *e) MUST_CHECK;
/* Reads up to len bytes, fewer only at end of file. */
int fd_read_upto(int fd, void *ret_data, size_t len, size_t *ret_len, const char *what,
    struct err *e) MUST_CHECK;
/* Appends everything until end of file; refuses more than max bytes (ERR_LIMIT).
 * Does not trust st_size: securityfs files stat as 0. */
int fd_read_all(int fd, size_t max, struct buf *ret, const char *what, struct err *e) MUST_CHECK;
/* The same for a path; ERR_NOTFOUND when it does not exist. */
int fd_read_file(int dirfd, const char *path, size_t max, struct buf *ret, struct err *e) MUST_CHECK;
/* The same for a file that the user named: a pipe is waited for, until who writes to it is
 * done. Elsewhere one would be a trap. */
int fd_read_named(const char *path, size_t max, struct buf *ret, struct err *e) MUST_CHECK;

/* openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS:
 * no component of path may be a symlink or leave dirfd.  O_CLOEXEC is added. */
int fd_open_beneath(int dirfd, const char *path, int flags, mode_t mode, struct err *e) MUST_CHECK;
/* The directory that holds path beneath dirfd, opened as above, and the last
 * component of path (borrowed): for the system calls that follow symlinks in all
 * components but the last. */
int fd_open_parent(int dirfd, const char *path, int *ret_fd, const char **ret_base,
    struct err *e) MUST_CHECK;
/* As mkdir -p beneath dirfd, symlinks refused. */
int fd_mkdirs_beneath(int dirfd, const char *path, mode_t mode, struct err *e) MUST_CHECK;
/* Removes a file or a whole directory tree beneath dirfd; missing is success.
 * Makes directories writable where it must (read-only input trees).  A path
 * that ends in nothing, "." or ".." is refused (ERR_USAGE) before anything is
 * touched; what is mounted inside the tree stays and is an error. */
int fd_remove_tree(int dirfd, const char *path, struct err *e) MUST_CHECK;

/* close(2) whose failure is reported; sets *fd to -1. */
int fd_close(int *fd, const char *what, struct err *e) MUST_CHECK;
int fd_sync(int fd, const char *what, struct err *e) MUST_CHECK;

#endif
