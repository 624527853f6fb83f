/*
 * What a machine of this computer needs while it lives, in a directory of the user's
 * that is closed to others: $XDG_DATA_HOME/aicert/machines/<tag>, mode 0700.  Its file
 * "lock" is flock(2)ed by the process that made it and says which that is: a directory
 * whose lock is free is what a process left that was killed, and may be destroyed.
 */
#ifndef PROVIDER_MACHINE_DIR_H
#define PROVIDER_MACHINE_DIR_H

#include <stdbool.h>
#include "base/err.h"

#define MACHINE_TAG_SIZE 24         /* "qemu-" and 16 digits */
#define MACHINE_DIR_HOLDER 256

struct machine_dir {
	char tag[MACHINE_TAG_SIZE];
	char *path;
	int lock;                       /* -1: none */
};

#define MACHINE_DIR_INIT {.lock = -1}

/* kind: the provider's name. */
int machine_dir_make(const char *kind, struct machine_dir *ret, struct err *e) MUST_CHECK;
/* Removes it with all that is in it; harmless on one that was not made. */
void machine_dir_remove(struct machine_dir *d);

/* fn for every directory of this kind. holder: for people, who made it. in_use: lives.
 * Without any: 0. */
typedef int machine_dir_fn(void *arg, const char *tag, const char *holder, bool in_use,
    struct err *e);
int machine_dir_each(const char *kind, machine_dir_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* Ends the processes with this tag and removes the directory, unless it is in use:
 * ERR_BUSY. */
int machine_dir_reap(const char *tag, struct err *e) MUST_CHECK;

#endif
