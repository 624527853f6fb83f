#include "box.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "base/fd.h"

#define SANDBOX_WAIT_MS 20000

START_TEST(test_sandbox_exit_code)
{
	struct box b;

	box_open(&b);
	box_run(&b, "/bin/sh", "-c", "echo out; echo err >&2; exit 7", NULL);
	ck_assert_str_eq(b.end.message, "");
	ck_assert_int_eq(b.end.reason, EVENT_EXITED);
	ck_assert(b.end.has_exit_code && !b.end.has_signal);
	ck_assert_int_eq(b.end.exit_code, 7);
	ck_assert_str_eq(buf_str(&b.output), "out\nerr\n");
	ck_assert(b.end.has_times && b.end.finished >= b.end.started);
	box_close(&b);
}
END_TEST

/* An exit code is no signal, and a signal no exit code. */
START_TEST(test_sandbox_signal)
{
	struct box b;

	box_open(&b);
	box_run(&b, "/bin/sh", "-c", "exit 137", NULL);
	ck_assert_int_eq(b.end.reason, EVENT_EXITED);
	ck_assert_int_eq(b.end.exit_code, 137);
	box_close(&b);
	box_open(&b);
	/* PID 1 of a namespace is killed by no signal of its own, but by its own fault */
	box_python(&b, "import ctypes; ctypes.string_at(0)");
	ck_assert_int_eq(b.end.reason, EVENT_SIGNALED);
	ck_assert(b.end.has_signal && !b.end.has_exit_code);
	ck_assert_int_eq(b.end.signal, SIGSEGV);
	box_close(&b);
}
END_TEST

START_TEST(test_sandbox_command_missing)
{
	static const char *const commands[] = {
		"no-such-command", "/no/such/command", "/etc/passwd", "/usr", "./in.txt"
	};

	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct box b;

		box_open(&b);
		box_input(&b, "in.txt", "#!/bin/sh\n");
		box_run(&b, commands[i], NULL);
		ck_assert_msg(b.end.reason == EVENT_NOT_STARTED, "%s: %s", commands[i], b.end.message);
		ck_assert_str_ne(b.end.message, "");
		ck_assert(!b.end.has_exit_code && !b.end.has_signal && !b.end.has_times);
		box_close(&b);
	}
}
END_TEST

/* What crun finds only when it executes: the container was already begun. */
START_TEST(test_sandbox_not_executable)
{
	struct box b;

	box_open(&b);
	box_input(&b, "tool", "neither a program nor a script\n");
	ck_assert_int_eq(fchmodat(b.dirfd, "inputs/0", 0555, 0), 0);
	box_run(&b, "./tool", NULL);
	ck_assert_msg(b.end.reason == EVENT_NOT_STARTED, "%s", buf_str(&b.output));
	ck_assert_ptr_nonnull(strstr(b.end.message, "cannot be executed"));
	ck_assert(!b.end.has_exit_code && !b.end.has_times);
	box_close(&b);
}
END_TEST

static int
sandbox_drop(void *arg, const void *data, size_t len, struct err *e)
{
	(void)arg;
	(void)data;
	return len > 0 ? 0 : err_set(e, ERR_INTERNAL, "nothing to log");
}

START_TEST(test_sandbox_cannot_be_set_up)
{
	struct box b;
	struct rootfs_bind bind = {"/no-such-directory-of-the-host", true};
	struct sandbox s = {.enforce = NULL};
	struct sandbox_end end;
	struct rootfs broken = {&bind, 1};
	struct err e;
	char *args[] = {"/bin/true", NULL};

	box_open(&b);
	b.spec.command = args;
	b.spec.command_count = 1;
	UNIT_OK(rootfs_prepare(NULL, &b.spec, b.dirfd, &b.rootfs, &e), &e);
	s = (struct sandbox){.run_dirfd = b.dirfd, .spec = &b.spec, .rootfs = &broken,
	    .enforce = &b.enforce, .cgroup = &b.cgroup, .cancel_fd = -1, .log = sandbox_drop};
	sandbox_run(&s, &end);
	ck_assert_int_eq(end.reason, EVENT_SANDBOX);
	ck_assert_str_ne(end.message, "");
	ck_assert(!end.has_exit_code && !end.has_times);
	box_close(&b);
}
END_TEST

static void
sandbox_environment(void)
{
	struct box b;

	box_open(&b);
	box_run(&b, "/usr/bin/env", NULL);
	ck_assert_str_eq(buf_str(&b.output),
	    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOME=/tmp/home\n"
	    "LANG=C.UTF-8\nTZ=UTC\n");
	box_close(&b);
}

START_TEST(test_sandbox_environment)
{
	sandbox_environment();
	box_as_user(sandbox_environment);
}
END_TEST

/* The words of crun's own failure, from a command that does run. */
START_TEST(test_sandbox_feigned_failure)
{
	struct box b;

	box_open(&b);
	box_run(&b, "/bin/sh", "-c", "echo '{\"msg\":\"exec container process `x`: Exec format error\"}';"
	    "exit 1", NULL);
	ck_assert_int_eq(b.end.reason, EVENT_EXITED);
	ck_assert_int_eq(b.end.exit_code, 1);
	box_close(&b);
}
END_TEST

/* What must work in it: the other side of the escape test. */
static void
sandbox_useful(void)
{
	struct box b;

	box_open(&b);
	box_input(&b, "in.txt", "given");
	box_run(&b, "/bin/bash", "-ec",
	    "set -o pipefail\n"
	    "test \"$(cat in.txt)\" = given\n"
	    "for d in . /tmp /dev/shm \"$HOME\"; do echo x > $d/f; done\n"
	    "seq 1000000 | head -1 || test $? = 141\n" /* SIGPIPE is not ignored */
	    "python3 -c 'import threading, multiprocessing.pool, numpy as n\n"
	    "print(n.ones((300, 300)).dot(n.ones((300, 300))).sum())\n"
	    "p = multiprocessing.pool.ThreadPool(8)\nprint(sum(p.map(abs, range(9))))\n"
	    "import socket\ns = socket.create_server((\"127.0.0.1\", 0))\n"
	    "socket.create_connection(s.getsockname())\nprint(\"lo\")' || exit 3\n"
	    "getent passwd nobody\n", NULL);
	ck_assert_msg(b.end.has_exit_code, "%s", b.end.message);
	ck_assert_msg(strstr(buf_str(&b.output),
	    "27000000.0\n36\nlo\nnobody:x:65534:65534:nobody:/tmp/home:/bin/sh\n") != NULL, "%s",
	    buf_str(&b.output));
	box_close(&b);
}

START_TEST(test_sandbox_useful)
{
	sandbox_useful();
	box_as_user(sandbox_useful);
}
END_TEST

/* What is mounted beneath a directory of the host is read-only too. */
START_TEST(test_sandbox_mounts_beneath)
{
	static char opt[] = "/opt";
	struct stat st;
	struct box b;
	pid_t pid;
	int status;

	if (geteuid() != 0 || stat(opt, &st) != 0)
		return;
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) { /* with mounts of its own */
		if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("tmpfs", opt, "tmpfs", 0, NULL) != 0 || mkdir("/opt/open", 0777) != 0 ||
		    mount("tmpfs", "/opt/open", "tmpfs", 0, "mode=1777") != 0)
			_exit(77);
		box_open(&b);
		box_run(&b, "/bin/sh", "-c", "test -w / || test -w /opt/open || echo x > /opt/open/x", NULL);
		ck_assert_msg(b.end.has_exit_code, "%s", b.end.message);
		ck_assert_int_ne(b.end.exit_code, 0);
		box_close(&b);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* The flags that every mount of ours really has; the host's command line is masked. */
static void
sandbox_mount_flags(void)
{
	struct box b;

	box_open(&b);
	box_input(&b, "in.txt", "input");
	box_python(&b, "found = {}\n"
	    "for line in open('/proc/self/mountinfo'):\n"
	    "    f = line.split()\n"
	    "    found[f[4]] = set(f[5].split(','))\n"
	    "for p, rw in ('/', 'ro'), ('/workspace', 'rw'), ('/workspace/in.txt', 'ro'), ('/usr', 'ro'):\n"
	    "    assert {rw, 'nosuid', 'nodev'} <= found[p], (p, found[p])\n"
	    "assert {'rw', 'nosuid', 'nodev'} <= found['/tmp']\n"
	    "assert open('/proc/cmdline').read() == ''\n"
	    "print('held')\n");
	ck_assert_msg(strcmp(buf_str(&b.output), "held\n") == 0, "%s%s", buf_str(&b.output),
	    b.end.message);
	box_close(&b);
}

START_TEST(test_sandbox_mount_flags)
{
	sandbox_mount_flags();
}
END_TEST

START_TEST(test_sandbox_mount_flags_rootless)
{
	box_as_user(sandbox_mount_flags);
}
END_TEST

START_TEST(test_sandbox_compiler)
{
	struct box b;

	if (access("/usr/bin/gcc", X_OK) != 0)
		return;
	box_open(&b);
	box_run(&b, "/bin/sh", "-ec", "echo 'int main(void){return 5;}' > a.c; gcc a.c -o a; ./a", NULL);
	ck_assert_int_eq(b.end.exit_code, 5);
	box_close(&b);
}
END_TEST

START_TEST(test_sandbox_output_after_end)
{
	struct box b;

	box_open(&b);
	/* a process left behind holds the pipe: it must go with the first */
	box_run(&b, "/bin/sh", "-c", "sleep 1000 & echo first", NULL);
	ck_assert_int_eq(b.end.exit_code, 0);
	ck_assert_str_eq(buf_str(&b.output), "first\n");
	box_close(&b);
}
END_TEST

START_TEST(test_sandbox_time_limit)
{
	struct box b;

	box_open(&b);
	b.spec.limits.time_seconds = 1;
	box_run(&b, "/bin/sleep", "1000", NULL);
	ck_assert_int_eq(b.end.reason, EVENT_TIME_LIMIT);
	ck_assert(b.end.has_times && b.end.finished - b.end.started < SANDBOX_GRACE_MS / 1000);
	box_close(&b);
}
END_TEST

/* A handler gets its time, and what it writes stays. */
static void
sandbox_handled(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct box b;
	struct err e;

	box_open(&b);
	b.spec.limits.time_seconds = 1;
	box_python(&b, "import signal, sys, time\n"
	    "def stop(s, f):\n    open('checkpoint', 'w').write('kept')\n    sys.exit(4)\n"
	    "signal.signal(signal.SIGTERM, stop)\ntime.sleep(1000)\n");
	ck_assert_msg(b.end.reason == EVENT_TIME_LIMIT, "%s", b.end.message);
	ck_assert_int_eq(b.end.exit_code, 4);
	UNIT_OK(fd_read_file(b.dirfd, "scratch/checkpoint", 100, &text, &e), &e);
	ck_assert_str_eq(buf_str(&text), "kept");
	box_close(&b);
}

START_TEST(test_sandbox_time_limit_handled)
{
	sandbox_handled();
}
END_TEST

START_TEST(test_sandbox_time_limit_handled_rootless)
{
	box_as_user(sandbox_handled);
}
END_TEST

START_TEST(test_sandbox_memory_limit)
{
	struct box b;

	box_open(&b);
	if (!b.enforce.cgroup) {
		box_close(&b);
		return;
	}
	b.spec.limits.memory_bytes = 64u * 1024 * 1024;
	box_python(&b, "x = bytearray(400 * 1024 * 1024)\nprint('survived')");
	ck_assert_int_eq(b.end.reason, EVENT_MEMORY_LIMIT);
	ck_assert_int_eq(b.end.signal, SIGKILL);
	ck_assert(b.end.usage.known && b.end.usage.oom_kills > 0);
	ck_assert_uint_le(b.end.usage.peak_memory_bytes, b.spec.limits.memory_bytes);
	box_close(&b);
}
END_TEST

START_TEST(test_sandbox_cpu_limit)
{
	struct box b;

	box_open(&b);
	if (!b.enforce.cgroup) {
		box_close(&b);
		return;
	}
	b.spec.limits.cpu_millis = 200;
	/* half a second of work takes two and a half of a fifth of a CPU */
	box_python(&b, "import time\nt = time.monotonic()\nwhile time.process_time() < 0.5: pass\n"
	    "print('slow' if time.monotonic() - t > 1.5 else 'fast')");
	ck_assert_str_eq(buf_str(&b.output), "slow\n");
	ck_assert(b.end.usage.known && b.end.usage.cpu_micros >= 500000);
	box_close(&b);
}
END_TEST

START_TEST(test_sandbox_shm_limit)
{
	struct box b;

	box_open(&b);
	b.spec.limits.shm_bytes = 1024 * 1024;
	box_run(&b, "/bin/sh", "-c",
	    "head -c 900000 /dev/zero > /dev/shm/a && ! head -c 900000 /dev/zero > /dev/shm/b", NULL);
	ck_assert_int_eq(b.end.exit_code, 0);
	box_close(&b);
}
END_TEST

static int
sandbox_full(void *arg, const void *data, size_t len, struct err *e)
{
	(void)arg;
	(void)data;
	return err_set(e, ERR_IO, "no space for %zu bytes", len);
}

/* A log that cannot be kept stops the run. */
START_TEST(test_sandbox_log_fails)
{
	struct box b;
	struct sandbox s;
	struct sandbox_end end;
	struct err e;
	char *args[] = {"/bin/sh", "-c", "echo hello; sleep 1000", NULL};

	box_open(&b);
	b.spec.command = args;
	b.spec.command_count = 3;
	UNIT_OK(rootfs_prepare(NULL, &b.spec, b.dirfd, &b.rootfs, &e), &e);
	s = (struct sandbox){.run_dirfd = b.dirfd, .spec = &b.spec, .rootfs = &b.rootfs,
	    .enforce = &b.enforce, .cgroup = &b.cgroup, .cancel_fd = -1, .log = sandbox_full};
	sandbox_run(&s, &end);
	ck_assert_int_eq(end.reason, EVENT_SANDBOX);
	ck_assert_str_eq(end.message, "no space for 6 bytes");
	box_close(&b);
}
END_TEST

/* --- nothing stays behind --- */

struct sandbox_other {          /* a box run by another process */
	pid_t pid;
	int ready;              /* a byte when the command has printed */
	char word[64];
	struct box b;
};

static void
sandbox_other_start(struct sandbox_other *o)
{
	int fds[2];

	snprintf(o->word, sizeof o->word, "aicert_unit_%d", (int)getpid());
	ck_assert_int_eq(pipe(fds), 0);
	box_open(&o->b);
	o->ready = fds[0];
	o->pid = fork();
	ck_assert_int_ge(o->pid, 0);
	if (o->pid == 0) {
		o->b.ready_fd = fds[1];
		box_run(&o->b, "/usr/bin/python3", "-c",
		    "import time; print('ready', flush=True); time.sleep(1000)", o->word, NULL);
		_exit(0);
	}
	close(fds[1]);
}

static void
sandbox_gone(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, SANDBOX_WAIT_MS), 1);
	close(pidfd);
}

static bool
sandbox_mounted(const char *word)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(fd_read_file(AT_FDCWD, "/proc/self/mountinfo", 1024 * 1024, &text, &e), &e);
	return strstr(buf_str(&text), word) != NULL;
}

/* So that the next run can remove them; the kernel lets go of the dead when it likes. */
static void
sandbox_groups_empty(const struct cgroup *c)
{
	for (int i = 0; i < CGROUP_KINDS; i++) {
		time_t end = time(NULL) + SANDBOX_WAIT_MS / 1000;

		if (c->dirs[i] == NULL)
			continue;
		while (rmdir(c->dirs[i]) != 0 && errno == EBUSY)
			ck_assert_int_lt(time(NULL), end);
		ck_assert_int_ne(access(c->dirs[i], F_OK), 0);
	}
}

static void
sandbox_kill_runner(void)
{
	struct sandbox_other o;
	char byte;
	int pidfd;

	sandbox_other_start(&o);
	ck_assert_int_eq(read(o.ready, &byte, 1), 1);
	pidfd = box_find_process(o.word);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(kill(o.pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(o.pid, NULL, 0), o.pid);
	sandbox_gone(pidfd);
	ck_assert_int_lt(box_find_process(o.word), 0);
	ck_assert(!sandbox_mounted("/run/aicert") && !sandbox_mounted(o.b.path));
	sandbox_groups_empty(&o.b.cgroup);
	close(o.ready);
	box_close(&o.b);
}

START_TEST(test_sandbox_kill_runner)
{
	sandbox_kill_runner();
}
END_TEST

START_TEST(test_sandbox_kill_runner_rootless)
{
	box_as_user(sandbox_kill_runner);
}
END_TEST

static void
sandbox_cancel(void)
{
	struct box b;
	char word[64], path[400] = "";
	int fds[2];

	snprintf(word, sizeof word, "aicert_unit_cancel_%d", (int)getpid());
	box_open(&b);
	/* its first output is what cancels it */
	ck_assert_int_eq(pipe(fds), 0);
	b.cancel_fd = fds[0];
	b.ready_fd = fds[1];
	box_run(&b, "/usr/bin/python3", "-c",
	    "import os, time; os.fork(); print('ready', flush=True); time.sleep(1000)", word, NULL);
	ck_assert_msg(b.end.reason == EVENT_CANCELLED, "%s", b.end.message);
	ck_assert(b.end.has_times);
	ck_assert_int_lt(box_find_process(word), 0);
	ck_assert(!sandbox_mounted("/run/aicert") && !sandbox_mounted(b.path));
	if (b.cgroup.dirs[0] != NULL)
		snprintf(path, sizeof path, "%s", b.cgroup.dirs[0]);
	cgroup_remove(&b.cgroup);
	ck_assert(path[0] == '\0' || access(path, F_OK) != 0);
	close(b.cancel_fd);
	close(b.ready_fd);
	box_close(&b);
}

START_TEST(test_sandbox_cancel)
{
	sandbox_cancel();
}
END_TEST

START_TEST(test_sandbox_cancel_rootless)
{
	box_as_user(sandbox_cancel);
}
END_TEST

/* Cancelled before it began. */
START_TEST(test_sandbox_cancel_early)
{
	struct box b;

	box_open(&b);
	b.cancel_fd = eventfd(1, EFD_CLOEXEC);
	box_run(&b, "/bin/sleep", "1000", NULL);
	ck_assert_int_eq(b.end.reason, EVENT_CANCELLED);
	close(b.cancel_fd);
	box_close(&b);
}
END_TEST

START_TEST(test_sandbox_probe)
{
	struct event_sandbox s;
	struct err e;

	UNIT_OK(sandbox_probe(&s, &e), &e);
	ck_assert_str_eq(s.name, "crun");
	ck_assert(s.version[0] >= '0' && s.version[0] <= '9');
	ck_assert_int_eq(s.rootless, geteuid() != 0);
	ck_assert(s.seccomp);
	ck_assert_uint_eq(s.uid, 65534);
	sandbox_probe_free(&s);
}
END_TEST

UNIT_SUITE(run_sandbox)
{
	tcase_add_test(tc, test_sandbox_exit_code);
	tcase_add_test(tc, test_sandbox_signal);
	tcase_add_test(tc, test_sandbox_command_missing);
	tcase_add_test(tc, test_sandbox_not_executable);
	tcase_add_test(tc, test_sandbox_cannot_be_set_up);
	tcase_add_test(tc, test_sandbox_environment);
	tcase_add_test(tc, test_sandbox_feigned_failure);
	tcase_add_test(tc, test_sandbox_useful);
	tcase_add_test(tc, test_sandbox_mounts_beneath);
	tcase_add_test(tc, test_sandbox_mount_flags);
	tcase_add_test(tc, test_sandbox_mount_flags_rootless);
	tcase_add_test(tc, test_sandbox_compiler);
	tcase_add_test(tc, test_sandbox_output_after_end);
	tcase_add_test(tc, test_sandbox_time_limit);
	tcase_add_test(tc, test_sandbox_time_limit_handled);
	tcase_add_test(tc, test_sandbox_time_limit_handled_rootless);
	tcase_add_test(tc, test_sandbox_memory_limit);
	tcase_add_test(tc, test_sandbox_cpu_limit);
	tcase_add_test(tc, test_sandbox_shm_limit);
	tcase_add_test(tc, test_sandbox_log_fails);
	tcase_add_test(tc, test_sandbox_kill_runner);
	tcase_add_test(tc, test_sandbox_kill_runner_rootless);
	tcase_add_test(tc, test_sandbox_cancel);
	tcase_add_test(tc, test_sandbox_cancel_rootless);
	tcase_add_test(tc, test_sandbox_cancel_early);
	tcase_add_test(tc, test_sandbox_probe);
}
