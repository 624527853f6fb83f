#include "git/config-file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "unit.h"
#include "base/fd.h"

static const char *
with(char path[128], const char *text, size_t len)
{
	int fd;

	snprintf(path, 128, "%s/config", unit_dir());
	(void)unlink(path);
	if (text != NULL) {
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
		close(fd);
	}
	return path;
}

static void
value_is(struct config_file *f, const char *key, const char *expected)
{
	CLEANUP(cleanup_free) char *value = NULL;
	struct err e;

	if (expected == NULL) {
		UNIT_FAILS(config_file_get(f, key, &value, &e), &e, ERR_NOTFOUND);
		return;
	}
	UNIT_OK(config_file_get(f, key, &value, &e), &e);
	ck_assert_str_eq(value, expected);
}

START_TEST(config_file_set_get_unset)
{
	struct config_file *f;
	char path[128];
	struct err e;

	UNIT_OK(config_file_open(with(path, NULL, 0), &f, &e), &e);
	value_is(f, "a.b", NULL);
	UNIT_FAILS(config_file_unset(f, "a.b", &e), &e, ERR_NOTFOUND);
	UNIT_OK(config_file_set(f, "a.b", "one", &e), &e);
	UNIT_OK(config_file_set(f, "a.Sub Section.c", " sp\\ac\"e\t;#\n", &e), &e);
	value_is(f, "a.b", "one");
	value_is(f, "A.B", "one");
	value_is(f, "a.sub section.c", NULL);
	config_file_free(f);
	UNIT_OK(config_file_open(path, &f, &e), &e);
	value_is(f, "a.Sub Section.c", " sp\\ac\"e\t;#\n");
	UNIT_OK(config_file_set(f, "a.b", "two", &e), &e);
	value_is(f, "a.b", "two");
	UNIT_OK(config_file_unset(f, "a.b", &e), &e);
	value_is(f, "a.b", NULL);
	for (int i = 0; i < 4; i++) {
		static const char *const bad[] = {"", "nodot", "a b.c", "a.b c"};

		UNIT_FAILS(config_file_set(f, bad[i], "x", &e), &e, ERR_USAGE);
	}
	config_file_free(f);
	config_file_free(NULL);
}
END_TEST

START_TEST(config_file_refuses_includes)
{
	static const char *const bad[] = {"[include]\n\tpath = /etc/passwd\n", "[INCLUDE]path=x\n",
	    "[core]a=b\n [ Include]\npath=x", "[includeIf \"gitdir:/\"]\npath = x\n", "[core] [include] path=x\n"};
	struct config_file *f;
	char path[128];
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(config_file_open(with(path, bad[i], strlen(bad[i])), &f, &e), &e, ERR_DENIED);
	UNIT_FAILS(config_file_open(with(path, "a\0[include]", 11), &f, &e), &e, ERR_FORMAT);
	UNIT_OK(config_file_open(with(path, NULL, 0), &f, &e), &e);
	ck_assert_int_ne(config_file_set(f, "include.path", "/etc/passwd", &e), 0);
	config_file_free(f);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(config_file_bad_files)
{
	static const char *const bad[] = {"[core\n", "[core]\n= x\n", "x = 1\n"};
	struct config_file *f;
	char path[128];
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int rc = config_file_open(with(path, bad[i], strlen(bad[i])), &f, &e);

		if (rc == 0)
			config_file_free(f);
		else
			ck_assert_int_eq(e.code, ERR_FORMAT);
		ck_assert_msg(rc != 0 || i == 2, "%s", bad[i]);
	}
	UNIT_FAILS(config_file_open(unit_dir(), &f, &e), &e, ERR_FORMAT);
	UNIT_OK(config_file_open("/nonexistent/config", &f, &e), &e);
	UNIT_FAILS(config_file_set(f, "a.b", "x", &e), &e, ERR_IO);
	config_file_free(f);
}
END_TEST

static int
each(void *arg, const char *key, const char *value)
{
	buf_addf(arg, "%s=%s;", key, value);
	return strcmp(key, "stop.here") == 0;
}

START_TEST(config_file_each_in_order)
{
	static const char text[] = "[b]\n\tx = 1\n[a \"S\"]\n\ty\n\tz =\n[stop]\nhere = 1\nnot = 2\n";
	CLEANUP(buf_free) struct buf all = BUF_INIT;
	struct config_file *f;
	char path[128];
	struct err e;

	UNIT_OK(config_file_open(with(path, text, sizeof text - 1), &f, &e), &e);
	UNIT_OK(config_file_each(f, each, &all, &e), &e);
	ck_assert_str_eq(buf_str(&all), "b.x=1;a.S.y=true;a.S.z=;stop.here=1;");
	value_is(f, "a.S.y", "true");
	value_is(f, "a.S.z", "");
	config_file_free(f);
}
END_TEST

/* A lock of a dead process is no obstacle; writers at once lose nothing. */
START_TEST(config_file_writers)
{
	char path[128], name[160];
	struct config_file *f;
	struct err e;
	int fd;

	with(path, NULL, 0);
	snprintf(name, sizeof name, "%s.lock", path);
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	close(fd);
	for (int i = 0; i < 6; i++)
		if (fork() == 0) {
			char key[16];

			snprintf(key, sizeof key, "a.k%d", i);
			_exit(config_file_open(path, &f, &e) == 0 &&
			    config_file_set(f, key, "v", &e) == 0 ? 0 : 1);
		}
	for (int i = 0; i < 6; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	UNIT_OK(config_file_open(path, &f, &e), &e);
	for (int i = 0; i < 6; i++) {
		char key[16];

		snprintf(key, sizeof key, "a.k%d", i);
		value_is(f, key, "v");
	}
	config_file_free(f);
	ck_assert_int_ne(access(name, F_OK), 0);
}
END_TEST

UNIT_SUITE(config_file)
{
	tcase_add_test(tc, config_file_set_get_unset);
	tcase_add_test(tc, config_file_refuses_includes);
	tcase_add_test(tc, config_file_bad_files);
	tcase_add_test(tc, config_file_each_in_order);
	tcase_add_test(tc, config_file_writers);
}
