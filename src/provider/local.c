#include "provider/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "base/buf.h"
#include "base/fd.h"
#include "base/interrupt.h"

#define LOCAL_STOP_MS 30000     /* a run is cancelled and cleaned up within */
#define LOCAL_LINE_MAX 4096
#define LOCAL_CHILD_CONTROL 3   /* descriptors in the daemon */
#define LOCAL_CHILD_READY 4

struct local {
	pid_t pid;              /* 0: not started, or reaped */
	int control;            /* our end of the control pipe */
	char *dir;
	char *socket;
};

/* Beside the running program, where a build tree has it too, else where it is installed. */
static char *
local_daemon(struct err *e)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *path, *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
		path = buf_strfmt(e, "%s/aicertd", self);
		if (path == NULL || access(path, X_OK) == 0)
			return path;
		free(path);
	}
	if (access(AICERT_BINDIR "/aicertd", X_OK) != 0) {
		err_set(e, ERR_NOTFOUND, "aicertd is neither beside this program nor in "
		    AICERT_BINDIR);
		return NULL;
	}
	return buf_strdup(AICERT_BINDIR "/aicertd", e);
}

/* A directory for the socket; where the user's run-time directory would make the path
 * too long for a socket's address, /tmp is used. */
static int
local_make_dir(struct local *l, struct err *e)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	const char *parents[] = {run != NULL && run[0] == '/' ? run : "/tmp", "/tmp"};
	struct sockaddr_un addr;

	for (size_t i = 0; i < 2; i++) {
		free(l->dir);
		l->dir = buf_strfmt(e, "%s/aicert-XXXXXX", parents[i]);
		if (l->dir == NULL)
			return -1;
		if (strlen(l->dir) + sizeof "/socket" > sizeof addr.sun_path)
			continue;
		if (mkdtemp(l->dir) != NULL) {
			l->socket = buf_strfmt(e, "%s/socket", l->dir);
			return l->socket != NULL ? 0 : -1;
		}
	}
	err_sys(e, "%s: cannot make a directory for the daemon's socket", l->dir);
	free(l->dir);
	l->dir = NULL;
	return -1;
}

/* A pipe whose ends are out of the way of the daemon's numbers. */
static int
local_pipe(int ret[2], struct err *e)
{
	int p[2], rc = 0;

	if (pipe2(p, O_CLOEXEC) != 0)
		return err_sys(e, "cannot make a pipe");
	ret[0] = fcntl(p[0], F_DUPFD_CLOEXEC, 10);
	ret[1] = fcntl(p[1], F_DUPFD_CLOEXEC, 10);
	if (ret[0] < 0 || ret[1] < 0) {
		rc = err_sys(e, "cannot make a pipe");
		for (int i = 0; i < 2; i++)
			if (ret[i] >= 0)
				close(ret[i]);
		ret[0] = ret[1] = -1;
	}
	close(p[0]);
	close(p[1]);
	return rc;
}

/* control, ready: the daemon's ends. In its own session: Ctrl-C on the terminal is ours
 * to translate into a cancelled run. */
static int
local_spawn(struct local *l, const struct local_options *o, const char *program, int control,
    int ready, struct err *e)
{
	char *argv[] = {
		(char *)(uintptr_t)"aicertd",
		(char *)(uintptr_t)"--store", (char *)(uintptr_t)store_path(o->store),
		(char *)(uintptr_t)"--socket", l->socket,
		(char *)(uintptr_t)"--tpm", (char *)(uintptr_t)o->tpm,
		(char *)(uintptr_t)"--control-fd", (char *)(uintptr_t)"3",
		(char *)(uintptr_t)"--ready-fd", (char *)(uintptr_t)"4", NULL,
	};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int rc;

	sigemptyset(&none);
	if (posix_spawn_file_actions_init(&files) != 0)
		return err_nomem(e);
	if (posix_spawnattr_init(&attr) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return err_nomem(e);
	}
	rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, control, LOCAL_CHILD_CONTROL);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&files, ready, LOCAL_CHILD_READY);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(&attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	if (rc == 0)
		rc = posix_spawn(&l->pid, program, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (rc != 0) {
		l->pid = 0;
		errno = rc;
		return err_sys(e, "%s: cannot start", program);
	}
	return 0;
}

/* One line of the daemon: *ret_ready, or it waits, or it is why it will not serve. */
static void
local_line(const struct local_options *o, const char *line, bool *ret_ready, struct buf *why)
{
	static const char listening[] = "aicertd: listening on ", waiting[] = "aicertd: waiting: ";

	if (strncmp(line, listening, sizeof listening - 1) == 0) {
		*ret_ready = true;
	} else if (strncmp(line, waiting, sizeof waiting - 1) == 0) {
		notice_say(&o->notice, "%s", line + sizeof waiting - 1);
	} else {
		if (why->len > 0)
			buf_addc(why, '\n');
		buf_adds(why, strncmp(line, "aicertd: ", 9) == 0 ? line + 9 : line);
	}
}

/* Takes whole lines out of what has come. */
static void
local_lines(const struct local_options *o, struct buf *in, bool *ret_ready, struct buf *why)
{
	char *end;

	while (in->len > 0 && (end = memchr(in->data, '\n', in->len)) != NULL) {
		size_t used = (size_t)(end - (char *)in->data) + 1;

		*end = '\0';
		local_line(o, (char *)in->data, ret_ready, why);
		memmove(in->data, in->data + used, in->len - used);
		in->len -= used;
	}
}

/* The exit status back to a code of that class. */
static int
local_failed(struct local *l, const struct buf *why, struct err *e)
{
	enum err_code code = ERR_IO;
	int status = 0;
	pid_t got;

	do
		got = waitpid(l->pid, &status, 0);
	while (got < 0 && errno == EINTR);
	l->pid = 0;
	if (got < 0)
		return err_sys(e, "aicertd: cannot wait for it");
	if (WIFSIGNALED(status))
		return err_set(e, ERR_INTERNAL, "aicertd: killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) == err_exit_status(ERR_USAGE))
		code = ERR_USAGE;
	else if (WEXITSTATUS(status) == err_exit_status(ERR_CORRUPT))
		code = ERR_CORRUPT;
	if (why->len > 0)
		return err_set(e, code, "aicertd: %s", buf_str(why));
	return err_set(e, code, "aicertd: ended with status %d before it was ready",
	    WEXITSTATUS(status));
}

static int
local_wait_ready(struct local *l, const struct local_options *o, int ready_fd, struct err *e)
{
	CLEANUP(buf_free) struct buf in = {.max = LOCAL_LINE_MAX}, why = {.max = LOCAL_LINE_MAX};
	struct pollfd p[2] = {
		{.fd = ready_fd, .events = POLLIN}, {.fd = interrupt_fd(), .events = POLLIN},
	};
	char block[512];
	bool ready = false;

	while (!ready) {
		ssize_t n;

		if (interrupt_check(e) != 0)
			return -1;
		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_sys(e, "cannot wait for aicertd");
		}
		if (p[0].revents == 0)
			continue;
		n = read(ready_fd, block, sizeof block);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return local_failed(l, &why, e);
		buf_add(&in, block, (size_t)n);
		if (in.failed || why.failed)
			return err_set(e, ERR_INTERNAL, "aicertd: says too much");
		local_lines(o, &in, &ready, &why);
	}
	return 0;
}

static int
local_launch(struct local *l, const struct local_options *o, struct err *e)
{
	CLEANUP(cleanup_free) char *program = local_daemon(e);
	int control[2] = {-1, -1}, ready[2] = {-1, -1};
	int rc;

	if (program == NULL || local_make_dir(l, e) != 0)
		return -1;
	rc = local_pipe(control, e);
	if (rc == 0)
		rc = local_pipe(ready, e);
	if (rc == 0)
		rc = local_spawn(l, o, program, control[0], ready[1], e);
	if (control[0] >= 0)
		close(control[0]);
	if (ready[1] >= 0)
		close(ready[1]);
	l->control = control[1];
	if (rc == 0)
		rc = local_wait_ready(l, o, ready[0], e);
	if (ready[0] >= 0)
		close(ready[0]);
	return rc;
}

int
local_start_with(const struct local_options *o, struct local **ret, struct err *e)
{
	struct local *l = calloc(1, sizeof *l);

	if (l == NULL)
		return err_nomem(e);
	l->control = -1;
	if (local_launch(l, o, e) != 0) {
		local_stop(l);
		return -1;
	}
	*ret = l;
	return 0;
}

int
local_start(struct store *s, const char *tpm, struct local **ret, struct err *e)
{
	return local_start_with(&(struct local_options){.store = s, .tpm = tpm}, ret, e);
}

const char *
local_socket(const struct local *l)
{
	return l->socket;
}

pid_t
local_pid(const struct local *l)
{
	return l->pid;
}

/* True once it has ended; waits up to LOCAL_STOP_MS. */
static bool
local_wait_end(pid_t pid)
{
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	int n = 0;

	if (p.fd >= 0) {
		do
			n = poll(&p, 1, LOCAL_STOP_MS);
		while (n < 0 && errno == EINTR);
		close(p.fd);
	}
	return n > 0;
}

void
local_stop(struct local *l)
{
	struct err e;

	if (l == NULL)
		return;
	if (l->control >= 0)
		close(l->control);
	if (l->pid > 0) {
		if (!local_wait_end(l->pid))
			kill(l->pid, SIGKILL);
		while (waitpid(l->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (l->dir != NULL && fd_remove_tree(AT_FDCWD, l->dir, &e) != 0)
		errno = 0; /* a directory left in /tmp is harmless */
	free(l->dir);
	free(l->socket);
	free(l);
}
