#include "run/sandbox-stop.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/fd.h"

#define SANDBOX_STOP_STATUS_MAX 65536

static bool
sandbox_stop_namespace(pid_t pid, char ret[64])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)pid);
	n = readlink(path, ret, 63);
	if (n <= 0)
		return false;
	ret[n] = '\0';
	return true;
}

/* A line of /proc/<pid>/status, from after its name; "" without one. */
static void
sandbox_stop_status(pid_t pid, const char *name, char ret[64])
{
	char path[64];
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const char *line;

	ret[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (fd_read_file(AT_FDCWD, path, SANDBOX_STOP_STATUS_MAX, &text, NULL) != 0)
		return;
	line = strstr(buf_str(&text), name);
	if (line != NULL)
		snprintf(ret, 64, "%.63s", line + strlen(name));
}

static bool
sandbox_stop_handles(pid_t pid)
{
	char mask[64];

	sandbox_stop_status(pid, "\nSigCgt:", mask);
	return (strtoull(mask, NULL, 16) >> (SIGTERM - 1) & 1) != 0;
}

static bool
sandbox_stop_lives(pid_t pid)
{
	char state[64];

	sandbox_stop_status(pid, "\nState:\t", state);
	return state[0] != '\0' && state[0] != 'Z' && state[0] != 'X';
}

/* The PID namespace of the container: that of the supervisor's one living child
 * (crun's helpers are dead by then, and waited for by nobody). */
static bool
sandbox_stop_container(pid_t supervisor, char ret[64])
{
	char path[64];
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char *p, *end;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
	if (fd_read_file(AT_FDCWD, path, SANDBOX_STOP_STATUS_MAX, &text, NULL) != 0 || text.len == 0)
		return false;
	for (p = (char *)text.data;; p = end) {
		long pid = strtol(p, &end, 10);

		if (end == p)
			return false;
		if (sandbox_stop_lives((pid_t)pid))
			return sandbox_stop_namespace((pid_t)pid, ret);
	}
}

/* The descriptor pins the process, so that the number cannot come to mean another. */
static bool
sandbox_stop_one(pid_t pid, const char *container)
{
	char ns[64];
	CLEANUP(cleanup_close) int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool handles;

	if (fd < 0 || !sandbox_stop_namespace(pid, ns) || strcmp(ns, container) != 0)
		return false;
	handles = sandbox_stop_handles(pid);
	return syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0 && handles;
}

size_t
sandbox_stop_ask(pid_t supervisor)
{
	char container[64], own[64];
	size_t handling = 0;
	struct dirent *d;
	DIR *dir;

	if (!sandbox_stop_container(supervisor, container) || !sandbox_stop_namespace(getpid(), own) ||
	    strcmp(container, own) == 0)
		return 0;
	dir = opendir("/proc");
	if (dir == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		long pid = strtol(d->d_name, NULL, 10);

		if (pid > 1 && sandbox_stop_one((pid_t)pid, container))
			handling++;
	}
	closedir(dir);
	return handling;
}
