#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/atomic-file.h"
#include "base/buf.h"
#include "base/dir-walk.h"
#include "base/fd.h"

static int
atomic_home(void)
{
	int fd = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
atomic_expect(int home, const char *name, const char *text)
{
	struct buf b = BUF_INIT;
	struct err e;

	UNIT_OK(fd_read_file(home, name, 1 << 20, &b, &e), &e);
	ck_assert_str_eq(buf_str(&b), text);
	buf_free(&b);
}

/* How many entries the directory has: temporary files left behind count. */
static size_t
atomic_entries(int home)
{
	struct dir_walk w;
	struct err e;
	size_t n;

	UNIT_OK(dir_walk_list(home, ".", 10000, &w, &e), &e);
	n = w.count;
	dir_walk_free(&w);
	return n;
}

START_TEST(test_atomic_write)
{
	struct stat st;
	struct err e;
	int home = atomic_home();

	UNIT_OK(atomic_file_write(home, "f", "one", 3, 0600, &e), &e);
	atomic_expect(home, "f", "one");
	ck_assert_int_eq(fstatat(home, "f", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	UNIT_OK(atomic_file_write(home, "f", "second", 6, 0644, &e), &e);
	atomic_expect(home, "f", "second");
	UNIT_OK(atomic_file_write(home, "f", "", 0, 0644, &e), &e);
	atomic_expect(home, "f", "");
	ck_assert_int_eq(mkdirat(home, "sub", 0755), 0);
	UNIT_OK(atomic_file_write(home, "sub/f", "x", 1, 0644, &e), &e);
	atomic_expect(home, "sub/f", "x");
	ck_assert_uint_eq(atomic_entries(home), 2);
	close(home);
}
END_TEST

/* The name is replaced, never written through. */
START_TEST(test_atomic_write_replaces_link)
{
	struct stat st;
	struct err e;
	int home = atomic_home();

	UNIT_OK(atomic_file_write(home, "target", "old", 3, 0644, &e), &e);
	ck_assert_int_eq(symlinkat("target", home, "link"), 0);
	UNIT_OK(atomic_file_write(home, "link", "new", 3, 0644, &e), &e);
	atomic_expect(home, "target", "old");
	ck_assert_int_eq(fstatat(home, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	close(home);
}
END_TEST

START_TEST(test_atomic_write_fails_whole)
{
	const struct rlimit small = {.rlim_cur = 4, .rlim_max = RLIM_INFINITY};
	struct err e;
	int home = atomic_home();

	UNIT_OK(atomic_file_write(home, "f", "old", 3, 0644, &e), &e);
	ck_assert_int_eq(mkdirat(home, "d", 0755), 0);
	UNIT_FAILS(atomic_file_write(home, "d", "x", 1, 0644, &e), &e, ERR_IO);
	UNIT_FAILS(atomic_file_write(home, "none/f", "x", 1, 0644, &e), &e, ERR_IO);
	ck_assert_int_eq(e.sys, ENOENT);
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0); /* the disk is full */
	UNIT_FAILS(atomic_file_write(home, "f", "longer", 6, 0644, &e), &e, ERR_IO);
	ck_assert_int_eq(e.sys, EFBIG);
	atomic_expect(home, "f", "old");
	ck_assert_uint_eq(atomic_entries(home), 2); /* nothing left behind */
	close(home);
}
END_TEST

__attribute__((noreturn)) static void
atomic_rewrite(int home, const char *first, const char *second, size_t len)
{
	for (int i = 0;; i = !i)
		if (atomic_file_write(home, "f", i ? first : second, len, 0644, NULL) != 0)
			_exit(1);
}

/*
 * A writer killed at any moment leaves the old text or the new one: many
 * writers are killed while they replace a file over and over.
 */
START_TEST(test_atomic_write_killed)
{
	struct err e;
	int home = atomic_home();
	char first[4096], second[4096];

	memset(first, 'a', sizeof first);
	memset(second, 'b', sizeof second);
	first[sizeof first - 1] = second[sizeof second - 1] = '\0';
	UNIT_OK(atomic_file_write(home, "f", first, sizeof first - 1, 0644, &e), &e);
	for (int round = 0; round < 25; round++) {
		struct buf b = BUF_INIT;
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			atomic_rewrite(home, first, second, sizeof first - 1);
		for (int i = 0; i < 20 + round; i++) { /* reads race with the writes */
			buf_reset(&b);
			UNIT_OK(fd_read_file(home, "f", 1 << 20, &b, &e), &e);
			ck_assert(strcmp(buf_str(&b), first) == 0 || strcmp(buf_str(&b), second) == 0);
		}
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
		buf_reset(&b);
		UNIT_OK(fd_read_file(home, "f", 1 << 20, &b, &e), &e);
		ck_assert(strcmp(buf_str(&b), first) == 0 || strcmp(buf_str(&b), second) == 0);
		buf_free(&b);
	}
	close(home);
}
END_TEST

START_TEST(test_atomic_lock)
{
	struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;
	struct buf b = BUF_INIT;
	struct err e;
	char expected[32];
	int home = atomic_home();

	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	UNIT_OK(fd_read_file(home, "f.lock", 1000, &b, &e), &e);
	snprintf(expected, sizeof expected, "%ld ", (long)getpid());
	ck_assert_int_eq(strncmp(buf_str(&b), expected, strlen(expected)), 0);
	ck_assert_int_eq(b.data[b.len - 1], '\n');
	UNIT_OK(atomic_file_lock_commit(&l, "text", 4, &e), &e);
	atomic_expect(home, "f", "text");
	ck_assert_int_eq(l.fd, -1);
	atomic_file_unlock(&l); /* harmless */
	ck_assert_uint_eq(atomic_entries(home), 1);
	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	atomic_file_unlock(&l);
	atomic_expect(home, "f", "text");
	ck_assert_uint_eq(atomic_entries(home), 1);
	buf_free(&b);
	close(home);
}
END_TEST

START_TEST(test_atomic_lock_cannot)
{
	struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;
	struct err e;
	int home = atomic_home();

	UNIT_FAILS(atomic_file_lock(&l, home, "none/f", 0, &e), &e, ERR_IO);
	ck_assert_int_eq(l.fd, -1);
	atomic_file_unlock(&l);
	UNIT_OK(atomic_file_lock(&l, home, "d", 0, &e), &e);
	ck_assert_int_eq(mkdirat(home, "d", 0755), 0);
	UNIT_FAILS(atomic_file_lock_commit(&l, "x", 1, &e), &e, ERR_IO);
	ck_assert_uint_eq(atomic_entries(home), 1); /* failed or not, the lock is gone */
	close(home);
}
END_TEST

/* A second one in the same process is held off too, and told by whom. */
START_TEST(test_atomic_lock_busy)
{
	struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT, other = ATOMIC_FILE_LOCK_INIT;
	struct err e;
	char holder[32];
	int home = atomic_home();

	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	UNIT_FAILS(atomic_file_lock(&other, home, "f", 0, &e), &e, ERR_BUSY);
	snprintf(holder, sizeof holder, "process %ld ", (long)getpid());
	ck_assert_msg(strstr(e.msg, holder) != NULL, "%s", e.msg);
	UNIT_FAILS(atomic_file_lock(&other, home, "f", 30, &e), &e, ERR_BUSY);
	ck_assert_int_eq(other.fd, -1);
	UNIT_OK(atomic_file_lock(&other, home, "g", 0, &e), &e); /* another name is free */
	atomic_file_unlock(&other);
	atomic_file_unlock(&l);
	ck_assert_uint_eq(atomic_entries(home), 0);
	UNIT_OK(atomic_file_lock(&other, home, "f", 0, &e), &e);
	atomic_file_unlock(&other);
	close(home);
}
END_TEST

/* Forks a child that takes the lock and says so; it holds it until it dies. */
static pid_t
atomic_holder(int home, const char *name)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;

		if (atomic_file_lock(&l, home, name, 5000, NULL) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

START_TEST(test_atomic_lock_live_holder)
{
	struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;
	struct err e;
	char holder[32];
	int home = atomic_home();
	pid_t pid = atomic_holder(home, "f");

	UNIT_FAILS(atomic_file_lock(&l, home, "f", 50, &e), &e, ERR_BUSY);
	snprintf(holder, sizeof holder, "process %ld ", (long)pid);
	ck_assert_msg(strstr(e.msg, holder) != NULL, "%s", e.msg);
	ck_assert_int_eq(faccessat(home, "f.lock", F_OK, 0), 0);
	kill(pid, SIGSTOP); /* stopped is not dead */
	UNIT_FAILS(atomic_file_lock(&l, home, "f", 0, &e), &e, ERR_BUSY);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(home);
}
END_TEST

START_TEST(test_atomic_lock_killed_holder)
{
	struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;
	struct err e;
	int home = atomic_home();
	pid_t pid = atomic_holder(home, "f");

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(faccessat(home, "f.lock", F_OK, 0), 0);
	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	UNIT_OK(atomic_file_lock_commit(&l, "mine", 4, &e), &e);
	atomic_expect(home, "f", "mine");
	close(home);
}
END_TEST

/* What lies there without a holder: an empty file, garbage, a FIFO. */
START_TEST(test_atomic_lock_litter)
{
	struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;
	struct err e;
	int home = atomic_home();

	UNIT_OK(atomic_file_write(home, "f.lock", "", 0, 0644, &e), &e);
	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	atomic_file_unlock(&l);
	UNIT_OK(atomic_file_write(home, "f.lock", "1 elsewhere\n", 12, 0644, &e), &e);
	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	atomic_file_unlock(&l);
	ck_assert_int_eq(mkfifoat(home, "f.lock", 0644), 0);
	UNIT_OK(atomic_file_lock(&l, home, "f", 0, &e), &e);
	atomic_file_unlock(&l);
	ck_assert_int_eq(symlinkat("/etc/passwd", home, "f.lock"), 0);
	UNIT_FAILS(atomic_file_lock(&l, home, "f", 0, &e), &e, ERR_BUSY);
	close(home);
}
END_TEST

#define ATOMIC_WORKERS 4
#define ATOMIC_ROUNDS 25

/* Adds one to the number in the file, ATOMIC_ROUNDS times, under the lock. */
static int
atomic_count(int home)
{
	for (int i = 0; i < ATOMIC_ROUNDS; i++) {
		struct atomic_file_lock l = ATOMIC_FILE_LOCK_INIT;
		struct buf b = BUF_INIT;
		struct err e;
		char text[32];
		int n;

		if (atomic_file_lock(&l, home, "n", 60000, &e) != 0 ||
		    fd_read_file(home, "n", 100, &b, &e) != 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 1;
		}
		n = snprintf(text, sizeof text, "%ld", strtol(buf_str(&b), NULL, 10) + 1);
		buf_free(&b);
		if (atomic_file_lock_commit(&l, text, (size_t)n, &e) != 0)
			return 2;
	}
	return 0;
}

/* Forks a child that takes what is on its way to be a lock for litter, until it dies. */
static pid_t
atomic_sweeper(int home)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	while (pid == 0) {
		struct dir_walk w = DIR_WALK_INIT;

		if (dir_walk_list(home, ".", 1000, &w, NULL) != 0)
			_exit(1);
		for (size_t i = 0; i < w.count; i++)
			if (strstr(w.names[i], ".lock.tmp-") != NULL)
				(void)atomic_file_sweep_lock(home, w.names[i]);
		dir_walk_free(&w);
	}
	return pid;
}

/* Two or more at once, and one who sweeps: every step of each is in the result, none is
 * lost. */
START_TEST(test_atomic_lock_competing)
{
	struct err e;
	char expected[32];
	int home = atomic_home();
	pid_t killed, sweeper;

	UNIT_OK(atomic_file_write(home, "n", "0", 1, 0644, &e), &e);
	killed = atomic_holder(home, "n"); /* and they all begin with a stale lock */
	for (int i = 0; i < ATOMIC_WORKERS; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			_exit(atomic_count(home));
	}
	sweeper = atomic_sweeper(home);
	ck_assert_int_eq(kill(killed, SIGKILL), 0);
	ck_assert_int_eq(waitpid(killed, NULL, 0), killed);
	for (int i = 0; i < ATOMIC_WORKERS; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	ck_assert_int_eq(kill(sweeper, SIGKILL), 0);
	ck_assert_int_eq(waitpid(sweeper, NULL, 0), sweeper);
	snprintf(expected, sizeof expected, "%d", ATOMIC_WORKERS * ATOMIC_ROUNDS);
	atomic_expect(home, "n", expected);
	ck_assert_uint_eq(atomic_entries(home), 1);
	close(home);
}
END_TEST

UNIT_SUITE(atomic_file)
{
	tcase_add_test(tc, test_atomic_write);
	tcase_add_test(tc, test_atomic_write_replaces_link);
	tcase_add_test(tc, test_atomic_write_fails_whole);
	tcase_add_test(tc, test_atomic_write_killed);
	tcase_add_test(tc, test_atomic_lock);
	tcase_add_test(tc, test_atomic_lock_cannot);
	tcase_add_test(tc, test_atomic_lock_busy);
	tcase_add_test(tc, test_atomic_lock_live_holder);
	tcase_add_test(tc, test_atomic_lock_killed_holder);
	tcase_add_test(tc, test_atomic_lock_litter);
	tcase_add_test(tc, test_atomic_lock_competing);
}
