/*
 * The supervisor: the process between the runner and the container.  It is
 * PID 1 of its own PID namespace, so that its end ends everything beneath it,
 * and the owner of its own mount namespace, so that no mount outlives it; it
 * dies with the thread that made it (PR_SET_PDEATHSIG).
 *
 * It is forked from a process with threads: only async-signal-safe calls are
 * made here, and everything is computed beforehand.
 */
#ifndef RUN_SANDBOX_CHILD_H
#define RUN_SANDBOX_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum sandbox_child_what {
	SANDBOX_CHILD_STEP,      /* a: enum sandbox_child_step, b: errno */
	SANDBOX_CHILD_CRUN,      /* a: wait status of crun, which did not start the command */
	SANDBOX_CHILD_STARTED,
	SANDBOX_CHILD_ENDED      /* a: wait status of the command, b: whether it was executed at all */
};

enum sandbox_child_step {
	SANDBOX_CHILD_IDS, SANDBOX_CHILD_PRIVATE, SANDBOX_CHILD_CGROUPFS, SANDBOX_CHILD_RUN,
	SANDBOX_CHILD_BIND, SANDBOX_CHILD_PROC, SANDBOX_CHILD_FILES, SANDBOX_CHILD_LIMITS,
	SANDBOX_CHILD_EXEC, SANDBOX_CHILD_PID, SANDBOX_CHILD_STEPS_
};

/* What the supervisor writes to status_fd: whole, as it is below PIPE_BUF. */
struct sandbox_child_message {
	int32_t what, a, b;
};

#define SANDBOX_CHILD_LIMIT_FDS 4

struct sandbox_child {
	int run_dirfd;           /* bound to OCI_CONFIG_DIR ... */
	const char *run_path;    /* ... by its absolute path: a descriptor leads to the old mounts */
	int sync_fd;             /* one byte: begin; end of file: the runner is gone */
	int status_fd;
	int output_fd;           /* standard output and error of the command */
	int null_fd;             /* its standard input */
	int limit_fds[SANDBOX_CHILD_LIMIT_FDS]; /* cgroup.procs to enter; -1: none */
	bool rootless;           /* in a user namespace of its own */
	char uid_map[64], gid_map[64];
	const char *program;     /* crun */
	char *const *argv;
};

/* Starts it; the pid, or -1 with errno. */
pid_t sandbox_child_start(const struct sandbox_child *c);
/* Whether this process may make user namespaces. */
bool sandbox_child_user_namespaces(void);
const char *sandbox_child_step_name(int step);

#endif
