/*
 * Names beside a file of the work tree, for as long as it takes to put the file there.
 * Whoever has such names holds a shared flock(2) on their directory, so what lies there
 * while nobody holds one was left by a process that died.  For worktree.c.
 */
#ifndef CMD_WORKTREE_TMP_H
#define CMD_WORKTREE_TMP_H

#include "store/store.h"

/* Until the descriptor is closed. */
int worktree_tmp_hold(int dirfd, const char *what, struct err *e) MUST_CHECK;
/* old: it has, or will have, what lay there.  Else it only ever has what the store has too. */
char *worktree_tmp_name(const char *name, bool old, struct err *e) MUST_CHECK;
/* Removes what dead processes left in the directory, but what may be the only copy of
 * something: that is kept as "<name>.orig", and said so. */
int worktree_tmp_sweep(struct store *s, int dirfd, struct err *e) MUST_CHECK;

#endif
