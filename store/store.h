/*
 * A store: the directory .aicert.  store/FORMAT.md has its layout and
 * invariants.  Everything inside is opened beneath its directory descriptor.
 * A struct store belongs to one thread; open one for each.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include "base/err.h"
#include "store/filesystem.h"

struct store;

#define STORE_READ_ONLY 1u

#define STORE_NAME ".aicert"
#define STORE_VERSION 1
#define STORE_RUN_BYTES_MAX (8u * 1024 * 1024)    /* of a record in runs/ */

/* Creates worktree/.aicert; *ret_created is false when it was there already
 * (then nothing is changed). */
int store_init(const char *worktree, bool *ret_created, struct err *e) MUST_CHECK;
/* A store that nobody works in: path itself is the store. It is not there or an empty directory;
 * *ret_created is false when another process made one just now. */
int store_init_bare(const char *path, bool *ret_created, struct err *e) MUST_CHECK;
/* path: the .aicert directory.  Refused (ERR_DENIED) when owned by another
 * user or a symlink; ERR_UNSUPPORTED when its format version is newer than ours;
 * read-only, whatever the flags, on a read-only file system. */
int store_open(const char *path, unsigned flags, struct store **ret, struct err *e) MUST_CHECK;
/* Walks up from start to the first directory that holds .aicert. */
int store_discover(const char *start, unsigned flags, struct store **ret, struct err *e) MUST_CHECK;
void store_close(struct store *s);
static inline void store_closep(struct store **s) { store_close(*s); }

/* Borrowed. */
const char *store_path(const struct store *s);      /* absolute path of .aicert */
const char *store_worktree(const struct store *s);  /* absolute path of its parent */
int store_dirfd(const struct store *s);             /* .aicert */
int store_worktree_fd(const struct store *s);
bool store_read_only(const struct store *s);
/* Contents (files, trees, logs) may be missing without damage: they are elsewhere. */
bool store_partial(const struct store *s);
const struct filesystem *store_filesystem(const struct store *s);

/* As mkdir -p beneath .aicert, symlinks refused, every new directory durable. */
int store_make_dirs(struct store *s, const char *path, struct err *e) MUST_CHECK;

/* A fresh directory beneath .aicert/tmp, mode 0700, named prefix-<random>,
 * on the store's own file system; the caller removes it (fd_remove_tree on
 * store_tmp_fd).  Left-overs of dead processes are litter that fsck reports. */
int store_tmp_fd(const struct store *s);
int store_tmp_dir(struct store *s, const char *prefix, char **ret_name, struct err *e) MUST_CHECK;

#endif
