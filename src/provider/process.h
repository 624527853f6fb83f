/*
 * Programs that a machine is made of.  Each is in a session of its own, so that the
 * terminal's Ctrl-C is ours to translate; dies with this process, whatever ends it; and
 * carries the machine's tag in its environment, as all that it starts does: by the tag
 * whatever is left is found.
 */
#ifndef PROVIDER_PROCESS_H
#define PROVIDER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/err.h"

#define PROCESS_TAG "AICERT_MACHINE"    /* the variable's name */
#define PROCESS_FD 3                    /* what `fd` is to the program */

struct process_options {
	const char *program;            /* as process_find() gave it */
	char *const *argv;
	const char *tag;
	const char *dir;                /* works there; also its HOME and TMPDIR */
	const char *log;                /* a file in dir that takes what it says; appended to */
	int fd;                         /* -1: none */
};

/* In the directories of PATH that are named absolutely, then in the system's.
 * ERR_NOTFOUND says which package has it. malloc'd. */
int process_find(const char *name, const char *package, char **ret, struct err *e) MUST_CHECK;
int process_start(const struct process_options *o, pid_t *ret, struct err *e) MUST_CHECK;
/* Waits for its end; ERR_IO with the last line it said unless it succeeded, ERR_CANCELLED. */
int process_run(const struct process_options *o, struct err *e) MUST_CHECK;
/* False when it has ended; then *ret_status is as of waitpid(2). */
bool process_alive(pid_t pid, int *ret_status);
/* Kills it with its session's group and takes it from the system's table. */
void process_end(pid_t pid);
/* The same for every process of ours with this tag, whoever started it. How many there were. */
size_t process_sweep(const char *tag);
/* The last line that is not empty of a file, printable, "" without one; malloc'd. */
char *process_last_line(const char *path, struct err *e) MUST_CHECK;

#endif
