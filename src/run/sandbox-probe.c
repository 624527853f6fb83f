#include "run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "run/oci-config.h"
#include "run/sandbox-child.h"

#define SANDBOX_PROBE_TEXT_MAX 4096

static int
sandbox_probe_spawn(int out, pid_t *ret, struct err *e)
{
	char program[] = AICERT_CRUN, version[] = "--version", path[] = "PATH=/usr/bin:/bin";
	char *const argv[] = {program, version, NULL};
	char *const env[] = {path, NULL};
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc == 0) {
		rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
		if (rc == 0)
			rc = posix_spawn(ret, program, &actions, NULL, argv, env);
		posix_spawn_file_actions_destroy(&actions);
	}
	if (rc == ENOENT)
		return err_set(e, ERR_UNSUPPORTED, "%s: not found: install the package crun", program);
	errno = rc;
	return rc != 0 ? err_sys(e, "%s: cannot start", program) : 0;
}

/* What "crun --version" prints: "crun version 1.8.1\n...\n+SYSTEMD ... +SECCOMP ...". */
static int
sandbox_probe_crun(struct buf *ret, struct err *e)
{
	CLEANUP(cleanup_close) int in = -1;
	CLEANUP(cleanup_close) int out = -1;
	int fds[2], status = -1, rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_sys(e, "cannot make a pipe");
	in = fds[0];
	out = fds[1];
	if (sandbox_probe_spawn(out, &pid, e) != 0)
		return -1;
	close(out);
	out = -1;
	rc = fd_read_all(in, SANDBOX_PROBE_TEXT_MAX, ret, AICERT_CRUN, e);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && status != 0)
		rc = err_set(e, ERR_UNSUPPORTED, "%s --version failed", AICERT_CRUN);
	return rc;
}

static int
sandbox_probe_version(const char *text, char **ret, struct err *e)
{
	static const char start[] = "crun version ";
	size_t n;

	if (strncmp(text, start, sizeof start - 1) != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: does not say which version it is", AICERT_CRUN);
	text += sizeof start - 1;
	n = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz.-+~");
	if (n == 0 || n > 64)
		return err_set(e, ERR_UNSUPPORTED, "%s: says no version we understand", AICERT_CRUN);
	*ret = strndup(text, n);
	return *ret != NULL ? 0 : err_nomem(e);
}

static bool
sandbox_probe_seccomp(const char *crun_says)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return strstr(crun_says, "+SECCOMP") != NULL &&
	    syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static int
sandbox_probe_cgroup(bool *ret, struct err *e)
{
	struct cgroup c;
	char name[64];

	snprintf(name, sizeof name, CGROUP_PREFIX "%d-probe-%d", (int)getpid(), (int)gettid());
	if (cgroup_create(name, &c, e) != 0)
		return -1;
	*ret = cgroup_can_limit(&c);
	cgroup_remove(&c);
	return 0;
}

int
sandbox_probe(struct event_sandbox *ret, struct err *e)
{
	struct event_sandbox s = {.rootless = geteuid() != 0, .uid = OCI_CONFIG_UID};
	CLEANUP(buf_free) struct buf says = BUF_INIT;

	if (sandbox_probe_crun(&says, e) != 0 || sandbox_probe_cgroup(&s.cgroup, e) != 0)
		return -1;
	s.seccomp = sandbox_probe_seccomp(buf_str(&says));
	if (!s.seccomp)
		return err_set(e, ERR_UNSUPPORTED, "no seccomp filter can be set: the kernel or %s lacks it",
		    AICERT_CRUN);
	s.user_namespace = sandbox_child_user_namespaces();
	if (s.rootless && !s.user_namespace)
		return err_set(e, ERR_UNSUPPORTED, "an ordinary user may make no user namespace here "
		    "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone): "
		    "allow it, or run as root");
	if (sandbox_probe_version(buf_str(&says), &s.version, e) != 0)
		return -1;
	s.name = buf_strdup("crun", e);
	if (s.name == NULL) {
		free(s.version);
		return -1;
	}
	*ret = s;
	return 0;
}

void
sandbox_probe_free(struct event_sandbox *s)
{
	free(s->name);
	free(s->version);
	*s = (struct event_sandbox){0};
}
