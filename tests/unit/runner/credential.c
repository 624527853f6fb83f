#include "runner/credential.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "unit.h"

static const char *
file(const char *name, const char *text, mode_t mode)
{
	static char path[256];
	struct err e;
	int fd;

	snprintf(path, sizeof path, "%s/%s", unit_dir(), name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, text, strlen(text), path, &e), &e);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void
expect(const char *path, const char *token)
{
	CLEANUP(buf_wipe) struct buf b = BUF_INIT;
	struct err e;

	UNIT_OK(credential_token(path, &b, &e), &e);
	ck_assert_str_eq(buf_str(&b), token);
}

START_TEST(a_closed_file_is_read)
{
	unsetenv(CREDENTIAL_VARIABLE);
	expect(file("a", "abc-123\n", 0600), "abc-123");
	expect(file("b", "abc-123", 0400), "abc-123");
	expect(file("c", "abc\r\n", 0600), "abc");
	expect(NULL, "");
}
END_TEST

START_TEST(the_variable_is_for_who_has_no_file)
{
	CLEANUP(buf_wipe) struct buf b = BUF_INIT;
	struct err e;

	setenv(CREDENTIAL_VARIABLE, "from-env", 1);
	expect(NULL, "from-env");
	expect(file("a", "abc-123\n", 0600), "abc-123");
	ck_assert_int_ne(credential_token("/nonexistent", &b, &e), 0);
	ck_assert_uint_eq(b.len, 0);
	setenv(CREDENTIAL_VARIABLE, "", 1);
	expect(NULL, "");
	unsetenv(CREDENTIAL_VARIABLE);
}
END_TEST

START_TEST(open_files_are_refused)
{
	static const mode_t modes[] = {0644, 0640, 0660, 0604, 0620, 0601, 0610};
	struct buf b = BUF_INIT;
	char path[256];
	struct err e;

	unsetenv(CREDENTIAL_VARIABLE);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		UNIT_FAILS(credential_token(file("open", "secret\n", modes[i]), &b, &e), &e, ERR_DENIED);
		ck_assert_ptr_null(b.data);
		ck_assert_ptr_null(strstr(e.msg, "secret\n"));
		UNIT_FAILS(credential_check_file(file("open", "x", modes[i]), &e), &e, ERR_DENIED);
	}
	UNIT_OK(credential_check_file(file("closed", "x", 0600), &e), &e);
	UNIT_FAILS(credential_check_file(unit_dir(), &e), &e, ERR_DENIED);
	snprintf(path, sizeof path, "%s/fifo", unit_dir());
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	UNIT_FAILS(credential_token(path, &b, &e), &e, ERR_DENIED);
	snprintf(path, sizeof path, "%s/none", unit_dir());
	ck_assert_int_ne(credential_token(path, &b, &e), 0);
}
END_TEST

START_TEST(others_files_are_refused)
{
	struct buf b = BUF_INIT;
	const char *path = file("theirs", "secret\n", 0600);
	struct err e;

	if (geteuid() != 0)
		return; /* nobody else can give a file away */
	ck_assert_int_eq(chown(path, 12345, 12345), 0);
	UNIT_FAILS(credential_token(path, &b, &e), &e, ERR_DENIED);
}
END_TEST

START_TEST(what_is_no_token_is_refused)
{
	char text[5000];
	struct buf b = BUF_INIT;
	struct err e;

	unsetenv(CREDENTIAL_VARIABLE);
	UNIT_FAILS(credential_token(file("empty", "", 0600), &b, &e), &e, ERR_USAGE);
	UNIT_FAILS(credential_token(file("line", "\n", 0600), &b, &e), &e, ERR_USAGE);
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	UNIT_FAILS(credential_token(file("long", text, 0600), &b, &e), &e, ERR_LIMIT);
	ck_assert_ptr_null(b.data);
	text[4096] = '\0';
	UNIT_OK(credential_token(file("longest", text, 0600), &b, &e), &e);
	ck_assert_uint_eq(b.len, 4096);
	buf_wipe(&b);
}
END_TEST

UNIT_SUITE(runner_credential)
{
	tcase_add_test(tc, a_closed_file_is_read);
	tcase_add_test(tc, the_variable_is_for_who_has_no_file);
	tcase_add_test(tc, open_files_are_refused);
	tcase_add_test(tc, others_files_are_refused);
	tcase_add_test(tc, what_is_no_token_is_refused);
}
