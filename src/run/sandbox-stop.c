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

/* The supervisor's one child is the container's first process; 0: none. */
static pid_t
sandbox_stop_first(pid_t supervisor)
{
	char path[64];
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
	if (fd_read_file(AT_FDCWD, path, SANDBOX_STOP_STATUS_MAX, &text, NULL) != 0)
		return 0;
	return (pid_t)strtol(buf_str(&text), NULL, 10);
}

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

static bool
sandbox_stop_handles(pid_t pid)
{
	char path[64];
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	const char *line;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if (fd_read_file(AT_FDCWD, path, SANDBOX_STOP_STATUS_MAX, &text, NULL) != 0)
		return false;
	line = strstr(buf_str(&text), "\nSigCgt:");
	if (line == NULL)
		return false;
	return (strtoull(line + 8, NULL, 16) >> (SIGTERM - 1) & 1) != 0;
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
	pid_t first = sandbox_stop_first(supervisor);
	char container[64], own[64];
	size_t handling = 0;
	struct dirent *d;
	DIR *dir;

	if (first <= 0 || !sandbox_stop_namespace(first, container) ||
	    !sandbox_stop_namespace(getpid(), own) || strcmp(container, own) == 0)
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
