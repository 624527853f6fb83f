#include "run/sandbox-child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "run/oci-config.h"

#define SANDBOX_CHILD_PID_FILE "/run/command.pid"
#define SANDBOX_CHILD_LOW_FD 3      /* first descriptor after the standard ones */
#define SANDBOX_CHILD_SAFE_FD 64    /* above every fixed place below */

static const char *const sandbox_child_steps[SANDBOX_CHILD_STEPS_] = {
	[SANDBOX_CHILD_IDS] = "mapping the user into a user namespace",
	[SANDBOX_CHILD_PRIVATE] = "making the mounts private",
	[SANDBOX_CHILD_CGROUPFS] = "mounting over /sys/fs/cgroup",
	[SANDBOX_CHILD_RUN] = "mounting over /run",
	[SANDBOX_CHILD_BIND] = "binding the run's directory",
	[SANDBOX_CHILD_PROC] = "mounting /proc",
	[SANDBOX_CHILD_FILES] = "arranging the file descriptors",
	[SANDBOX_CHILD_LIMITS] = "entering the control group",
	[SANDBOX_CHILD_EXEC] = ("starting " AICERT_CRUN),
	[SANDBOX_CHILD_PID] = "finding the command's process",
};

const char *
sandbox_child_step_name(int step)
{
	if (step < 0 || step >= SANDBOX_CHILD_STEPS_)
		return "an unknown step";
	return sandbox_child_steps[step];
}

static void
sandbox_child_say(const struct sandbox_child *c, int what, int a, int b)
{
	struct sandbox_child_message m = {what, a, b};
	ssize_t n;

	do
		n = write(c->status_fd, &m, sizeof m);
	while (n < 0 && errno == EINTR);
}

__attribute__((noreturn)) static void
sandbox_child_fail(const struct sandbox_child *c, enum sandbox_child_step step)
{
	sandbox_child_say(c, SANDBOX_CHILD_STEP, (int)step, errno);
	_exit(1);
}

/* Handlers of the runner mean nothing here; ignored signals would stay ignored
 * in the command (a shell's pipes need SIGPIPE). */
static void
sandbox_child_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	sigemptyset(&sa.sa_mask);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In one piece, as files of the kernel demand. */
static bool
sandbox_child_write(int fd, const char *text)
{
	ssize_t n;

	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)strlen(text);
}

static int
sandbox_child_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return -1;
	done = sandbox_child_write(fd, text);
	close(fd);
	return done ? 0 : -1;
}

static int
sandbox_child_ids(const struct sandbox_child *c)
{
	/* files of a process that must not be dumped belong to root */
	if (prctl(PR_SET_DUMPABLE, 1) != 0 ||
	    sandbox_child_put("/proc/self/setgroups", "deny") != 0 ||
	    sandbox_child_put("/proc/self/uid_map", c->uid_map) != 0 ||
	    sandbox_child_put("/proc/self/gid_map", c->gid_map) != 0)
		return -1;
	return setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0 ? -1 : 0;
}

/* Goes to the run's directory, which must be the very one that was meant. */
static int
sandbox_child_enter(const struct sandbox_child *c)
{
	struct stat meant, found;

	if (chdir(c->run_path) != 0 || fstat(c->run_dirfd, &meant) != 0 || stat(".", &found) != 0)
		return -1;
	errno = ESTALE;
	return meant.st_dev == found.st_dev && meant.st_ino == found.st_ino ? 0 : -1;
}

static void
sandbox_child_mounts(const struct sandbox_child *c)
{
	static const unsigned long quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	const struct mount_attr plain = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};

	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_PRIVATE);
	/* now: it may lie beneath what is covered next */
	if (sandbox_child_enter(c) != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_BIND);
	/* crun looks here for the kind of hierarchy and refuses some; it manages none for us */
	if (mount("tmpfs", "/sys/fs/cgroup", "tmpfs", quiet, "mode=755") != 0 && errno != ENOENT)
		sandbox_child_fail(c, SANDBOX_CHILD_CGROUPFS);
	if (mount("tmpfs", "/run", "tmpfs", quiet, "mode=755") != 0 || mkdir(OCI_CONFIG_DIR, 0755) != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_RUN);
	if (mount(".", OCI_CONFIG_DIR, NULL, MS_BIND | MS_REC, NULL) != 0 || chdir("/") != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_BIND);
	/* what crun binds from there inherits it: it does not set these itself on a mount
	 * that is to be written to */
	if (syscall(SYS_mount_setattr, AT_FDCWD, OCI_CONFIG_DIR, AT_RECURSIVE, &plain, sizeof plain) != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_BIND);
	if (mount("proc", "/proc", "proc", quiet, NULL) != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_PROC);
}

/* Moves the descriptors that are needed to fixed places and closes all others:
 * the runner's locks, sockets and databases must not stay open here. */
static void
sandbox_child_files(struct sandbox_child *c)
{
	int *const keep[] = {&c->null_fd, &c->output_fd, &c->status_fd, &c->sync_fd, &c->run_dirfd,
	    &c->limit_fds[0], &c->limit_fds[1], &c->limit_fds[2], &c->limit_fds[3]};
	const int n = (int)(sizeof keep / sizeof *keep);
	int place = SANDBOX_CHILD_LOW_FD;

	for (int i = 0; i < n; i++)
		if (*keep[i] >= 0 &&
		    (*keep[i] = fcntl(*keep[i], F_DUPFD_CLOEXEC, SANDBOX_CHILD_SAFE_FD)) < 0)
			sandbox_child_fail(c, SANDBOX_CHILD_FILES);
	for (int i = 0; i < n; i++) {
		if (*keep[i] < 0)
			continue;
		if (dup3(*keep[i], place, O_CLOEXEC) < 0)
			sandbox_child_fail(c, SANDBOX_CHILD_FILES);
		*keep[i] = place++;
	}
	if (dup2(c->null_fd, 0) < 0 || dup2(c->null_fd, 1) < 0 || dup2(c->null_fd, 2) < 0 ||
	    close_range((unsigned)place, ~0U, 0) != 0)
		sandbox_child_fail(c, SANDBOX_CHILD_FILES);
}

__attribute__((noreturn)) static void
sandbox_child_crun(const struct sandbox_child *c)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *const env[] = {path, NULL};
	int empty[2];

	for (int i = 0; i < SANDBOX_CHILD_LIMIT_FDS; i++)
		if (c->limit_fds[i] >= 0 && !sandbox_child_write(c->limit_fds[i], "0"))
			sandbox_child_fail(c, SANDBOX_CHILD_LIMITS);
	/* crun gives the standard streams to the command's user: /dev/null would be its own, in
	 * here and on the host */
	if (pipe2(empty, O_CLOEXEC) != 0 || dup2(empty[0], 0) < 0 || dup2(c->output_fd, 1) < 0 ||
	    dup2(c->output_fd, 2) < 0)
		sandbox_child_fail(c, SANDBOX_CHILD_FILES);
	execve(c->program, c->argv, env);
	sandbox_child_fail(c, SANDBOX_CHILD_EXEC);
}

/* The kernel keeps PF_FORKNOEXEC of a process that never executed anything, also
 * while it waits to be reaped: whatever the command prints, it cannot feign that. */
static bool
sandbox_child_executed(pid_t pid)
{
	static const unsigned long fork_no_exec = 0x40;
	char path[32] = "/proc/", text[512], digits[12], *p;
	size_t n = 0, len = strlen(path);
	unsigned long flags = 0;
	ssize_t got;
	int fd;

	for (; pid > 0 && n < sizeof digits; pid /= 10)
		digits[n++] = (char)('0' + pid % 10);
	while (n > 0)
		path[len++] = digits[--n];
	memcpy(path + len, "/stat", sizeof "/stat");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	p = strrchr(text, ')'); /* then: state ppid pgrp session tty tpgid flags */
	for (int i = 0; i < 7 && p != NULL; i++)
		p = strchr(p + 1, ' ');
	for (p = p != NULL ? p + 1 : NULL; p != NULL && *p >= '0' && *p <= '9'; p++)
		flags = flags * 10 + (unsigned long)(*p - '0');
	return (flags & fork_no_exec) == 0;
}

/* The wait status, or -1.  By name: when crun is gone, the command may have ended
 * before it, and to wait for whoever comes first would lose how it ended. */
static int
sandbox_child_wait(pid_t pid, bool *ret_executed)
{
	siginfo_t info;
	int status;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0)
		if (errno != EINTR)
			return -1;
	*ret_executed = sandbox_child_executed(pid);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static pid_t
sandbox_child_read_pid(void)
{
	char text[16] = "";
	int fd = open(SANDBOX_CHILD_PID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	pid_t pid = 0;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9' && pid < 100000000; i++)
		pid = pid * 10 + (text[i] - '0');
	return pid > 1 ? pid : -1;
}

/* fork(2), with namespaces.  Not the C library's: its handlers and locks belong to
 * the threads of the runner, and a copy of a held lock would never be let go. */
static pid_t
sandbox_child_clone(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0UL);
}

__attribute__((noreturn)) static void
sandbox_child_supervise(struct sandbox_child *c)
{
	pid_t crun = sandbox_child_clone(0);
	pid_t command;
	bool executed;
	int status;

	if (crun < 0)
		sandbox_child_fail(c, SANDBOX_CHILD_EXEC);
	if (crun == 0)
		sandbox_child_crun(c);
	close(c->output_fd);
	status = sandbox_child_wait(crun, &executed);
	if (status != 0) {
		sandbox_child_say(c, SANDBOX_CHILD_CRUN, status, 0);
		_exit(1);
	}
	command = sandbox_child_read_pid();
	if (command < 0)
		sandbox_child_fail(c, SANDBOX_CHILD_PID);
	sandbox_child_say(c, SANDBOX_CHILD_STARTED, 0, 0);
	status = sandbox_child_wait(command, &executed);
	if (status < 0)
		sandbox_child_fail(c, SANDBOX_CHILD_PID);
	sandbox_child_say(c, SANDBOX_CHILD_ENDED, status, executed);
	_exit(0);
}

__attribute__((noreturn)) static void
sandbox_child_main(const struct sandbox_child *given)
{
	struct sandbox_child c = *given;
	char byte;
	ssize_t n;

	sandbox_child_signals();
	sandbox_child_files(&c);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		_exit(1);
	/* a runner that died before the line above can no longer send the byte */
	do
		n = read(c.sync_fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(1);
	(void)setsid();
	if (c.rootless && sandbox_child_ids(&c) != 0)
		sandbox_child_fail(&c, SANDBOX_CHILD_IDS);
	/* a change of ids may have cleared the first; this is a copy of the runner's memory */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
		_exit(1);
	sandbox_child_mounts(&c);
	sandbox_child_supervise(&c);
}

pid_t
sandbox_child_start(const struct sandbox_child *c)
{
	unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | (c->rootless ? CLONE_NEWUSER : 0UL);
	pid_t pid = sandbox_child_clone(flags);

	if (pid == 0)
		sandbox_child_main(c);
	return pid;
}

bool
sandbox_child_user_namespaces(void)
{
	pid_t pid = sandbox_child_clone(CLONE_NEWUSER);
	int status = -1;

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}
