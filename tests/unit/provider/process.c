#include "provider/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/fd.h"
#include "unit.h"

static char sh[] = "sh", minus_c[] = "-c";

static struct process_options
options(char *const *argv)
{
	return (struct process_options){
		.program = "/bin/sh", .argv = argv, .tag = "unit-tag", .dir = unit_dir(), .log = "log",
		.fd = -1,
	};
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

static void
file_is(const char *name, const char *text)
{
	CLEANUP(buf_free) struct buf got = BUF_INIT;
	char path[256];
	struct err e;

	snprintf(path, sizeof path, "%s/%s", unit_dir(), name);
	UNIT_OK(fd_read_file(AT_FDCWD, path, 4096, &got, &e), &e);
	ck_assert_str_eq(buf_str(&got), text);
}

START_TEST(runs)
{
	char script[] = "test $$ = \"$(ps -o sess= -p $$ | tr -d ' ')\" && test \"$PWD\" = \"$HOME\" &&"
	    " env | cut -d= -f1 | grep -v '^_$' | sort >names && echo done";
	char fails[] = "echo first; printf 'the \\033reason\\n\\n'; exit 3", killed[] = "kill -9 $$";
	char *const good[] = {sh, minus_c, script, NULL}, *const bad[] = {sh, minus_c, fails, NULL};
	char *const dead[] = {sh, minus_c, killed, NULL};
	struct process_options o = options(good);
	struct err e;

	setenv("AICERT_TOKEN", "secret", 1);
	UNIT_OK(process_run(&o, &e), &e);
	file_is("names", "AICERT_MACHINE\nHOME\nLC_ALL\nPATH\nPWD\nTMPDIR\n");
	file_is("log", "done\n");
	o.argv = bad;
	UNIT_FAILS(process_run(&o, &e), &e, ERR_IO);
	ck_assert_str_eq(e.msg, "/bin/sh failed: the \\x1breason");
	o.argv = dead;
	UNIT_FAILS(process_run(&o, &e), &e, ERR_IO);
	o.program = "/nowhere/sh";
	UNIT_FAILS(process_run(&o, &e), &e, ERR_IO);
	ck_assert_int_eq(e.sys, ENOENT);
}
END_TEST

START_TEST(descriptor)
{
	char script[] = "read line <&3; test \"$line\" = hello && ! (: <&4) 2>/dev/null";
	char *const argv[] = {sh, minus_c, script, NULL};
	struct process_options o = options(argv);
	int p[2];
	struct err e;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	ck_assert_int_eq(write(p[1], "hello\n", 6), 6);
	o.fd = p[0];
	UNIT_OK(process_run(&o, &e), &e);
	close(p[0]);
	close(p[1]);
}
END_TEST

/* Only directories that are named absolutely, whatever PATH says. */
START_TEST(found)
{
	char dir[256], path[512];
	char *got = NULL;
	struct err e;

	snprintf(dir, sizeof dir, "%s/bin", unit_dir());
	snprintf(path, sizeof path, "%s/some-program", dir);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	ck_assert_int_eq(chdir(dir), 0);
	close(open(path, O_WRONLY | O_CREAT, 0755));
	setenv("PATH", "::.:bin", 1);
	UNIT_FAILS(process_find("some-program", "a-package", &got, &e), &e, ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.msg, "a-package"));
	snprintf(path, sizeof path, "/nowhere:%s:.", dir);
	setenv("PATH", path, 1);
	UNIT_OK(process_find("some-program", "a-package", &got, &e), &e);
	ck_assert_int_eq(strncmp(got, dir, strlen(dir)), 0);
	free(got);
	setenv("PATH", "", 1);
	UNIT_OK(process_find("sh", "dash", &got, &e), &e);
	free(got);
	UNIT_FAILS(process_find("bin", "a-package", &got, &e), &e, ERR_NOTFOUND);
}
END_TEST

/* kill -9 of who started it ends it too. */
START_TEST(dies_with_its_maker)
{
	char script[] = "exec sleep 1000";
	char *const argv[] = {sh, minus_c, script, NULL};
	struct process_options o = options(argv);
	pid_t maker, child = 0;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	maker = fork();
	if (maker == 0) {
		struct err e;

		if (process_start(&o, &child, &e) != 0 ||
		    write(p[1], &child, sizeof child) != (ssize_t)sizeof child)
			_exit(1);
		pause();
		_exit(0);
	}
	ck_assert_int_eq(read(p[0], &child, sizeof child), (int)sizeof child);
	ck_assert_int_eq(kill(child, 0), 0);
	ck_assert_int_eq(kill(maker, SIGKILL), 0);
	ck_assert_int_eq(waitpid(maker, NULL, 0), maker);
	ck_assert(gone(child));
}
END_TEST

/* Also what left its session, by the tag; nothing with another one. */
START_TEST(swept)
{
	char script[] = "setsid sleep 1000 & echo $! >pid; exec sleep 1000";
	char *const argv[] = {sh, minus_c, script, NULL};
	struct process_options o = options(argv);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char path[256];
	pid_t pid, other, away;
	int status;
	struct err e;

	snprintf(path, sizeof path, "%s/pid", unit_dir());
	o.tag = "unit-other";
	UNIT_OK(process_start(&o, &other, &e), &e);
	while (text.len == 0 || text.data[text.len - 1] != '\n') {
		buf_reset(&text);
		if (fd_read_file(AT_FDCWD, path, 64, &text, &e) != 0)
			buf_reset(&text);
		usleep(10000);
	}
	away = atoi(buf_str(&text));
	o.tag = "unit-tag";
	UNIT_OK(process_start(&o, &pid, &e), &e);
	ck_assert(process_alive(pid, &status));
	process_end(other);
	ck_assert_int_eq(kill(away, 0), 0); /* it has a session of its own */
	ck_assert_uint_eq(process_sweep("unit-nobody"), 0);
	ck_assert_uint_eq(process_sweep("unit-other"), 1);
	ck_assert(gone(away));
	ck_assert(process_alive(pid, &status));
	ck_assert_uint_ge(process_sweep("unit-tag"), 1);
	process_end(pid);
}
END_TEST

START_TEST(last_lines)
{
	static const struct { const char *text, *last; } cases[] = {
		{"", ""}, {"one", "one"}, {"one\ntwo\r\n\n", "two"}, {"a\nb\x1b[2Jc\n", "b\\x1b[2Jc"},
	};
	char path[256];
	struct err e;

	snprintf(path, sizeof path, "%s/lines", unit_dir());
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		CLEANUP(cleanup_free) char *line = NULL;
		FILE *f = fopen(path, "w");

		ck_assert_ptr_nonnull(f);
		fputs(cases[i].text, f);
		ck_assert_int_eq(fclose(f), 0);
		line = process_last_line(path, &e);
		ck_assert_str_eq(line, cases[i].last);
	}
}
END_TEST

UNIT_SUITE(process)
{
	tcase_add_test(tc, runs);
	tcase_add_test(tc, descriptor);
	tcase_add_test(tc, found);
	tcase_add_test(tc, dies_with_its_maker);
	tcase_add_test(tc, swept);
	tcase_add_test(tc, last_lines);
}
