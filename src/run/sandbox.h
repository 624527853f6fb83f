/*
 * A command in a container made by crun: its own user, mount, PID, network,
 * IPC, UTS and cgroup namespaces, no capabilities, a seccomp filter, one
 * directory to write in.  Nothing of it is left when sandbox_run() returns.
 */
#ifndef RUN_SANDBOX_H
#define RUN_SANDBOX_H

#include "object/event.h"
#include "run/cgroup.h"
#include "run/rootfs.h"

#define SANDBOX_GRACE_MS 10000   /* between SIGTERM and SIGKILL */

/* Finds out what can be enforced here, quickly: no container is started.
 * Fails with ERR_UNSUPPORTED where there can be none at all. */
int sandbox_probe(struct event_sandbox *ret, struct err *e) MUST_CHECK;
void sandbox_probe_free(struct event_sandbox *s);

typedef int sandbox_log_fn(void *arg, const void *data, size_t len, struct err *e);

struct sandbox {
	/* The run's directory, 0700: has scratch/, inputs/<i>, rootfs/; gets
	 * bundle/ and crun.log. */
	int run_dirfd;
	const struct run_spec *spec;
	const struct rootfs *rootfs;
	uint64_t file_bytes_max;              /* of every file it writes; 0: any */
	const struct event_sandbox *enforce;  /* what was promised */
	const struct cgroup *cgroup;          /* limits already set */
	int cancel_fd;                        /* readable: stop; -1: none */
	void (*started)(void *arg);           /* the command runs; may be NULL */
	sandbox_log_fn *log;                  /* its output; a failure stops the run */
	void *arg;
};

struct sandbox_end {
	enum event_reason reason;
	bool has_exit_code;
	int exit_code;
	bool has_signal;
	int signal;
	bool has_times;
	int64_t started, finished;
	struct cgroup_usage usage;
	char message[512];      /* sandbox, not-started: why; else empty */
};

/* Always ends: what went wrong is in ret->reason and ret->message. */
void sandbox_run(const struct sandbox *s, struct sandbox_end *ret);

#endif
