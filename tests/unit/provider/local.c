#include "provider/local.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "net/http.h"
#include "tpm/tpm.h"
#include "unit.h"

static struct store *
local_store(const char *name)
{
	struct store *s = NULL;
	char dir[128], path[160];
	bool created;
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	UNIT_OK(store_init(dir, &created, &e), &e);
	snprintf(path, sizeof path, "%s/.aicert", dir);
	UNIT_OK(store_open(path, 0, &s, &e), &e);
	return s;
}

static int
health(const char *socket)
{
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "GET", .path = "/healthz", .body_fd = -1, .max = 100};
	struct http_response rs;
	struct err e;

	if (http_new("http://local", socket, &h, &e) != 0 || http_do(h, &rq, &rs, &e) != 0)
		return -1;
	http_response_free(&rs);
	return rs.status;
}

/* The process of that number is gone within ten seconds. */
static bool
gone(pid_t pid)
{
	struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	bool is = p.fd < 0 || poll(&p, 1, 10000) == 1;

	if (p.fd >= 0)
		close(p.fd);
	return is;
}

START_TEST(starts_and_stops)
{
	struct store *s = local_store("start");
	struct local *l = NULL;
	struct stat st;
	struct err e;
	char dir[256];
	pid_t pid;

	UNIT_OK(local_start(s, "embedded", &l, &e), &e);
	ck_assert_int_eq(health(local_socket(l)), 200);
	snprintf(dir, sizeof dir, "%s", local_socket(l));
	*strrchr(dir, '/') = '\0';
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	pid = local_pid(l);
	ck_assert_int_eq(getsid(pid), pid); /* the terminal's Ctrl-C does not reach it */
	local_stop(l);
	ck_assert_int_ne(kill(pid, 0), 0);
	ck_assert_int_ne(stat(dir, &st), 0);
	store_close(s);
}
END_TEST

START_TEST(starts_with_low_descriptors_taken)
{
	struct store *s = local_store("descriptors");
	struct local *l = NULL;
	struct err e;

	for (int i = 0; i < 8; i++)
		ck_assert_int_ge(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	close(3);
	UNIT_OK(local_start(s, "embedded", &l, &e), &e);
	ck_assert_int_eq(health(local_socket(l)), 200);
	local_stop(l);
	store_close(s);
}
END_TEST

START_TEST(two_at_once)
{
	struct store *s = local_store("two");
	struct local *a = NULL, *b = NULL;
	struct err e;

	UNIT_OK(local_start(s, "embedded", &a, &e), &e);
	UNIT_OK(local_start(s, "embedded", &b, &e), &e);
	ck_assert_str_ne(local_socket(a), local_socket(b));
	ck_assert_int_eq(health(local_socket(a)), 200);
	local_stop(a);
	ck_assert_int_eq(health(local_socket(b)), 200);
	local_stop(b);
	store_close(s);
}
END_TEST

START_TEST(failures_say_why)
{
	struct store *s = local_store("failures");
	struct local *l = NULL;
	struct err e;

	ck_assert_int_ne(local_start(s, "nonsense:x", &l, &e), 0);
	ck_assert_msg(strncmp(e.msg, "aicertd: ", 9) == 0, "%s", e.msg);
	ck_assert_ptr_null(l);
	ck_assert_int_ne(local_start(s, "device:/nonexistent/tpm", &l, &e), 0);
	ck_assert_msg(strncmp(e.msg, "aicertd: ", 9) == 0, "%s", e.msg);
	UNIT_OK(fd_remove_tree(AT_FDCWD, store_path(s), &e), &e);
	ck_assert_int_ne(local_start(s, "embedded", &l, &e), 0);
	ck_assert_msg(strstr(e.msg, ".aicert") != NULL, "%s", e.msg);
	store_close(s);
}
END_TEST

START_TEST(the_run_time_directory_is_used)
{
	struct store *s = local_store("xdg");
	struct local *l = NULL;
	struct err e;
	char dir[400];

	snprintf(dir, sizeof dir, "%s/x", unit_dir());
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", dir, 1), 0);
	UNIT_OK(local_start(s, "embedded", &l, &e), &e);
	ck_assert_int_eq(strncmp(local_socket(l), dir, strlen(dir)), 0);
	local_stop(l);
	/* too long for a socket's address, not there, not absolute: /tmp */
	snprintf(dir, sizeof dir, "%s/%0200d", unit_dir(), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", i == 0 ? dir : i == 1 ? "/nonexistent" : "x", 1), 0);
		UNIT_OK(local_start(s, "embedded", &l, &e), &e);
		ck_assert_int_eq(strncmp(local_socket(l), "/tmp/aicert-", 12), 0);
		ck_assert_int_eq(health(local_socket(l)), 200);
		local_stop(l);
	}
	store_close(s);
}
END_TEST

START_TEST(the_daemon_ends_with_its_parent)
{
	struct store *s = local_store("orphan");
	int p[2], status;
	pid_t pid, daemon;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		struct local *l = NULL;
		struct err e;

		if (local_start(s, "embedded", &l, &e) != 0)
			_exit(1);
		daemon = local_pid(l);
		if (write(p[1], &daemon, sizeof daemon) != sizeof daemon)
			_exit(2);
		raise(SIGKILL);
	}
	ck_assert_int_eq(read(p[0], &daemon, sizeof daemon), sizeof daemon);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert(gone(daemon));
	store_close(s);
}
END_TEST

START_TEST(a_killed_daemon_is_reaped)
{
	struct store *s = local_store("killed");
	struct local *l = NULL;
	struct err e;
	pid_t pid;

	UNIT_OK(local_start(s, "embedded", &l, &e), &e);
	pid = local_pid(l);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	local_stop(l);
	ck_assert_int_ne(kill(pid, 0), 0);
	store_close(s);
}
END_TEST

struct holder {
	struct tpm *tpm;
	int calls;
	bool interrupt;
	char message[512];
};

static void
holder_on_wait(void *arg, const char *message)
{
	struct holder *h = arg;

	h->calls++;
	snprintf(h->message, sizeof h->message, "%s", message);
	if (h->interrupt) {
		raise(SIGINT);
		return;
	}
	tpm_close(h->tpm);
	h->tpm = NULL;
}

static void
held(struct holder *h, char *spec, size_t cap)
{
	struct tpm_open_options o = {.spec = spec};
	struct err e;

	snprintf(spec, cap, "embedded:%s/tpm", unit_dir());
	UNIT_OK(tpm_open(&o, &h->tpm, &e), &e);
}

START_TEST(a_held_tpm_is_waited_for)
{
	struct store *s = local_store("wait");
	struct holder h = {0};
	struct local *l = NULL;
	char spec[160];
	struct local_options o = {.store = s, .tpm = spec, .notice = {holder_on_wait, &h}};
	struct err e;

	held(&h, spec, sizeof spec);
	UNIT_OK(local_start_with(&o, &l, &e), &e);
	ck_assert_int_eq(h.calls, 1);
	ck_assert_uint_gt(strlen(h.message), 0);
	ck_assert_int_eq(health(local_socket(l)), 200);
	local_stop(l);
	store_close(s);
}
END_TEST

START_TEST(waiting_can_be_interrupted)
{
	struct store *s = local_store("interrupt");
	struct holder h = {.interrupt = true};
	struct local *l = NULL;
	char spec[160];
	struct local_options o = {.store = s, .tpm = spec, .notice = {holder_on_wait, &h}};
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	held(&h, spec, sizeof spec);
	UNIT_FAILS(local_start_with(&o, &l, &e), &e, ERR_CANCELLED);
	ck_assert_int_eq(h.calls, 1);
	tpm_close(h.tpm);
	store_close(s);
}
END_TEST

UNIT_SUITE(provider_local)
{
	tcase_add_test(tc, starts_and_stops);
	tcase_add_test(tc, starts_with_low_descriptors_taken);
	tcase_add_test(tc, two_at_once);
	tcase_add_test(tc, failures_say_why);
	tcase_add_test(tc, the_run_time_directory_is_used);
	tcase_add_test(tc, the_daemon_ends_with_its_parent);
	tcase_add_test(tc, a_killed_daemon_is_reaped);
	tcase_add_test(tc, a_held_tpm_is_waited_for);
	tcase_add_test(tc, waiting_can_be_interrupted);
}
