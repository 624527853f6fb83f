#include "store/fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "unit.h"
#include "base/fd.h"

static void
put(struct fixture *f, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, ".aicert/%s", name);
	fixture_write(f, path, text, strlen(text));
}

static void
reopen_fails(struct fixture *f, enum err_code code, const char *says)
{
	struct store *s;
	struct err e;

	UNIT_FAILS(store_open(f->store, 0, &s, &e), &e, code);
	ck_assert_msg(strstr(e.msg, says) != NULL, "message: %s", e.msg);
}

START_TEST(store_init_layout)
{
	static const char *const names[] = {"HEAD", "config", "refs/heads", "refs/tags", "refs/failed",
	    "refs/remotes", "logs", "objects", "tmp", ".gitignore"};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct fixture f;

	fixture_open(&f);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ck_assert_msg(faccessat(store_dirfd(f.s), names[i], F_OK, 0) == 0, "%s", names[i]);
	fixture_read(store_dirfd(f.s), "HEAD", &text);
	ck_assert_str_eq(buf_str(&text), "ref: refs/heads/main\n");
	fixture_read(store_dirfd(f.s), ".gitignore", &text);
	ck_assert_str_eq(buf_str(&text), "*\n");
	fixture_read(store_dirfd(f.s), "config", &text);
	ck_assert_str_eq(buf_str(&text), "[core]\n\tformatversion = 1\n");
	/* nothing beside it */
	ck_assert_int_eq(fixture_count(f.dirfd, "."), 1);
	ck_assert_str_eq(store_path(f.s), f.store);
	ck_assert_str_eq(store_worktree(f.s), f.path);
	fixture_close(&f);
}
END_TEST

START_TEST(store_init_again_changes_nothing)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct fixture f;
	struct err e;
	bool created = true;

	fixture_open(&f);
	put(&f, "HEAD", "ref: refs/heads/other\n");
	UNIT_OK(store_init(f.path, &created, &e), &e);
	ck_assert(!created);
	fixture_read(store_dirfd(f.s), "HEAD", &text);
	ck_assert_str_eq(buf_str(&text), "ref: refs/heads/other\n");
	ck_assert_int_eq(fixture_count(f.dirfd, "."), 1);
	fixture_close(&f);
}
END_TEST

/* Eight processes make the same store: one wins, all succeed, nothing is left. */
START_TEST(store_init_race)
{
	CLEANUP(cleanup_close) int fd = -1;
	char path[128];
	int won = 0;

	snprintf(path, sizeof path, "%s/race", unit_dir());
	ck_assert_int_eq(mkdir(path, 0755), 0);
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			bool created;
			struct err e;

			_exit(store_init(path, &created, &e) != 0 ? 2 : created ? 1 : 0);
		}
	for (int i = 0; i < 8; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status));
		ck_assert_int_le(WEXITSTATUS(status), 1);
		won += WEXITSTATUS(status);
	}
	ck_assert_int_eq(won, 1);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(fixture_count(fd, "."), 1);
}
END_TEST

START_TEST(store_init_refuses_a_file)
{
	struct fixture f;
	struct err e;
	bool created;

	fixture_open(&f);
	UNIT_OK(fd_remove_tree(f.dirfd, ".aicert", &e), &e);
	fixture_write(&f, ".aicert", "x", 1);
	ck_assert_int_ne(store_init(f.path, &created, &e), 0);
	UNIT_FAILS(store_init("/nonexistent/dir", &created, &e), &e, ERR_IO);
	fixture_close(&f);
}
END_TEST

START_TEST(store_open_missing)
{
	struct store *s;
	struct err e;

	UNIT_FAILS(store_open("/nonexistent/.aicert", 0, &s, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(store_open(unit_dir(), 0, &s, &e), &e, ERR_FORMAT);
	UNIT_FAILS(store_open("/", 0, &s, &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(store_open_versions)
{
	struct fixture f;

	fixture_open(&f);
	put(&f, "config", "[core]\n\tformatversion = 2\n");
	reopen_fails(&f, ERR_UNSUPPORTED, "version 2");
	put(&f, "config", "[core]\n\tformatversion = 999999\n");
	reopen_fails(&f, ERR_UNSUPPORTED, "newer");
	put(&f, "config", "[core]\n\tformatversion = 01\n");
	reopen_fails(&f, ERR_FORMAT, "not a version");
	put(&f, "config", "[core]\n\tformatversion = one\n");
	reopen_fails(&f, ERR_FORMAT, "not a version");
	put(&f, "config", "[core]\n");
	reopen_fails(&f, ERR_FORMAT, "formatversion");
	put(&f, "config", "[core\n");
	reopen_fails(&f, ERR_FORMAT, "config");
	put(&f, "config", "[core]\nformatversion = 1\n[include]\npath = /etc/passwd\n");
	reopen_fails(&f, ERR_DENIED, "include");
	fixture_close(&f);
}
END_TEST

START_TEST(store_open_refuses_symlinks)
{
	struct fixture f;
	struct err e;
	struct store *s;
	char path[200];

	fixture_open(&f);
	ck_assert_int_eq(symlinkat(".aicert", f.dirfd, "link"), 0);
	snprintf(path, sizeof path, "%s/link", f.path);
	UNIT_FAILS(store_open(path, 0, &s, &e), &e, ERR_DENIED);
	/* nor inside: objects somewhere else */
	ck_assert_int_eq(renameat(store_dirfd(f.s), "objects", f.dirfd, "elsewhere"), 0);
	ck_assert_int_eq(symlinkat("../elsewhere", store_dirfd(f.s), "objects"), 0);
	UNIT_FAILS(store_open(f.store, 0, &s, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

START_TEST(store_open_owner)
{
	struct fixture f;
	struct store *s;
	struct err e;

	if (geteuid() != 0)
		return; /* only root can give a directory away */
	fixture_open(&f);
	ck_assert_int_eq(chown(f.store, 12345, 12345), 0);
	unsetenv("SUDO_UID");
	reopen_fails(&f, ERR_DENIED, "12345");
	setenv("SUDO_UID", "12346", 1);
	reopen_fails(&f, ERR_DENIED, "12345");
	setenv("SUDO_UID", "12345x", 1);
	reopen_fails(&f, ERR_DENIED, "12345");
	setenv("SUDO_UID", "-4294954951", 1); /* the same modulo 2^32 */
	reopen_fails(&f, ERR_DENIED, "12345");
	setenv("SUDO_UID", "12345", 1);
	UNIT_OK(store_open(f.store, 0, &s, &e), &e);
	store_close(s);
	unsetenv("SUDO_UID");
	fixture_close(&f);
}
END_TEST

/* As another user: sudo's variable means nothing, and root's store is refused. */
START_TEST(store_open_owner_as_user)
{
	struct fixture f;
	struct store *s;
	struct err e;

	if (geteuid() != 0)
		return;
	fixture_open(&f);
	chmod(unit_dir(), 0755);
	setenv("SUDO_UID", "0", 1);
	ck_assert_int_eq(seteuid(12345), 0);
	UNIT_FAILS(store_open(f.store, 0, &s, &e), &e, ERR_DENIED);
	ck_assert_int_eq(seteuid(0), 0);
	unsetenv("SUDO_UID");
	fixture_close(&f);
}
END_TEST

START_TEST(store_discover_walks_up)
{
	CLEANUP(store_closep) struct store *s = NULL;
	char path[200];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(fd_mkdirs_beneath(f.dirfd, "a/b/c", 0755, &e), &e);
	snprintf(path, sizeof path, "%s/a/b/c", f.path);
	UNIT_OK(store_discover(path, 0, &s, &e), &e);
	ck_assert_str_eq(store_path(s), f.store);
	store_close(s);
	s = NULL;
	UNIT_OK(store_discover(f.path, STORE_READ_ONLY, &s, &e), &e);
	ck_assert(store_read_only(s));
	store_close(s);
	s = NULL;
	UNIT_FAILS(store_discover("/usr/share", 0, &s, &e), &e, ERR_NOTFOUND);
	ck_assert_ptr_nonnull(strstr(e.msg, "aicert init"));
	UNIT_FAILS(store_discover("/nonexistent", 0, &s, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

START_TEST(store_tmp_dirs)
{
	CLEANUP(cleanup_free) char *a = NULL, *b = NULL;
	struct fixture f;
	struct stat st;
	struct err e;

	fixture_open(&f);
	UNIT_OK(store_tmp_dir(f.s, "run", &a, &e), &e);
	UNIT_OK(store_tmp_dir(f.s, "run", &b, &e), &e);
	ck_assert_str_ne(a, b);
	ck_assert_int_eq(strncmp(a, "run-", 4), 0);
	ck_assert_int_eq(fstatat(store_tmp_fd(f.s), a, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	free(a);
	a = NULL;
	fixture_reopen(&f, STORE_READ_ONLY);
	UNIT_FAILS(store_tmp_dir(f.s, "run", &a, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

START_TEST(store_make_dirs_beneath)
{
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(store_make_dirs(f.s, "logs/refs/heads/deep", &e), &e);
	UNIT_OK(store_make_dirs(f.s, "logs/refs/heads/deep", &e), &e);
	ck_assert_int_eq(faccessat(store_dirfd(f.s), "logs/refs/heads/deep", F_OK, 0), 0);
	ck_assert_int_eq(symlinkat("/tmp", store_dirfd(f.s), "logs/out"), 0);
	UNIT_FAILS(store_make_dirs(f.s, "logs/out/x", &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(store)
{
	tcase_add_test(tc, store_init_layout);
	tcase_add_test(tc, store_init_again_changes_nothing);
	tcase_add_test(tc, store_init_race);
	tcase_add_test(tc, store_init_refuses_a_file);
	tcase_add_test(tc, store_open_missing);
	tcase_add_test(tc, store_open_versions);
	tcase_add_test(tc, store_open_refuses_symlinks);
	tcase_add_test(tc, store_open_owner);
	tcase_add_test(tc, store_open_owner_as_user);
	tcase_add_test(tc, store_discover_walks_up);
	tcase_add_test(tc, store_tmp_dirs);
	tcase_add_test(tc, store_make_dirs_beneath);
}
