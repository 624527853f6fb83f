/* Things of a certificate into the work tree, without losing what lies there. */
#ifndef CMD_WORKTREE_H
#define CMD_WORKTREE_H

#include "base/progress.h"
#include "object/tree.h"
#include "store/store.h"

/* What is to lie at a path of the work tree. */
struct worktree_thing {
	const char *path;           /* relative to the work tree */
	enum object_type type;
	enum tree_mode mode;        /* 0: a blob whose mode nothing says */
	struct oid id;
};

/* What lies there now. */
enum worktree_state {
	WORKTREE_ABSENT,
	WORKTREE_SAME,
	WORKTREE_MODE,              /* but for the executable bit */
	WORKTREE_COVERED,           /* a recorded run made or used it, and the store can give it back */
	WORKTREE_CHANGED,           /* it would be lost */
	WORKTREE_DIRECTORY,         /* a directory, where a file is to lie, that would be lost */
};

struct worktree_found {
	enum worktree_state state;
	struct oid id;              /* WORKTREE_COVERED: of what is there */
};

/* Reads what is there.  ERR_DENIED when a parent is, or passes through, a symlink or a
 * file: nothing could be written. */
int worktree_look(struct store *s, const struct worktree_thing *t, struct worktree_found *ret,
    struct err *e) MUST_CHECK;
/* The directories above path can be made or entered without a symlink. */
int worktree_check_parent(struct store *s, const char *path, struct err *e) MUST_CHECK;

#define WORKTREE_KEEP 1u        /* what would be lost is kept as "<name>.orig" and said so */
#define WORKTREE_SYNC 2u        /* durable on return */
/*
 * Puts the thing in its place: complete and verified under another name first.  found
 * is what worktree_look() said; what was written there since is kept as "<name>.orig".
 * Without WORKTREE_KEEP what would be lost is replaced, but a directory never.
 */
int worktree_put(struct store *s, const struct worktree_thing *t, const struct worktree_found *found,
    unsigned flags, struct progress *progress, struct err *e) MUST_CHECK;

/* In the directory of path: what processes left that died while they put things there goes,
 * but what may be the only copy of something, which is kept as "<name>.orig". */
int worktree_sweep(struct store *s, const char *path, struct err *e) MUST_CHECK;
/* After a file could not be hashed: for want of memory, descriptors or threads, or because a disk
 * failed, so that nothing is known of it; else it is what nothing of ours is. */
bool worktree_is_untold(const struct err *e);
/* The store has every byte of it, undamaged, whatever becomes of the work tree. */
bool worktree_stored(struct store *s, enum object_type type, const struct oid *id);
/* Renames dirfd/from to the first free name.orig, name.orig.1, ..., and says so. */
int worktree_keep(int dirfd, const char *from, const char *name, struct err *e) MUST_CHECK;

/* A path as typed, relative to the current directory, as one relative to the work tree;
 * it need not exist, and links are not looked at.  "" is the work tree. */
int worktree_path(struct store *s, const char *arg, char **ret, struct err *e) MUST_CHECK;

#endif
