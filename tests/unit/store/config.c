#include "store/config.h"

#include <string.h>
#include <sys/stat.h>
#include "unit.h"
#include "store/fixture.h"

static void
user_config(struct fixture *f, const char *text)
{
	setenv("XDG_CONFIG_HOME", f->path, 1);
	if (text == NULL)
		return;
	(void)mkdirat(f->dirfd, "aicert", 0700);
	fixture_write(f, "aicert/config", text, strlen(text));
}

static void
store_config(struct fixture *f, const char *text)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	buf_addf(&b, "[core]\n\tformatversion = 1\n%s", text);
	fixture_write(f, ".aicert/config", b.data, b.len);
}

START_TEST(config_what_a_repository_may_say)
{
	static const char *const yes[] = {"core.formatversion", "CORE.FormatVersion", "remote.origin.url",
	    "remote.a.b.c.url", "color.ui", "branch.main.remote", "store.ingest",
	    "store.alternate", "store.alternates"};
	static const char *const no[] = {"runner.x.url", "runner.default", "trust.x.root", "policy.file",
	    "verify.minlevel", "verify.min-level", "level.min", "credential.helper", "core.sshcommand",
	    "core.pager", "remote.origin.uploadpack", "remote.origin.proxy", "remote.url", "remote..url",
	    "alias.x", "include.path", "url.x.insteadof", "color", "", "color.ui.x"};

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		ck_assert_msg(config_repository_key(yes[i]), "%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		ck_assert_msg(!config_repository_key(no[i]), "%s", no[i]);
}
END_TEST

START_TEST(config_hostile_repository_is_not_heard)
{
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(cleanup_free) char *value = NULL;
	struct fixture f;
	struct err e;
	bool b;

	fixture_open(&f);
	user_config(&f, "[verify]\n\tminlevel = vtpm\n[color]\n\tui = false\n");
	store_config(&f, "[verify]\n\tminlevel = simulated\n[runner \"x\"]\n\turl = https://evil\n"
	    "[color]\n\tui\n");
	UNIT_OK(config_open(f.s, &c, &e), &e);
	UNIT_OK(config_get(c, "verify.minlevel", &value, &e), &e);
	ck_assert_str_eq(value, "vtpm");
	free(value);
	value = NULL;
	UNIT_FAILS(config_get(c, "runner.x.url", &value, &e), &e, ERR_NOTFOUND);
	UNIT_OK(config_get_bool(c, "color.ui", false, &b, &e), &e);
	ck_assert(b); /* the repository may, and a name alone is true */
	fixture_close(&f);
}
END_TEST

static int
each(void *arg, const char *key, const char *value, bool user)
{
	struct buf *b = arg;

	buf_addf(b, "%c %s=%s;", user ? 'u' : 's', key, value);
	return 0;
}

START_TEST(config_set_get_unset)
{
	CLEANUP(config_closep) struct config *c = NULL;
	CLEANUP(cleanup_free) char *value = NULL;
	CLEANUP(buf_free) struct buf all = BUF_INIT;
	struct fixture f;
	struct stat st;
	struct err e;

	fixture_open(&f);
	user_config(&f, NULL);
	UNIT_OK(config_open(f.s, &c, &e), &e);
	UNIT_FAILS(config_set(c, false, "runner.x.url", "https://x", &e), &e, ERR_DENIED);
	UNIT_FAILS(config_set(c, false, "core.formatversion", "2", &e), &e, ERR_DENIED);
	UNIT_OK(config_set(c, true, "runner.x.url", "https://x", &e), &e);
	UNIT_OK(config_set(c, false, "remote.origin.url", "a \"b\" ;c\n", &e), &e);
	UNIT_OK(config_get(c, "remote.origin.url", &value, &e), &e);
	ck_assert_str_eq(value, "a \"b\" ;c\n");
	ck_assert_int_eq(fstatat(f.dirfd, "aicert", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(fixture_count(f.dirfd, "aicert"), 1);
	UNIT_OK(config_each(c, each, &all, &e), &e);
	ck_assert_str_eq(buf_str(&all), "u runner.x.url=https://x;s core.formatversion=1;"
	    "s remote.origin.url=a \"b\" ;c\n;");
	UNIT_OK(config_unset(c, true, "runner.x.url", &e), &e);
	UNIT_FAILS(config_unset(c, true, "runner.x.url", &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(config_set(c, true, "nodot", "x", &e), &e, ERR_USAGE);
	/* the store still opens */
	fixture_reopen(&f, STORE_READ_ONLY);
	config_close(c);
	c = NULL;
	UNIT_OK(config_open(f.s, &c, &e), &e);
	UNIT_FAILS(config_set(c, false, "color.ui", "true", &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

START_TEST(config_bools)
{
	CLEANUP(config_closep) struct config *c = NULL;
	struct fixture f;
	struct err e;
	bool b;

	fixture_open(&f);
	user_config(&f, "[a]\n\tyes = Yes\n\tno = off\n\tbad = maybe\n\tempty =\n");
	UNIT_OK(config_open(NULL, &c, &e), &e);
	UNIT_OK(config_get_bool(c, "a.yes", false, &b, &e), &e);
	ck_assert(b);
	UNIT_OK(config_get_bool(c, "a.no", true, &b, &e), &e);
	ck_assert(!b);
	UNIT_OK(config_get_bool(c, "a.empty", true, &b, &e), &e);
	ck_assert(!b);
	UNIT_OK(config_get_bool(c, "a.unset", true, &b, &e), &e);
	ck_assert(b);
	UNIT_FAILS(config_get_bool(c, "a.bad", true, &b, &e), &e, ERR_USAGE);
	UNIT_FAILS(config_set(c, false, "color.ui", "x", &e), &e, ERR_USAGE);
	fixture_close(&f);
}
END_TEST

START_TEST(config_dirs)
{
	CLEANUP(cleanup_free) char *dir = NULL;
	struct err e;

	setenv("HOME", "/h", 1);
	setenv("XDG_DATA_HOME", "relative", 1);
	UNIT_OK(config_dir_data(&dir, &e), &e);
	ck_assert_str_eq(dir, "/h/.local/share/aicert");
	free(dir);
	setenv("XDG_DATA_HOME", "/d", 1);
	UNIT_OK(config_dir_data(&dir, &e), &e);
	ck_assert_str_eq(dir, "/d/aicert");
	free(dir);
	unsetenv("XDG_CACHE_HOME");
	UNIT_OK(config_dir_cache(&dir, &e), &e);
	ck_assert_str_eq(dir, "/h/.cache/aicert");
	free(dir);
	dir = NULL;
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	UNIT_FAILS(config_dir_user(&dir, &e), &e, ERR_NOTFOUND);
}
END_TEST

UNIT_SUITE(config)
{
	tcase_add_test(tc, config_what_a_repository_may_say);
	tcase_add_test(tc, config_hostile_repository_is_not_heard);
	tcase_add_test(tc, config_set_get_unset);
	tcase_add_test(tc, config_bools);
	tcase_add_test(tc, config_dirs);
}
