#include "serve/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.h"
#include "tpm/tpm.h"
#include "unit.h"

static void
make_dirs(char store[160], char socket[160], const char *name)
{
	char dir[128];
	bool created;
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	UNIT_OK(store_init(dir, &created, &e), &e);
	snprintf(store, 160, "%s/.aicert", dir);
	snprintf(socket, 160, "%s/socket", dir);
}

START_TEST(what_is_wrong_is_told)
{
	char store[160], socket[160], open_dir[128];
	char embedded[] = "embedded", nonsense[] = "nonsense", absent[] = "/nonexistent/.aicert",
	    nowhere[] = "/nonexistent/socket";
	struct settings set = {.store = store, .socket = socket, .tpm = embedded};
	struct daemon_options o = {.settings = &set, .control_fd = -1, .ready_fd = -1};
	struct err e;

	make_dirs(store, socket, "wrong");
	set.store = absent;
	ck_assert_int_ne(daemon_serve(&o, &e), 0);
	ck_assert_msg(strstr(e.msg, "/nonexistent") != NULL, "%s", e.msg);
	ck_assert_int_ne(access(socket, F_OK), 0); /* taken away again */
	set.store = store;
	set.tpm = nonsense;
	ck_assert_int_ne(daemon_serve(&o, &e), 0);
	ck_assert_int_ne(access(socket, F_OK), 0);
	set.tpm = embedded;
	snprintf(open_dir, sizeof open_dir, "%s/open", unit_dir());
	ck_assert_int_eq(mkdir(open_dir, 0700), 0);
	ck_assert_int_eq(chmod(open_dir, 0755), 0);
	snprintf(socket, sizeof socket, "%s/socket", open_dir);
	UNIT_FAILS(daemon_serve(&o, &e), &e, ERR_DENIED);
	set.socket = nowhere;
	UNIT_FAILS(daemon_serve(&o, &e), &e, ERR_IO);
}
END_TEST

START_TEST(the_end_is_seen_before_the_start)
{
	char store[160], socket[160], line[256] = "";
	int control[2], ready[2];
	char embedded[] = "embedded";
	struct settings set = {.store = store, .socket = socket, .tpm = embedded};
	struct daemon_options o = {.settings = &set};
	struct err e;

	make_dirs(store, socket, "early");
	ck_assert_int_eq(pipe2(control, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC | O_NONBLOCK), 0);
	close(control[1]);
	o.control_fd = control[0];
	o.ready_fd = ready[1];
	UNIT_OK(daemon_serve(&o, &e), &e);
	ck_assert_int_lt(read(ready[0], line, sizeof line - 1), 1); /* it never listened */
	ck_assert_int_ne(access(socket, F_OK), 0);
	close(control[0]);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

/* Reads one line from fd. */
static void
read_line(int fd, char *ret, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap && read(fd, ret + n, 1) == 1 && ret[n] != '\n')
		n++;
	ret[n] = '\0';
}

START_TEST(waiting_is_told_and_ends)
{
	char store[160], socket[160], spec[200], line[512];
	struct tpm_open_options hold = {.spec = spec};
	struct settings set = {.store = store, .socket = socket, .tpm = spec};
	struct daemon_options o = {.settings = &set};
	int control[2], ready[2], status;
	struct tpm *t;
	struct err e;
	pid_t pid;

	make_dirs(store, socket, "waiting");
	snprintf(spec, sizeof spec, "embedded:%s/shared-tpm", unit_dir());
	ck_assert_int_eq(pipe2(control, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	o.control_fd = control[0];
	o.ready_fd = ready[1];
	pid = fork();
	if (pid == 0) {
		close(control[1]);
		read_line(control[0], line, 3); /* until the TPM is held */
		_exit(daemon_serve(&o, &e) == 0 ? 0 : 1);
	}
	close(ready[1]);
	UNIT_OK(tpm_open(&hold, &t, &e), &e);
	ck_assert_int_eq(write(control[1], "go", 2), 2);
	read_line(ready[0], line, sizeof line);
	ck_assert_msg(strncmp(line, "aicertd: waiting: ", 18) == 0, "%s", line);
	tpm_close(t);
	read_line(ready[0], line, sizeof line);
	ck_assert_msg(strncmp(line, "aicertd: listening on ", 22) == 0, "%s", line);
	/* bytes on the control pipe have no meaning, its end has */
	ck_assert_int_eq(write(control[1], "x", 1), 1);
	close(control[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(signals_end_it)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};

	for (size_t i = 0; i < 3; i++) {
		struct harness h;
		char name[32];
		int status;

		snprintf(name, sizeof name, "signal-%zu", i);
		harness_start(&h, name);
		ck_assert_int_eq(kill(h.pid, SIGPIPE), 0); /* not this one */
		ck_assert_int_eq(harness_status(&h, "GET /healthz HTTP/1.1"), 200);
		ck_assert_int_eq(kill(h.pid, signals[i]), 0);
		ck_assert_int_eq(waitpid(h.pid, &status, 0), h.pid);
		ck_assert_int_eq(status, 0);
		close(h.control);
		http_free(h.http);
	}
}
END_TEST

UNIT_SUITE(serve_daemon)
{
	tcase_add_test(tc, what_is_wrong_is_told);
	tcase_add_test(tc, the_end_is_seen_before_the_start);
	tcase_add_test(tc, waiting_is_told_and_ends);
	tcase_add_test(tc, signals_end_it);
}
