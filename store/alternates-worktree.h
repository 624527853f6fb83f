/* The repository that a git worktree was made from; for alternates.c only. */
#ifndef STORE_ALTERNATES_WORKTREE_H
#define STORE_ALTERNATES_WORKTREE_H

#include "store/store.h"

/*
 * *ret is the main work tree, malloc'd, when the store's own is another worktree of it;
 * NULL when it is none.  The repository there must know of this one: a file that comes
 * with a work tree names nothing by itself.
 */
int alternates_worktree(struct store *s, char **ret, struct err *e) MUST_CHECK;

#endif
