/*
 * The directory of a run, tmp/run-<random> of a store.  Its owner holds a lock
 * on it (flock) as long as it lives, so that what a killed daemon left behind
 * can be told from the run of another daemon.
 */
#ifndef RUN_RUN_DIR_H
#define RUN_RUN_DIR_H

#include "store/store.h"

/* A fresh one and its descriptor, which holds the lock; run_dir_remove() is the caller's. */
int run_dir_make(struct store *s, char **ret_name, int *ret_fd, struct err *e) MUST_CHECK;
/* What cannot be removed is litter that fsck names. */
void run_dir_remove(struct store *s, const char *name);
/* Removes those whose owner is dead; what cannot be locked or removed stays. */
void run_dir_sweep(struct store *s);

#endif
