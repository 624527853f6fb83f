#include "git/git-program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/interrupt.h"
#include "base/printable.h"

#define GIT_PROGRAM_OUT_MAX (1024u * 1024)
#define GIT_PROGRAM_LINE 512
#define GIT_PROGRAM_COMPLAINT 4096

/* What every call has: no hook, no helper of a repository, no redirect, no silent wait. */
static const char *const git_program_options[] = {
	"git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0",
	"-c", "maintenance.auto=false", "-c", "http.followRedirects=false",
	"-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60", "-c", "protocol.version=2",
	"-c", "transfer.fsckObjects=true", "-c", "fetch.unpackLimit=1",
	"-c", "submodule.recurse=false", "-c", "push.gpgSign=false", "-c", "push.followTags=false",
	"-c", "pack.window=0", "-c", "pack.compression=0", "-c", "core.bigFileThreshold=512k",
	"-c", "fetch.writeCommitGraph=false", "-c", "advice.pushUpdateRejected=false",
};

/* Variables of git that say how this user reaches others; all its other ones are about another
 * repository, or about what to run. */
static const char *const git_program_kept[] = {
	"GIT_SSH=", "GIT_SSH_COMMAND=", "GIT_SSH_VARIANT=", "GIT_ASKPASS=", "GIT_TERMINAL_PROMPT=",
	"GIT_SSL_CAINFO=", "GIT_SSL_CAPATH=", "GIT_SSL_CERT=", "GIT_SSL_KEY=", "GIT_PROXY_SSL_CAINFO=",
	"GIT_CONFIG_NOSYSTEM=", "GIT_CONFIG_GLOBAL=", "GIT_CONFIG_SYSTEM=", "GIT_HTTP_USER_AGENT=",
};

static const char *const git_program_set[] = {
	"GIT_DIR=.", "GIT_ALLOW_PROTOCOL=https:ssh:file", "GIT_NO_REPLACE_OBJECTS=1", "LC_ALL=C",
};

extern char **environ;

static bool
git_program_keeps(const char *variable)
{
	if (strncmp(variable, "LC_ALL=", 7) == 0 || strncmp(variable, "LANGUAGE=", 9) == 0)
		return false;
	if (strncmp(variable, "GIT_", 4) != 0)
		return true;
	for (size_t i = 0; i < sizeof git_program_kept / sizeof *git_program_kept; i++)
		if (strncmp(variable, git_program_kept[i], strlen(git_program_kept[i])) == 0)
			return true;
	return false;
}

/* malloc'd; its strings are not. */
static const char **
git_program_environment(struct err *e)
{
	size_t n = 0, set = sizeof git_program_set / sizeof *git_program_set;
	const char **env;

	while (environ[n] != NULL)
		n++;
	env = calloc(n + set + 2, sizeof *env);
	if (env == NULL) {
		err_nomem(e);
		return NULL;
	}
	n = 0;
	for (char **v = environ; *v != NULL; v++)
		if (git_program_keeps(*v))
			env[n++] = *v;
	for (size_t i = 0; i < set; i++)
		env[n++] = git_program_set[i];
	if (!isatty(STDIN_FILENO))
		env[n++] = "GIT_TERMINAL_PROMPT=0";
	return env;
}

static const char **
git_program_arguments(const char *const *args, struct err *e)
{
	size_t n = 0, fixed = sizeof git_program_options / sizeof *git_program_options;
	const char **argv;

	while (args[n] != NULL)
		n++;
	argv = calloc(fixed + n + 1, sizeof *argv);
	if (argv == NULL) {
		err_nomem(e);
		return NULL;
	}
	memcpy(argv, git_program_options, sizeof git_program_options);
	memcpy(argv + fixed, args, n * sizeof *args);
	return argv;
}

struct git_program_child {
	const struct git_program *p;
	pid_t pid;
	int out, complaint;     /* our ends; -1: closed */
	char line[GIT_PROGRAM_LINE];
	size_t line_len;
	bool drawn;
};

/* In the child, between fork and exec. */
static void
git_program_exec(const struct git_program *p, int out, int complaint, const char **argv,
    const char **env)
{
	struct rlimit files = {GIT_PROGRAM_FILE_MAX, GIT_PROGRAM_FILE_MAX};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setrlimit(RLIMIT_FSIZE, &files);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(complaint, STDERR_FILENO) < 0 || chdir(p->dir) != 0)
		_exit(126);
	execvpe(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	_exit(errno == ENOENT ? 127 : 126);
}

static int
git_program_start(struct git_program_child *c, const char **argv, const char **env, struct err *e)
{
	int out[2], complaint[2];

	if (pipe2(out, O_CLOEXEC) != 0)
		return err_sys(e, "cannot make a pipe");
	if (pipe2(complaint, O_CLOEXEC) != 0) {
		close(out[0]);
		close(out[1]);
		return err_sys(e, "cannot make a pipe");
	}
	c->pid = fork();
	if (c->pid == 0)
		git_program_exec(c->p, out[1], complaint[1], argv, env);
	close(out[1]);
	close(complaint[1]);
	c->out = out[0];
	c->complaint = complaint[0];
	return c->pid > 0 ? 0 : err_sys(e, "cannot start git");
}

/* Its progress, on a terminal: lines that a server wrote ("remote: ...") are not shown. */
static void
git_program_draw(struct git_program_child *c)
{
	CLEANUP(cleanup_free) char *safe = NULL;

	c->line[c->line_len] = '\0';
	if (c->p->progress == NULL || strchr(c->line, '%') == NULL || strncmp(c->line, "remote:", 7) == 0)
		return;
	safe = printable(c->line, NULL);
	fprintf(c->p->progress, "\r\033[K%s", safe != NULL ? safe : "");
	fflush(c->p->progress);
	c->drawn = true;
}

/* Of what it says the end is kept: a failure is told last. */
static void
git_program_said(struct git_program_child *c, const char *data, size_t len, struct buf *ret)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\r' && data[i] != '\n') {
			if (c->line_len < sizeof c->line - 1)
				c->line[c->line_len++] = data[i];
			continue;
		}
		git_program_draw(c);
		if (data[i] == '\n') {
			if (ret->len > GIT_PROGRAM_COMPLAINT)
				buf_reset(ret);
			buf_addf(ret, "%.*s\n", (int)c->line_len, c->line);
		}
		c->line_len = 0;
	}
}

/* false: nothing more comes from this end. */
static bool
git_program_take(struct git_program_child *c, int *fd, struct buf *ret, bool complaint)
{
	char block[4096];
	ssize_t n = read(*fd, block, sizeof block);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
		return false;
	}
	if (complaint)
		git_program_said(c, block, (size_t)n, ret);
	else if (ret->len + (size_t)n <= GIT_PROGRAM_OUT_MAX)
		buf_add(ret, block, (size_t)n);
	return true;
}

static int
git_program_listen(struct git_program_child *c, struct buf *out, struct buf *complaint, struct err *e)
{
	while (c->out >= 0 || c->complaint >= 0) {
		struct pollfd p[3] = {{c->out, POLLIN, 0}, {c->complaint, POLLIN, 0},
		    {interrupt_fd(), POLLIN, 0}};

		if (poll(p, 3, 1000) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait for git");
		if (interrupt_check(e) != 0)
			return -1;
		if (c->out >= 0 && p[0].revents != 0)
			git_program_take(c, &c->out, out, false);
		if (c->complaint >= 0 && p[1].revents != 0)
			git_program_take(c, &c->complaint, complaint, true);
	}
	return buf_check(out, e) != 0 ? -1 : buf_check(complaint, e);
}

static int
git_program_end(struct git_program_child *c, bool stop, int *ret_status, struct err *e)
{
	int status;

	if (stop)
		kill(c->pid, SIGTERM);
	if (c->out >= 0)
		close(c->out);
	if (c->complaint >= 0)
		close(c->complaint);
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "cannot wait for git");
	if (c->drawn)
		fprintf(c->p->progress, "\r\033[K");
	if (stop)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, ERR_NOTFOUND, "there is no git program: install git");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return 0;
}

int
git_program_run(const struct git_program *p, int *ret_status, struct buf *ret_out,
    struct buf *ret_complaint, struct err *e)
{
	CLEANUP(cleanup_free) const char **argv = git_program_arguments(p->args, e);
	CLEANUP(cleanup_free) const char **env = argv != NULL ? git_program_environment(e) : NULL;
	struct git_program_child c = {.p = p, .out = -1, .complaint = -1};
	int rc;

	if (env == NULL || git_program_start(&c, argv, env, e) != 0)
		return -1;
	rc = git_program_listen(&c, ret_out, ret_complaint, e);
	return git_program_end(&c, rc != 0, ret_status, e);
}
