#include "run/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/clock.h"
#include "base/fd.h"
#include "base/timestamp.h"
#include "codec/jcs.h"
#include "run/oci-config.h"
#include "run/sandbox-child.h"
#include "run/sandbox-stop.h"

#define SANDBOX_CRUN_LOG_MAX 65536u
#define SANDBOX_READ 65536

enum sandbox_stop { SANDBOX_STOP_NONE, SANDBOX_STOP_ASKED, SANDBOX_STOP_KILLED };

/* A started supervisor, watched until it is gone. */
struct sandbox_watch {
	const struct sandbox *s;
	struct sandbox_end *end;
	pid_t pid;
	int status_fd, output_fd;       /* -1 once at end of file */
	bool crun_failed, ended, executed;
	int crun_status, wait_status;
	int step, step_errno;           /* step < 0: none failed */
	enum sandbox_stop stop;
	enum event_reason stop_reason;
	bool stopped;                   /* by us, for stop_reason */
	int64_t deadline, kill_at;      /* 0: none; monotonic milliseconds */
	bool log_failed;
	struct err log_err;
};

/* As given, but never above our own hard limit: only root may raise that. */
static uint64_t
sandbox_file_limit(uint64_t bytes)
{
	struct rlimit own;

	if (bytes == 0 || getrlimit(RLIMIT_FSIZE, &own) != 0)
		return 0;
	return own.rlim_max < bytes ? own.rlim_max : bytes;
}

static int
sandbox_bundle(const struct sandbox *s, struct err *e)
{
	bool rootless = s->enforce->rootless;
	const struct oci_config config = {
		.spec = s->spec,
		.rootfs = s->rootfs,
		.file_bytes_max = sandbox_file_limit(s->file_bytes_max),
		.user_namespace = s->enforce->user_namespace,
		/* rootless: one id only, which the supervisor's map calls 0 */
		.host_uid = rootless ? 0 : OCI_CONFIG_UID,
		.host_gid = rootless ? 0 : OCI_CONFIG_UID,
		.root_mapped = !rootless,
	};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_close) int fd = -1;

	if (oci_config_encode(&config, &text, e) != 0 ||
	    fd_mkdirs_beneath(s->run_dirfd, "bundle", 0700, e) != 0)
		return -1;
	fd = fd_open_beneath(s->run_dirfd, "bundle/config.json", O_WRONLY | O_CREAT | O_EXCL, 0600, e);
	if (fd < 0 || fd_write_all(fd, text.data, text.len, "config.json", e) != 0)
		return -1;
	return fd_close(&fd, "config.json", e);
}

static void
sandbox_maps(struct sandbox_child *c)
{
	snprintf(c->uid_map, sizeof c->uid_map, "0 %u 1", (unsigned)geteuid());
	snprintf(c->gid_map, sizeof c->gid_map, "0 %u 1", (unsigned)getegid());
}

/* Descriptors of the start, closed whatever happens. */
struct sandbox_fds {
	int sync[2], status[2], output[2], null, limits[CGROUP_KINDS];
};

#define SANDBOX_FDS_INIT {{-1, -1}, {-1, -1}, {-1, -1}, -1, {-1, -1, -1, -1}}

static void
sandbox_fds_close(const struct sandbox_fds *f)
{
	const int all[] = {f->sync[0], f->sync[1], f->status[0], f->status[1], f->output[0],
	    f->output[1], f->null, f->limits[0], f->limits[1], f->limits[2], f->limits[3]};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		cleanup_close(&all[i]);
}

static int
sandbox_fds_open(const struct sandbox *s, struct sandbox_fds *f, struct err *e)
{
	if (pipe2(f->sync, O_CLOEXEC) != 0 || pipe2(f->status, O_CLOEXEC) != 0 ||
	    pipe2(f->output, O_CLOEXEC) != 0)
		return err_sys(e, "cannot make a pipe");
	f->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (f->null < 0)
		return err_sys(e, "/dev/null: cannot open");
	return cgroup_open_procs(s->cgroup, f->limits, e);
}

/* Absolute, as the kernel knows it. */
static int
sandbox_path(int dirfd, char ret[PATH_MAX], struct err *e)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
	n = readlink(link, ret, PATH_MAX);
	if (n < 0)
		return err_sys(e, "cannot find the path of the run's directory");
	if (n == PATH_MAX)
		return err_set(e, ERR_LIMIT, "the path of the run's directory is too long");
	ret[n] = '\0';
	return 0;
}

static int
sandbox_start(struct sandbox_watch *w, struct err *e)
{
	char crun[] = "crun", cgroups[] = "--cgroup-manager=disabled", root[] = "--root=/run/crun",
	    log[] = "--log=file:" OCI_CONFIG_DIR "/crun.log", format[] = "--log-format=json",
	    run[] = "run", detach[] = "--detach", pid_file[] = "--pid-file=/run/command.pid",
	    bundle[] = "--bundle=" OCI_CONFIG_DIR "/bundle", id[] = "run";
	char *const argv[] = {crun, cgroups, root, log, format, run, detach, pid_file, bundle, id, NULL};
	CLEANUP(sandbox_fds_close) struct sandbox_fds f = SANDBOX_FDS_INIT;
	struct sandbox_child c = {.program = AICERT_CRUN, .argv = argv};
	char path[PATH_MAX];

	if (sandbox_path(w->s->run_dirfd, path, e) != 0 || sandbox_bundle(w->s, e) != 0 ||
	    sandbox_fds_open(w->s, &f, e) != 0)
		return -1;
	c.run_dirfd = w->s->run_dirfd;
	c.run_path = path;
	c.sync_fd = f.sync[0];
	c.status_fd = f.status[1];
	c.output_fd = f.output[1];
	c.null_fd = f.null;
	memcpy(c.limit_fds, f.limits, sizeof c.limit_fds);
	c.rootless = w->s->enforce->rootless;
	sandbox_maps(&c);
	w->pid = sandbox_child_start(&c);
	if (w->pid < 0)
		return err_sys(e, "cannot make namespaces for the sandbox");
	w->status_fd = f.status[0];
	w->output_fd = f.output[0];
	f.status[0] = f.output[0] = -1;
	/* a supervisor that is already gone shows as end of file below */
	if (write(f.sync[1], "", 1) != 1 && errno != EPIPE)
		(void)kill(w->pid, SIGKILL);
	return 0;
}

static void
sandbox_kill(struct sandbox_watch *w)
{
	(void)kill(w->pid, SIGKILL); /* PID 1 of its namespace: all go with it */
	w->stop = SANDBOX_STOP_KILLED;
	w->kill_at = 0;
}

static void
sandbox_ask(struct sandbox_watch *w, enum event_reason why)
{
	w->stopped = true;
	w->stop_reason = why;
	w->deadline = 0;
	if (!w->end->has_times || sandbox_stop_ask(w->pid) == 0) {
		sandbox_kill(w);
		return;
	}
	w->stop = SANDBOX_STOP_ASKED;
	w->kill_at = clock_ms() + SANDBOX_GRACE_MS;
}

static void
sandbox_started(struct sandbox_watch *w)
{
	uint64_t limit = w->s->spec->limits.time_seconds;

	w->end->has_times = true;
	w->end->started = timestamp_now();
	if (limit != 0 && limit <= INT64_MAX / 2000)
		w->deadline = clock_ms() + (int64_t)limit * 1000;
	if (w->s->started != NULL)
		w->s->started(w->s->arg);
}

static void
sandbox_status(struct sandbox_watch *w)
{
	struct sandbox_child_message m;
	ssize_t n = read(w->status_fd, &m, sizeof m);

	if (n < 0 && errno == EINTR)
		return;
	if (n != sizeof m) { /* end of file: the supervisor is gone */
		close(w->status_fd);
		w->status_fd = -1;
	} else if (m.what == SANDBOX_CHILD_STARTED) {
		sandbox_started(w);
	} else if (m.what == SANDBOX_CHILD_ENDED) {
		w->ended = true;
		w->wait_status = m.a;
		w->executed = m.b != 0;
		w->end->finished = timestamp_now();
	} else if (m.what == SANDBOX_CHILD_CRUN) {
		w->crun_failed = true;
		w->crun_status = m.a;
	} else {
		w->step = m.a;
		w->step_errno = m.b;
	}
}

static void
sandbox_output(struct sandbox_watch *w)
{
	unsigned char data[SANDBOX_READ];
	ssize_t n = read(w->output_fd, data, sizeof data);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(w->output_fd);
		w->output_fd = -1;
	} else if (!w->log_failed && w->s->log(w->s->arg, data, (size_t)n, &w->log_err) != 0) {
		w->log_failed = true;
		sandbox_kill(w);
	}
}

static int
sandbox_timeout(const struct sandbox_watch *w)
{
	int64_t at = w->kill_at != 0 ? w->kill_at : w->deadline;
	int64_t left;

	if (at == 0)
		return -1;
	left = at - clock_ms();
	return left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

static void
sandbox_clock(struct sandbox_watch *w)
{
	int64_t now = clock_ms();

	if (w->deadline != 0 && now >= w->deadline)
		sandbox_ask(w, EVENT_TIME_LIMIT);
	else if (w->kill_at != 0 && now >= w->kill_at)
		sandbox_kill(w);
}

/* Until the supervisor is gone and the last byte of output was read: nobody else
 * holds the pipe then. */
static void
sandbox_loop(struct sandbox_watch *w)
{
	while (w->status_fd >= 0 || w->output_fd >= 0) {
		struct pollfd fds[3] = {
			{.fd = w->status_fd, .events = POLLIN},
			{.fd = w->output_fd, .events = POLLIN},
			{.fd = w->stop == SANDBOX_STOP_NONE ? w->s->cancel_fd : -1, .events = POLLIN},
		};

		if (poll(fds, 3, sandbox_timeout(w)) < 0 && errno != EINTR) {
			sandbox_kill(w);
			return;
		}
		if (fds[1].revents != 0)
			sandbox_output(w);
		if (fds[0].revents != 0)
			sandbox_status(w);
		if (fds[2].revents != 0 && !w->ended)
			sandbox_ask(w, EVENT_CANCELLED);
		sandbox_clock(w);
	}
}

/* The last message of crun's log, "" when it has none. */
static void
sandbox_crun_says(const struct sandbox *s, char *ret, size_t cap)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *msg;
	char *line, *nl;

	ret[0] = '\0';
	if (fd_read_file(s->run_dirfd, "crun.log", SANDBOX_CRUN_LOG_MAX, &text, NULL) != 0 ||
	    text.len == 0)
		return;
	if (text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	nl = strrchr((char *)text.data, '\n');
	line = nl != NULL ? nl + 1 : (char *)text.data;
	if (jcs_decode_any(line, strlen(line), SANDBOX_CRUN_LOG_MAX, &v, NULL) != 0)
		return;
	msg = jcs_get_string(v, "msg");
	if (msg != NULL)
		snprintf(ret, cap, "%s", msg);
}

/* crun says these when all is set up and the command itself is at fault. */
static bool
sandbox_not_started(const char *says)
{
	static const char *const starts[] = {
		"executable file `", "open executable"
	};

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncmp(says, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static void
sandbox_judge_failure(const struct sandbox_watch *w, const char *says, struct sandbox_end *end)
{
	end->reason = w->ended || sandbox_not_started(says) ? EVENT_NOT_STARTED : EVENT_SANDBOX;
	end->has_times = false;
	if (w->ended)
		snprintf(end->message, sizeof end->message, "the command cannot be executed: it is no program,"
		    " or its interpreter or loader is missing");
	else if (w->step >= 0)
		snprintf(end->message, sizeof end->message, "%s: %s", sandbox_child_step_name(w->step),
		    strerror(w->step_errno));
	else if (says[0] != '\0')
		snprintf(end->message, sizeof end->message, "crun: %.400s", says);
	else if (w->crun_failed && WIFSIGNALED(w->crun_status))
		snprintf(end->message, sizeof end->message, "crun: ended by signal %d",
		    WTERMSIG(w->crun_status));
	else
		snprintf(end->message, sizeof end->message, "the sandbox ended before the command did");
}

static void
sandbox_judge(const struct sandbox_watch *w, struct sandbox_end *end)
{
	char says[400];

	sandbox_crun_says(w->s, says, sizeof says);
	if (end->has_times && end->finished == 0)
		end->finished = timestamp_now();
	if (w->ended && w->executed) {
		end->has_exit_code = WIFEXITED(w->wait_status);
		end->exit_code = end->has_exit_code ? WEXITSTATUS(w->wait_status) : 0;
		end->has_signal = WIFSIGNALED(w->wait_status);
		end->signal = end->has_signal ? WTERMSIG(w->wait_status) : 0;
	}
	if (w->log_failed) { /* what the command did counts for nothing then */
		end->reason = EVENT_SANDBOX;
		end->has_exit_code = end->has_signal = end->has_times = false;
		end->exit_code = end->signal = 0;
		snprintf(end->message, sizeof end->message, "%.500s", w->log_err.msg);
	} else if (w->stopped) {
		end->reason = w->stop_reason;
	} else if (!w->ended || !w->executed) {
		sandbox_judge_failure(w, says, end);
	} else if (end->usage.oom_kills > 0 && w->s->spec->limits.memory_bytes != 0 &&
	    (end->has_signal || end->exit_code != 0)) {
		end->reason = EVENT_MEMORY_LIMIT;
	} else {
		end->reason = end->has_signal ? EVENT_SIGNALED : EVENT_EXITED;
	}
}

void
sandbox_run(const struct sandbox *s, struct sandbox_end *ret)
{
	struct sandbox_end end = {.reason = EVENT_SANDBOX};
	struct sandbox_watch w = {.s = s, .end = &end, .status_fd = -1, .output_fd = -1, .step = -1};
	struct err e;

	if (sandbox_start(&w, &e) != 0) {
		snprintf(end.message, sizeof end.message, "%.500s", e.msg);
		*ret = end;
		return;
	}
	sandbox_loop(&w);
	while (waitpid(w.pid, NULL, 0) < 0 && errno == EINTR)
		;
	cleanup_close(&w.status_fd);
	cleanup_close(&w.output_fd);
	cgroup_usage(s->cgroup, &end.usage);
	sandbox_judge(&w, &end);
	*ret = end;
}
