#include "run/run-dir.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/fd.h"
#include "unit.h"

static bool
run_dir_there(struct store *s, const char *name)
{
	struct stat st;

	return fstatat(store_tmp_fd(s), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct store *
run_dir_store(void)
{
	struct store *s = NULL;
	bool created;
	struct err e;

	UNIT_OK(store_init(unit_dir(), &created, &e), &e);
	UNIT_OK(store_discover(unit_dir(), 0, &s, &e), &e);
	return s;
}

/* A child that makes one, with something in it, says its name and stays. */
static pid_t
run_dir_child(const char *path, char ret_name[64])
{
	int p[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct store *s = NULL;
		char *name, text[64] = "";
		struct err e;
		int fd;

		UNIT_OK(store_open(path, 0, &s, &e), &e);
		UNIT_OK(run_dir_make(s, &name, &fd, &e), &e);
		UNIT_OK(fd_mkdirs_beneath(fd, "scratch/a", 0755, &e), &e);
		snprintf(text, sizeof text, "%s", name);
		if (write(p[1], text, sizeof text) != sizeof text)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(p[0], ret_name, 64), 64);
	close(p[0]);
	close(p[1]);
	return pid;
}

/* That of a killed process goes, that of a live one stays, and so does what is no run's. */
START_TEST(test_run_dir_sweep)
{
	struct store *s = run_dir_store();
	char dead[64], alive[64], *mine, *other;
	struct err e;
	pid_t a, b;
	int fd;

	a = run_dir_child(store_path(s), dead);
	b = run_dir_child(store_path(s), alive);
	UNIT_OK(run_dir_make(s, &mine, &fd, &e), &e);
	UNIT_OK(store_tmp_dir(s, "running", &other, &e), &e);
	run_dir_sweep(s);
	ck_assert(run_dir_there(s, dead));
	ck_assert(run_dir_there(s, alive));
	ck_assert(run_dir_there(s, mine));
	ck_assert_int_eq(kill(a, SIGKILL), 0);
	ck_assert_int_eq(waitpid(a, NULL, 0), a);
	run_dir_sweep(s);
	ck_assert(!run_dir_there(s, dead));
	ck_assert(run_dir_there(s, alive) && run_dir_there(s, mine) && run_dir_there(s, other));
	close(fd);
	run_dir_remove(s, mine);
	ck_assert(!run_dir_there(s, mine));
	ck_assert_int_eq(kill(b, SIGKILL), 0);
	ck_assert_int_eq(waitpid(b, NULL, 0), b);
	free(mine);
	free(other);
	store_close(s);
}
END_TEST

/* A file or a link of that name is nobody's directory. */
START_TEST(test_run_dir_others)
{
	struct store *s = run_dir_store();
	int fd = openat(store_tmp_fd(s), "run-file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(symlinkat("/", store_tmp_fd(s), "run-link"), 0);
	run_dir_sweep(s);
	ck_assert(run_dir_there(s, "run-file") && run_dir_there(s, "run-link"));
	store_close(s);
}
END_TEST

UNIT_SUITE(run_dir)
{
	tcase_add_test(tc, test_run_dir_sweep);
	tcase_add_test(tc, test_run_dir_others);
}
