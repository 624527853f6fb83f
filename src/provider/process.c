#include "provider/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/buf.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/printable.h"

#define PROCESS_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
#define PROCESS_LOG_MAX (1024u * 1024)
#define PROCESS_ENVIRON_MAX (1024u * 1024)
#define PROCESS_POLL_MS 200
#define PROCESS_ENV_COUNT 6
#define PROCESS_LOST (255 << 8) /* nobody knows how it ended: not well */

/* Relative parts of PATH would name programs of whatever directory we are in. */
static int
process_find_in(const char *path, const char *name, char **ret, struct err *e)
{
	while (*path != '\0') {
		size_t len = strcspn(path, ":");
		char *found;

		if (*path == '/') {
			struct stat st;

			found = buf_strfmt(e, "%.*s/%s", (int)len, path, name);
			if (found == NULL)
				return -1;
			if (access(found, X_OK) == 0 && stat(found, &st) == 0 && S_ISREG(st.st_mode)) {
				*ret = found;
				return 0;
			}
			free(found);
		}
		path += len + (path[len] == ':');
	}
	return 0;
}

int
process_find(const char *name, const char *package, char **ret, struct err *e)
{
	const char *path = getenv("PATH");
	char *found = NULL;

	if (path != NULL && process_find_in(path, name, &found, e) != 0)
		return -1;
	if (found == NULL && process_find_in(PROCESS_PATH, name, &found, e) != 0)
		return -1;
	if (found == NULL)
		return err_set(e, ERR_NOTFOUND, "%s is not installed (Debian has it in %s)", name, package);
	*ret = found;
	return 0;
}

struct process_env {
	char *vars[PROCESS_ENV_COUNT];  /* ends with NULL */
};

static void
process_env_free(struct process_env *v)
{
	for (size_t i = 0; i < PROCESS_ENV_COUNT; i++)
		free(v->vars[i]);
}

/* Nothing of the user's environment reaches the programs but the way to more of them. */
static int
process_env_fill(const struct process_options *o, struct process_env *v, struct err *e)
{
	const char *path = getenv("PATH");

	v->vars[0] = buf_strfmt(e, PROCESS_TAG "=%s", o->tag);
	v->vars[1] = buf_strfmt(e, "HOME=%s", o->dir);
	v->vars[2] = buf_strfmt(e, "TMPDIR=%s", o->dir);
	v->vars[3] = buf_strfmt(e, "PATH=%s", path != NULL ? path : PROCESS_PATH);
	v->vars[4] = buf_strdup("LC_ALL=C", e);
	for (size_t i = 0; i + 1 < PROCESS_ENV_COUNT; i++)
		if (v->vars[i] == NULL)
			return -1;
	return 0;
}

/* Everything that the child needs, ready before it is made. */
struct process_child {
	const struct process_options *o;
	char *const *env;
	int null, log, report;          /* descriptors */
	pid_t parent;
};

/* Between fork and exec: system calls alone. */
static void
process_become(const struct process_child *c)
{
	sigset_t none;
	int what;

	sigemptyset(&none);
	if (setsid() >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == c->parent &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0 && chdir(c->o->dir) == 0 &&
	    dup2(c->null, 0) == 0 && dup2(c->log, 1) == 1 && dup2(c->log, 2) == 2 &&
	    (c->o->fd < 0 || dup2(c->o->fd, PROCESS_FD) == PROCESS_FD))
		execve(c->o->program, c->o->argv, c->env);
	what = errno;
	if (write(c->report, &what, sizeof what) < 0)
		_exit(126);
	_exit(127);
}

/* Out of the way of the numbers that the child gives its own. */
static int
process_high(int fd)
{
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (fd >= 0)
		close(fd);
	return high;
}

static int
process_fork(struct process_child *c, int report[2], pid_t *ret, struct err *e)
{
	int what;
	ssize_t n;
	pid_t pid;

	c->parent = getpid();
	pid = fork();
	if (pid < 0)
		return err_sys(e, "%s: cannot start", c->o->program);
	if (pid == 0)
		process_become(c);
	close(report[1]);
	report[1] = -1;
	do
		n = read(report[0], &what, sizeof what);
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		*ret = pid;
		return 0;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = n == (ssize_t)sizeof what ? what : EIO;
	return err_sys(e, "%s: cannot start", c->o->program);
}

static int
process_open_log(const struct process_options *o, int *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/%s", o->dir, o->log);

	if (path == NULL)
		return -1;
	*ret = process_high(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
	return *ret >= 0 ? 0 : err_sys(e, "%s", path);
}

int
process_start(const struct process_options *o, pid_t *ret, struct err *e)
{
	CLEANUP(process_env_free) struct process_env env = {{NULL}};
	struct process_child c = {.o = o, .env = env.vars, .null = -1, .log = -1};
	int report[2] = {-1, -1}, rc = -1;

	if (process_env_fill(o, &env, e) != 0 || process_open_log(o, &c.log, e) != 0)
		return -1;
	c.null = process_high(open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (c.null < 0 || pipe2(report, O_CLOEXEC) != 0) {
		err_sys(e, "cannot make a pipe");
	} else {
		report[1] = process_high(report[1]);
		c.report = report[1];
		rc = c.report < 0 ? err_sys(e, "cannot make a pipe") : process_fork(&c, report, ret, e);
	}
	for (size_t i = 0; i < 2; i++)
		if (report[i] >= 0)
			close(report[i]);
	if (c.null >= 0)
		close(c.null);
	close(c.log);
	return rc;
}

bool
process_alive(pid_t pid, int *ret_status)
{
	pid_t got;

	do
		got = waitpid(pid, ret_status, WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		*ret_status = PROCESS_LOST;
	return got == 0;
}

/* A program that stops says so on its descriptor; a signal to us wakes the wait too. */
static int
process_wait(pid_t pid, int *ret_status, struct err *e)
{
	struct pollfd p[2] = {
		{.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN},
		{.fd = interrupt_fd(), .events = POLLIN},
	};
	int rc = 0;

	while (rc == 0 && process_alive(pid, ret_status)) {
		rc = interrupt_check(e);
		if (rc == 0 && poll(p, 2, PROCESS_POLL_MS) < 0 && errno != EINTR)
			rc = err_sys(e, "cannot wait for a program");
	}
	if (p[0].fd >= 0)
		close(p[0].fd);
	if (rc != 0)
		process_end(pid);
	return rc;
}

int
process_run(const struct process_options *o, struct err *e)
{
	CLEANUP(cleanup_free) char *log = buf_strfmt(e, "%s/%s", o->dir, o->log);
	CLEANUP(cleanup_free) char *line = NULL;
	int status = 0;
	pid_t pid;

	if (log == NULL || process_start(o, &pid, e) != 0 || process_wait(pid, &status, e) != 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	line = process_last_line(log, e);
	if (line == NULL)
		return -1;
	return err_set(e, ERR_IO, "%s failed%s%s", o->program, *line != '\0' ? ": " : "", line);
}

void
process_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* One NAME=VALUE of /proc/PID/environ. */
static bool
process_has(const struct buf *environment, const char *var, size_t len)
{
	const char *p = (const char *)environment->data;
	size_t left = environment->len;

	while (left > len) {
		const char *end = memchr(p, '\0', left);
		size_t n = end != NULL ? (size_t)(end - p) : left;

		if (n == len && memcmp(p, var, len) == 0)
			return true;
		p += n + (end != NULL);
		left -= n + (end != NULL);
	}
	return false;
}

/* By its descriptor: a number may belong to another process by the time it is used. */
static bool
process_sweep_one(int proc, const char *name, const char *var)
{
	CLEANUP(buf_free) struct buf environment = BUF_INIT;
	CLEANUP(cleanup_close) int pidfd = (int)syscall(SYS_pidfd_open,
	    (pid_t)strtol(name, NULL, 10), 0);
	char path[64];

	snprintf(path, sizeof path, "%.20s/environ", name);
	if (pidfd < 0 ||
	    fd_read_file(proc, path, PROCESS_ENVIRON_MAX, &environment, NULL) != 0 ||
	    !process_has(&environment, var, strlen(var)))
		return false;
	return syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0;
}

size_t
process_sweep(const char *tag)
{
	CLEANUP(cleanup_free) char *var = buf_strfmt(NULL, PROCESS_TAG "=%s", tag);
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char self[16];
	size_t n = 0;

	snprintf(self, sizeof self, "%ld", (long)getpid());
	while (proc != NULL && var != NULL && (entry = readdir(proc)) != NULL) {
		if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
		    strcmp(entry->d_name, self) != 0 && process_sweep_one(dirfd(proc), entry->d_name, var))
			n++;
	}
	if (proc != NULL)
		closedir(proc);
	return n;
}

char *
process_last_line(const char *path, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err ignored;
	char *line, *end;

	if (fd_read_file(AT_FDCWD, path, PROCESS_LOG_MAX, &text, &ignored) != 0 || text.len == 0)
		return buf_strdup("", e);
	end = (char *)text.data + text.len;
	while (end > (char *)text.data && strchr("\r\n", end[-1]) != NULL)
		*--end = '\0';
	line = end;
	while (line > (char *)text.data && line[-1] != '\n' && line[-1] != '\0')
		line--;
	return printable(line, e);
}
