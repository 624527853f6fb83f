#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/fd.h"

static int
fd_home(void)
{
	int fd = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
fd_put(int dirfd, const char *name, const void *data, size_t len)
{
	struct err e;
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, data, len, name, &e), &e);
	UNIT_OK(fd_sync(fd, name, &e), &e);
	UNIT_OK(fd_close(&fd, name, &e), &e);
	ck_assert_int_eq(fd, -1);
}

START_TEST(test_fd_read_file)
{
	struct buf b = BUF_INIT;
	struct err e;
	int home = fd_home();
	unsigned char data[40000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i % 253);
	fd_put(home, "file", data, sizeof data);
	buf_adds(&b, "front");
	UNIT_OK(fd_read_file(home, "file", sizeof data, &b, &e), &e);
	ck_assert_uint_eq(b.len, sizeof data + 5); /* appended */
	ck_assert_mem_eq(b.data + 5, data, sizeof data);
	ck_assert_uint_eq(b.data[b.len], 0);
	buf_reset(&b);
	UNIT_FAILS(fd_read_file(home, "file", sizeof data - 1, &b, &e), &e, ERR_LIMIT);
	buf_reset(&b);
	UNIT_FAILS(fd_read_file(home, "missing", 10, &b, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(fd_read_file(home, ".", 10, &b, &e), &e, ERR_IO);
	ck_assert_int_eq(e.sys, EISDIR);
	buf_free(&b);
	close(home);
}
END_TEST

START_TEST(test_fd_read_empty)
{
	struct buf b = BUF_INIT;
	struct err e;
	int home = fd_home();

	fd_put(home, "empty", "", 0);
	UNIT_OK(fd_read_file(home, "empty", 0, &b, &e), &e);
	ck_assert_str_eq(buf_str(&b), "");
	buf_free(&b);
	close(home);
}
END_TEST

/* Files of /proc stat as size 0, as those of securityfs do. */
START_TEST(test_fd_read_all_not_stat)
{
	struct buf b = BUF_INIT;
	struct stat st;
	struct err e;

	ck_assert_int_eq(stat("/proc/self/status", &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	UNIT_OK(fd_read_file(AT_FDCWD, "/proc/self/status", 1 << 20, &b, &e), &e);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "Pid:"));
	buf_free(&b);
}
END_TEST

/* A FIFO without a writer must not block. */
START_TEST(test_fd_read_file_fifo)
{
	struct buf b = BUF_INIT;
	struct err e;
	int home = fd_home();

	ck_assert_int_eq(mkfifoat(home, "fifo", 0644), 0);
	UNIT_OK(fd_read_file(home, "fifo", 10, &b, &e), &e);
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
	close(home);
}
END_TEST

START_TEST(test_fd_read_upto)
{
	char data[8] = "";
	size_t n = 99;
	struct err e;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	UNIT_OK(fd_write_all(p[1], "abc", 3, "pipe", &e), &e);
	UNIT_OK(fd_read_upto(p[0], data, 2, &n, "pipe", &e), &e);
	ck_assert_uint_eq(n, 2);
	close(p[1]);
	UNIT_OK(fd_read_upto(p[0], data, 8, &n, "pipe", &e), &e);
	ck_assert_uint_eq(n, 1);
	UNIT_OK(fd_read_upto(p[0], data, 8, &n, "pipe", &e), &e);
	ck_assert_uint_eq(n, 0);
	close(p[0]);
	UNIT_FAILS(fd_read_upto(p[0], data, 8, &n, "pipe", &e), &e, ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.msg, "pipe"));
}
END_TEST

START_TEST(test_fd_write_fails)
{
	struct err e;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	UNIT_FAILS(fd_write_all(full, "x", 1, "full", &e), &e, ERR_IO);
	ck_assert_int_eq(e.sys, ENOSPC);
	UNIT_OK(fd_write_all(-1, "", 0, "none", &e), &e);
	UNIT_FAILS(fd_write_all(-1, "x", 1, "none", &e), &e, ERR_IO);
	UNIT_FAILS(fd_sync(-1, "none", &e), &e, ERR_IO);
	close(full);
}
END_TEST

START_TEST(test_fd_close)
{
	struct err e;
	int fd = -1, bad = 1000000;

	UNIT_OK(fd_close(&fd, "none", &e), &e);
	UNIT_FAILS(fd_close(&bad, "bad", &e), &e, ERR_IO);
	ck_assert_int_eq(bad, -1);
}
END_TEST

/* dir/sub/file, links that lead to it and out */
static int
fd_maze(void)
{
	int home = fd_home();

	ck_assert_int_eq(mkdirat(home, "dir", 0755), 0);
	ck_assert_int_eq(mkdirat(home, "dir/sub", 0755), 0);
	fd_put(home, "dir/sub/file", "x", 1);
	fd_put(home, "outside", "y", 1);
	ck_assert_int_eq(symlinkat("sub", home, "dir/link"), 0);
	ck_assert_int_eq(symlinkat("sub/file", home, "dir/file-link"), 0);
	ck_assert_int_eq(symlinkat("../outside", home, "dir/out"), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", home, "dir/abs"), 0);
	ck_assert_int_eq(symlinkat("nowhere", home, "dir/dangling"), 0);
	close(home);
	home = open(unit_dir(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return home;
}

static const struct {
	const char *path;
	enum err_code code;
} fd_beneath[] = {
	{"sub/file", ERR_NONE},
	{"./sub/file", ERR_NONE},
	{"sub/../sub/file", ERR_NONE}, /* never leaves */
	{"sub/missing", ERR_NOTFOUND},
	{"missing/file", ERR_NOTFOUND},
	{"", ERR_NOTFOUND},
	{"link/file", ERR_DENIED},
	{"file-link", ERR_DENIED},
	{"out", ERR_DENIED},
	{"abs", ERR_DENIED},
	{"dangling", ERR_DENIED},
	{"..", ERR_DENIED},
	{"../outside", ERR_DENIED},
	{"sub/../../outside", ERR_DENIED},
	{"/etc/passwd", ERR_DENIED},
	{"/", ERR_DENIED},
	{"sub/file/more", ERR_IO},
};

START_TEST(test_fd_open_beneath)
{
	struct err e;
	int home = fd_maze();
	int dir = openat(home, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = fd_open_beneath(dir, fd_beneath[_i].path, O_RDONLY, 0, &e);

	if (fd_beneath[_i].code == ERR_NONE) {
		ck_assert_msg(fd >= 0, "%s", e.msg);
		ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		close(fd);
	} else {
		ck_assert_int_eq(fd, -1);
		ck_assert_msg(e.code == fd_beneath[_i].code, "%s", e.msg);
	}
	close(dir);
	close(home);
}
END_TEST

/* The links of /proc lead to open files whatever their text says. */
START_TEST(test_fd_open_beneath_magic)
{
	struct err e;
	char path[32];
	int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(self, 0);
	snprintf(path, sizeof path, "fd/%d/stat", self);
	ck_assert_int_eq(fd_open_beneath(self, path, O_RDONLY, 0, &e), -1);
	ck_assert_int_eq(e.code, ERR_DENIED);
	ck_assert_int_eq(fd_open_beneath(self, "root/etc/passwd", O_RDONLY, 0, &e), -1);
	ck_assert_int_eq(e.code, ERR_DENIED);
	ck_assert_int_eq(fd_open_beneath(self, "cwd", O_RDONLY, 0, &e), -1);
	ck_assert_int_eq(e.code, ERR_DENIED);
	close(self);
}
END_TEST

START_TEST(test_fd_open_beneath_creates)
{
	struct stat st;
	struct err e;
	int home = fd_maze();
	int fd = fd_open_beneath(home, "dir/new", O_WRONLY | O_CREAT | O_EXCL, 0600, &e);

	ck_assert_msg(fd >= 0, "%s", e.msg);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	close(fd);
	ck_assert_int_eq(fd_open_beneath(home, "dir/new", O_WRONLY | O_CREAT | O_EXCL, 0600, &e), -1);
	ck_assert_int_eq(e.code, ERR_IO);
	ck_assert_int_eq(e.sys, EEXIST);
	ck_assert_int_eq(fd_open_beneath(home, "dir/dangling", O_WRONLY | O_CREAT, 0600, &e), -1);
	ck_assert_int_eq(e.code, ERR_DENIED);
	ck_assert_int_ne(faccessat(home, "dir/nowhere", F_OK, 0), 0);
	close(home);
}
END_TEST

START_TEST(test_fd_mkdirs)
{
	struct stat st;
	struct err e;
	int home = fd_maze();

	UNIT_OK(fd_mkdirs_beneath(home, "a/b/c", 0700, &e), &e);
	UNIT_OK(fd_mkdirs_beneath(home, "a/b/c", 0700, &e), &e);
	UNIT_OK(fd_mkdirs_beneath(home, "a/b/d/", 0700, &e), &e);
	UNIT_OK(fd_mkdirs_beneath(home, ".", 0700, &e), &e);
	ck_assert_int_eq(fstatat(home, "a/b/c", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	ck_assert_int_eq(fstatat(home, "a/b/d", &st, AT_SYMLINK_NOFOLLOW), 0);
	close(home);
}
END_TEST

static const char *const fd_mkdirs_bad[] = {
	"", "..", "../x", "/tmp/x", "dir/link/x", "dir/link", "dir/out", "dir/dangling",
	"dir/dangling/x", "dir/sub/file", "dir/sub/file/x", "dir/../../x", "a//b",
};

START_TEST(test_fd_mkdirs_refuses)
{
	struct stat st;
	struct err e;
	int home = fd_maze();

	ck_assert_int_eq(fd_mkdirs_beneath(home, fd_mkdirs_bad[_i], 0755, &e), -1);
	ck_assert_int_ne(e.code, ERR_NONE);
	ck_assert_int_ne(fstatat(home, "dir/sub/x", &st, 0), 0);
	ck_assert_int_ne(fstatat(home, "../x", &st, 0), 0);
	close(home);
}
END_TEST

START_TEST(test_fd_remove)
{
	struct stat st;
	struct err e;
	int home = fd_maze();

	UNIT_OK(fd_remove_tree(home, "missing", &e), &e);
	UNIT_OK(fd_remove_tree(home, "dir/abs", &e), &e); /* the link, not its target */
	ck_assert_int_eq(stat("/etc/passwd", &st), 0);
	UNIT_OK(fd_remove_tree(home, "dir", &e), &e);
	ck_assert_int_ne(fstatat(home, "dir", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(fstatat(home, "outside", &st, 0), 0);
	UNIT_OK(fd_remove_tree(home, "outside", &e), &e);
	ck_assert_int_ne(fstatat(home, "outside", &st, 0), 0);
	/* refused before anything is emptied */
	UNIT_FAILS(fd_remove_tree(home, "outside/..", &e), &e, ERR_USAGE);
	UNIT_FAILS(fd_remove_tree(home, "outside/.", &e), &e, ERR_USAGE);
	close(home);
}
END_TEST

/*
 * What is no plain name is refused before anything is touched.  The base is
 * two levels down in a directory of the test's own, so that even a function
 * that failed this test would not get out of it.
 */
static const char *const fd_remove_bad[] = {
	"", ".", "..", "./", "../", "../..", "./..", "sub/..", "sub/.", "sub/", "sub//",
	"sub/sub/../..",
};

START_TEST(test_fd_remove_refuses)
{
	struct stat st;
	struct err e;
	int home = fd_maze();
	int dir = openat(home, "dir/sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(mkdirat(dir, "sub", 0755), 0);
	fd_put(dir, "sub/file", "x", 1);
	UNIT_FAILS(fd_remove_tree(dir, fd_remove_bad[_i], &e), &e, ERR_USAGE);
	ck_assert_int_eq(fstatat(dir, "sub/file", &st, 0), 0);
	ck_assert_int_eq(fstatat(home, "dir/sub/file", &st, 0), 0);
	ck_assert_int_eq(fstatat(home, "outside", &st, 0), 0);
	close(dir);
	close(home);
}
END_TEST

/* A link to a directory goes away alone. */
START_TEST(test_fd_remove_link_to_directory)
{
	struct stat st;
	struct err e;
	int home = fd_maze();

	ck_assert_int_eq(mkdirat(home, "victim", 0555), 0);
	ck_assert_int_eq(symlinkat("../victim", home, "dir/to-victim"), 0);
	UNIT_OK(fd_remove_tree(home, "dir", &e), &e);
	ck_assert_int_eq(fstatat(home, "victim", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0555);
	close(home);
}
END_TEST

/* Runs body as a user without privileges, for whom modes mean something. */
static void
fd_as_nobody(void (*body)(int home), int home)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(2);
		body(home);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
}

static void
fd_remove_read_only_tree(int home)
{
	struct err e;

	if (mkdirat(home, "ro", 0755) != 0 || mkdirat(home, "ro/a", 0755) != 0 ||
	    mkdirat(home, "ro/a/b", 0755) != 0 || mkdirat(home, "ro/shut", 0000) != 0 ||
	    symlinkat("a", home, "ro/link") != 0 ||
	    close(openat(home, "ro/a/b/file", O_WRONLY | O_CREAT, 0444)) != 0 ||
	    fchmodat(home, "ro/a/b", 0500, 0) != 0 || fchmodat(home, "ro/a", 0000, 0) != 0 ||
	    fchmodat(home, "ro", 0555, 0) != 0)
		_exit(3);
	if (fd_remove_tree(home, "ro", &e) != 0) {
		fprintf(stderr, "%s\n", e.msg);
		_exit(4);
	}
	if (faccessat(home, "ro", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		_exit(5);
}

START_TEST(test_fd_remove_read_only)
{
	int home = fd_home();

	ck_assert_int_eq(fchmod(home, 0777), 0);
	fd_as_nobody(fd_remove_read_only_tree, home);
	close(home);
}
END_TEST

static void
fd_remove_not_ours(int home)
{
	struct err e;

	if (fd_remove_tree(home, "theirs/file", &e) == 0)
		_exit(3);
	if (e.sys != EACCES) /* not that a file is no directory */
		_exit(4);
	if (fd_remove_tree(home, "theirs", &e) == 0)
		_exit(5);
}

START_TEST(test_fd_remove_denied)
{
	struct stat st;
	int home = fd_home();

	if (geteuid() != 0) {
		close(home);
		return; /* no second user to own it */
	}
	ck_assert_int_eq(fchmod(home, 0755), 0);
	ck_assert_int_eq(mkdirat(home, "theirs", 0755), 0);
	fd_put(home, "theirs/file", "x", 1);
	fd_as_nobody(fd_remove_not_ours, home);
	ck_assert_int_eq(fstatat(home, "theirs/file", &st, 0), 0);
	close(home);
}
END_TEST

/* Deeper than there are descriptors, and with names the lifting would use. */
START_TEST(test_fd_remove_deep)
{
	const struct rlimit few = {.rlim_cur = 128, .rlim_max = 128};
	struct stat st;
	struct err e;
	int home = fd_home();
	int at = dup(home);

	ck_assert_int_eq(mkdirat(home, "deep", 0755), 0);
	ck_assert_int_eq(mkdirat(home, "deep/.removed-0", 0755), 0);
	fd_put(home, "deep/.removed-0/x", "x", 1);
	fd_put(home, "deep/.removed-1", "x", 1);
	for (int i = 0; i < 3000; i++) {
		int next;

		ck_assert_int_eq(i == 0 ? 0 : mkdirat(at, "deep", 0755), 0);
		next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(at);
		at = next;
	}
	fd_put(at, "bottom", "x", 1);
	close(at);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	UNIT_OK(fd_remove_tree(home, "deep", &e), &e);
	ck_assert_int_ne(fstatat(home, "deep", &st, 0), 0);
	close(home);
}
END_TEST

UNIT_SUITE(fd)
{
	tcase_add_test(tc, test_fd_read_file);
	tcase_add_test(tc, test_fd_read_empty);
	tcase_add_test(tc, test_fd_read_all_not_stat);
	tcase_add_test(tc, test_fd_read_file_fifo);
	tcase_add_test(tc, test_fd_read_upto);
	tcase_add_test(tc, test_fd_write_fails);
	tcase_add_test(tc, test_fd_close);
	tcase_add_loop_test(tc, test_fd_open_beneath, 0, sizeof fd_beneath / sizeof fd_beneath[0]);
	tcase_add_test(tc, test_fd_open_beneath_magic);
	tcase_add_test(tc, test_fd_open_beneath_creates);
	tcase_add_test(tc, test_fd_mkdirs);
	tcase_add_loop_test(tc, test_fd_mkdirs_refuses, 0,
	    sizeof fd_mkdirs_bad / sizeof fd_mkdirs_bad[0]);
	tcase_add_test(tc, test_fd_remove);
	tcase_add_loop_test(tc, test_fd_remove_refuses, 0,
	    sizeof fd_remove_bad / sizeof fd_remove_bad[0]);
	tcase_add_test(tc, test_fd_remove_link_to_directory);
	tcase_add_test(tc, test_fd_remove_read_only);
	tcase_add_test(tc, test_fd_remove_denied);
	tcase_add_test(tc, test_fd_remove_deep);
}
