#include "serve/listen.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "unit.h"

static void
listen_dir(char ret[128], const char *name, mode_t mode)
{
	snprintf(ret, 128, "%s/%s", unit_dir(), name);
	ck_assert_int_eq(mkdir(ret, 0700), 0);
	ck_assert_int_eq(chmod(ret, mode), 0);
}

START_TEST(directory_must_be_closed)
{
	static const mode_t modes[] = {0755, 0710, 0701, 0777, 01777, 0770};
	char dir[128], path[160];
	struct stat st;
	struct err e;
	int fd;

	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		char name[32];

		snprintf(name, sizeof name, "open-%zu", i);
		listen_dir(dir, name, modes[i]);
		snprintf(path, sizeof path, "%s/s", dir);
		UNIT_FAILS(listen_unix(path, &fd, &e), &e, ERR_DENIED);
		ck_assert_int_ne(stat(path, &st), 0);
	}
	listen_dir(dir, "closed", 0700);
	snprintf(path, sizeof path, "%s/s", dir);
	UNIT_OK(listen_unix(path, &fd, &e), &e);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	close(fd);
	UNIT_FAILS(listen_unix("/nonexistent-directory/s", &fd, &e), &e, ERR_IO);
}
END_TEST

START_TEST(long_paths_are_refused)
{
	char path[300];
	struct err e;
	int fd;

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	UNIT_FAILS(listen_unix(path, &fd, &e), &e, ERR_USAGE);
	path[sizeof((struct sockaddr_un *)0)->sun_path] = '\0';
	UNIT_FAILS(listen_unix(path, &fd, &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(stale_sockets_are_replaced)
{
	char dir[128], path[160];
	struct err e;
	int fd, again;

	listen_dir(dir, "stale", 0700);
	snprintf(path, sizeof path, "%s/s", dir);
	UNIT_OK(listen_unix(path, &fd, &e), &e);
	UNIT_FAILS(listen_unix(path, &again, &e), &e, ERR_BUSY);
	close(fd);
	UNIT_OK(listen_unix(path, &fd, &e), &e);
	close(fd);
}
END_TEST

START_TEST(other_files_stay)
{
	char dir[128], path[160];
	struct err e;
	int fd;

	listen_dir(dir, "other", 0700);
	snprintf(path, sizeof path, "%s/s", dir);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	UNIT_FAILS(listen_unix(path, &fd, &e), &e, ERR_EXISTS);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("elsewhere", path), 0);
	UNIT_FAILS(listen_unix(path, &fd, &e), &e, ERR_EXISTS);
}
END_TEST

UNIT_SUITE(serve_listen)
{
	tcase_add_test(tc, directory_must_be_closed);
	tcase_add_test(tc, long_paths_are_refused);
	tcase_add_test(tc, stale_sockets_are_replaced);
	tcase_add_test(tc, other_files_stay);
}
