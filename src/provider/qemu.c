#include "provider/qemu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include "base/clock.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "net/http.h"
#include "provider/machine-dir.h"
#include "provider/process.h"
#include "provider/provider.h"

#define QEMU_KIND "qemu"
#define QEMU_PROGRAM "qemu-system-x86_64"
#define QEMU_CODE "/usr/share/OVMF/OVMF_CODE_4M.fd"
#define QEMU_CODE_SECURE "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
#define QEMU_VARS_EMPTY "/usr/share/OVMF/OVMF_VARS_4M.fd"
#define QEMU_SUFFIX ".efi"
#define QEMU_LABEL "starting the machine"
#define QEMU_ASK_S 2
#define QEMU_POLL_MS 300
#define QEMU_LOG_BYTES (1024u * 1024)

struct qemu_machine {
	struct machine machine;
	struct provider_request rq;
	struct machine_dir dir;
	struct qemu_shape shape;
	char *root, *program, *tpm_program;
	pid_t qemu, tpm;                /* 0: not running */
	int starts;
	int64_t started_ms;
	char url[64];
};

static int
qemu_check(const char *what, char **ret, struct err *e)
{
	char *path = realpath(what, NULL);
	size_t len;

	if (path == NULL)
		return err_set(e, ERR_USAGE, "%s: %s", what, strerror(errno));
	len = strlen(path);
	if (len <= sizeof QEMU_SUFFIX - 1 ||
	    strcmp(path + len - (sizeof QEMU_SUFFIX - 1), QEMU_SUFFIX) != 0) {
		free(path);
		return err_set(e, ERR_USAGE, "%s: the image's name ends in " QEMU_SUFFIX ", its root file"
		    " system lies beside it as .root", what);
	}
	*ret = path;
	return 0;
}

static int
qemu_need(const char *path, const char *package, struct err *e)
{
	if (access(path, R_OK) == 0)
		return 0;
	return err_set(e, ERR_NOTFOUND, "%s cannot be read%s%s", path,
	    package != NULL ? "; Debian has it in " : "", package != NULL ? package : "");
}

/* IMAGE.efi -> IMAGE.root */
static int
qemu_fill_root(struct qemu_machine *m, struct err *e)
{
	size_t len = strlen(m->rq.what);

	m->root = buf_strfmt(e, "%.*s.root", (int)(len - (sizeof QEMU_SUFFIX - 1)), m->rq.what);
	if (m->root == NULL || qemu_need(m->rq.what, NULL, e) != 0)
		return -1;
	return qemu_need(m->root, NULL, e);
}

static int
qemu_fill(struct qemu_machine *m, struct err *e)
{
	const struct provider_request *rq = &m->rq;
	bool secure = rq->secure_boot != NULL;

	m->shape.processors = rq->processors != 0 ? rq->processors : QEMU_PROCESSORS;
	m->shape.memory_mib = rq->memory_mib != 0 ? rq->memory_mib : QEMU_MEMORY_MIB;
	m->shape.secure_boot = secure;
	m->shape.firmware = secure ? QEMU_CODE_SECURE : QEMU_CODE;
	m->shape.kvm = rq->accelerator != NULL ? strcmp(rq->accelerator, "kvm") == 0 :
	    access("/dev/kvm", R_OK | W_OK) == 0;
	if (qemu_fill_root(m, e) != 0 || qemu_need(m->shape.firmware, "ovmf", e) != 0 ||
	    qemu_need(QEMU_VARS_EMPTY, "ovmf", e) != 0 ||
	    (secure && qemu_need(rq->secure_boot, NULL, e) != 0) ||
	    process_find(QEMU_PROGRAM, "qemu-system-x86", &m->program, e) != 0 ||
	    process_find("swtpm", "swtpm", &m->tpm_program, e) != 0 ||
	    machine_dir_make(QEMU_KIND, &m->dir, e) != 0)
		return -1;
	m->shape.tag = m->dir.tag;
	m->shape.dir = m->dir.path;
	m->shape.root = m->root;
	return 0;
}

/* One that is free now; QEMU says so when somebody takes it before. */
static int
qemu_port(unsigned *ret, struct err *e)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CLEANUP(cleanup_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof a;

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		return err_sys(e, "no port on 127.0.0.1");
	*ret = ntohs(a.sin_port);
	return 0;
}

static int
qemu_start_one(const struct qemu_machine *m, const char *program, struct qemu_args *a,
    const char *log, int fd, pid_t *ret, struct err *e)
{
	const struct process_options o = {
		.program = program, .argv = a->argv, .tag = m->dir.tag, .dir = m->dir.path, .log = log,
		.fd = fd,
	};

	return process_start(&o, ret, e);
}

/* Both ends of the TPM's channel are inherited: nobody else can reach it. */
static int
qemu_start_both(struct qemu_machine *m, struct err *e)
{
	CLEANUP(qemu_args_free) struct qemu_args tpm = {.count = 0}, machine = {.count = 0};
	int pair[2], rc = -1;

	if (qemu_args_tpm(&m->shape, &tpm, e) != 0 || qemu_args_machine(&m->shape, &machine, e) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_sys(e, "cannot make a socket");
	if (qemu_start_one(m, m->tpm_program, &tpm, QEMU_TPM_LOG, pair[0], &m->tpm, e) == 0)
		rc = qemu_start_one(m, m->program, &machine, QEMU_LOG, pair[1], &m->qemu, e);
	close(pair[0]);
	close(pair[1]);
	return rc;
}

static void
qemu_kill(struct qemu_machine *m)
{
	process_end(m->qemu);
	process_end(m->tpm);
	m->qemu = m->tpm = 0;
	process_sweep(m->dir.tag); /* what they started */
}

/* A fresh TPM for every start: no boot sees what another measured. */
static int
qemu_start(struct qemu_machine *m, struct err *e)
{
	static const char *const stale[] = {QEMU_TPM_STATE, QEMU_CONSOLE, QEMU_LOG, QEMU_TPM_LOG};
	CLEANUP(cleanup_close) int dir = open(m->dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	qemu_kill(m);
	if (dir < 0)
		return err_sys(e, "%s", m->dir.path);
	for (size_t i = 0; i < sizeof stale / sizeof *stale; i++)
		if (fd_remove_tree(dir, stale[i], e) != 0)
			return -1;
	if (mkdirat(dir, QEMU_TPM_STATE, 0700) != 0)
		return err_sys(e, "%s/" QEMU_TPM_STATE, m->dir.path);
	if (qemu_port(&m->shape.port, e) != 0 || qemu_start_both(m, e) != 0)
		return -1;
	snprintf(m->url, sizeof m->url, "https://127.0.0.1:%u", m->shape.port);
	m->starts++;
	m->started_ms = clock_ms();
	return 0;
}

static void
qemu_destroy(struct machine *machine)
{
	struct qemu_machine *m = (struct qemu_machine *)machine;

	if (m->dir.path != NULL)
		qemu_kill(m);
	machine_dir_remove(&m->dir);
	free(m->root);
	free(m->program);
	free(m->tpm_program);
	free(m);
}

static int
qemu_create(const struct provider_request *rq, struct machine **ret, struct err *e)
{
	struct qemu_machine *m = calloc(1, sizeof *m);
	struct qemu_disks d;

	if (m == NULL)
		return err_nomem(e);
	m->machine.provider = &qemu_provider;
	m->rq = *rq;
	m->dir = (struct machine_dir)MACHINE_DIR_INIT;
	if (qemu_fill(m, e) != 0) {
		qemu_destroy(&m->machine);
		return -1;
	}
	d = (struct qemu_disks){
		.tag = m->dir.tag, .dir = m->dir.path, .image = rq->what, .token = rq->token,
		.vars = rq->secure_boot != NULL ? rq->secure_boot : QEMU_VARS_EMPTY,
	};
	if (qemu_disks_make(&d, e) != 0 || qemu_start(m, e) != 0) {
		qemu_destroy(&m->machine);
		return -1;
	}
	*ret = &m->machine;
	return 0;
}

static struct provider_address
qemu_address(const struct machine *machine)
{
	return (struct provider_address){.url = ((const struct qemu_machine *)machine)->url};
}

static char *
qemu_file(const struct qemu_machine *m, const char *name, struct err *e)
{
	return buf_strfmt(e, "%s/%s", m->dir.path, name);
}

static bool
qemu_log_has(const struct qemu_machine *m, const char *words)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_free) char *path = qemu_file(m, QEMU_LOG, NULL);

	return path != NULL && fd_read_file(AT_FDCWD, path, QEMU_LOG_BYTES, &text, NULL) == 0 &&
	    strstr(buf_str(&text), words) != NULL;
}

static bool
qemu_is_silent(const struct qemu_machine *m)
{
	CLEANUP(cleanup_free) char *path = qemu_file(m, QEMU_CONSOLE, NULL);
	struct stat st;

	return path == NULL || stat(path, &st) != 0 || st.st_size == 0;
}

/* Why it ended: what its init said last, else QEMU. */
static int
qemu_ended(const struct qemu_machine *m, struct err *e)
{
	CLEANUP(cleanup_free) char *console = qemu_file(m, QEMU_CONSOLE, e);
	CLEANUP(cleanup_free) char *log = qemu_file(m, QEMU_LOG, e);
	CLEANUP(cleanup_free) char *line = NULL;

	if (console == NULL || log == NULL)
		return -1;
	line = process_last_line(qemu_is_silent(m) ? log : console, e);
	if (line == NULL)
		return -1;
	return err_set(e, ERR_IO, "the machine ended before it answered%s%s", *line != '\0' ? ": " : "",
	    line);
}

/* KVM that cannot run the firmware, as inside some virtual machines. */
static bool
qemu_is_stuck(const struct qemu_machine *m, bool alive)
{
	if (!m->shape.kvm)
		return false;
	return !alive || qemu_log_has(m, "KVM internal error") || (qemu_is_silent(m) &&
	    clock_ms() - m->started_ms > QEMU_KVM_SILENT_S * 1000);
}

/* Is there something to try again with?  *ret: started anew. */
static int
qemu_again(struct qemu_machine *m, struct progress *p, bool alive, bool *ret, struct err *e)
{
	bool stuck = qemu_is_stuck(m, alive), port = !alive && qemu_log_has(m, "host forwarding");

	*ret = false;
	if (stuck && alive && m->rq.accelerator != NULL)
		return err_set(e, ERR_IO, "KVM does not run the machine (--accelerator tcg emulates it)");
	if ((!stuck && !port) || (!port && m->rq.accelerator != NULL) || m->starts >= QEMU_STARTS_MAX)
		return 0;
	if (!port) {
		m->shape.kvm = false;
		progress_end(p);
		notice_say(&m->rq.notice, "KVM does not run the machine; it is emulated, which takes longer");
		progress_start(p, m->rq.progress, QEMU_LABEL, 0);
	}
	*ret = true;
	return qemu_start(m, e);
}

/* Any answer to a request without credentials; who it is, is not asked here. */
static bool
qemu_answers(const struct qemu_machine *m)
{
	struct http_options o = {.peer = HTTP_PEER_ASK, .base = m->url};
	struct http_request rq = {
		.method = "GET", .path = "/healthz", .body_fd = -1, .max = 4096, .timeout_s = QEMU_ASK_S,
	};
	CLEANUP(http_response_free) struct http_response rs = HTTP_RESPONSE_INIT;
	CLEANUP(http_freep) struct http *h = NULL;
	struct err e;

	return http_new_with(&o, &h, &e) == 0 && http_do(h, &rq, &rs, &e) == 0 && http_ok(&rs);
}

static void
qemu_show(const struct qemu_machine *m, struct progress *p)
{
	CLEANUP(cleanup_free) char *console = NULL;
	CLEANUP(cleanup_free) char *line = NULL;

	if (p->out == NULL)
		return;
	console = qemu_file(m, QEMU_CONSOLE, NULL);
	line = console != NULL ? process_last_line(console, NULL) : NULL;
	progress_note(p, line != NULL && *line != '\0' ? line : "firmware");
}

static int
qemu_wait_ready(struct qemu_machine *m, struct progress *p, struct err *e)
{
	struct pollfd wake = {.fd = interrupt_fd(), .events = POLLIN};
	int64_t until = clock_ms() + QEMU_READY_S * INT64_C(1000);

	for (;;) {
		int status = 0;
		bool alive, again;

		if (interrupt_check(e) != 0)
			return -1;
		alive = process_alive(m->qemu, &status);
		if (!alive)
			m->qemu = 0;
		if (qemu_again(m, p, alive, &again, e) != 0)
			return -1;
		if (!alive && !again)
			return qemu_ended(m, e);
		if (!again && qemu_answers(m))
			return 0;
		if (qemu_is_silent(m) && clock_ms() - m->started_ms > QEMU_SILENT_S * INT64_C(1000))
			return err_set(e, ERR_IO, "the firmware started nothing within %d s (with Secure Boot the"
			    " image has to be signed by an enrolled key)", QEMU_SILENT_S);
		if (clock_ms() > until)
			return err_set(e, ERR_IO, "the machine did not answer within %d s", QEMU_READY_S);
		qemu_show(m, p);
		if (poll(&wake, 1, QEMU_POLL_MS) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait for the machine");
	}
}

static int
qemu_wait(struct machine *machine, struct err *e)
{
	struct qemu_machine *m = (struct qemu_machine *)machine;
	struct progress p;
	int rc;

	progress_start(&p, m->rq.progress, QEMU_LABEL, 0);
	rc = qemu_wait_ready(m, &p, e);
	progress_end(&p);
	return rc;
}

static int
qemu_list(provider_list_fn *fn, void *arg, struct err *e)
{
	return machine_dir_each(QEMU_KIND, fn, arg, e);
}

const struct provider qemu_provider = {
	.scheme = QEMU_KIND,
	.token = true,
	.check = qemu_check,
	.create = qemu_create,
	.address = qemu_address,
	.wait = qemu_wait,
	.destroy = qemu_destroy,
	.list = qemu_list,
	.reap = machine_dir_reap,
};
