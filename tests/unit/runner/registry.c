#include "runner/registry.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "fixture.h"
#include "unit.h"

#define NAME "000b00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0011"

static struct config *
open_config(const char *name)
{
	struct config *c = NULL;
	char dir[256];
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	setenv("XDG_CONFIG_HOME", dir, 1);
	UNIT_OK(config_open(NULL, &c, &e), &e);
	return c;
}

static struct registry_entry
entry(const char *name, const char *url)
{
	struct registry_entry r = {.level = LEVEL_DEVICE};
	struct err e;

	r.name = buf_strdup(name, &e);
	r.url = buf_strdup(url, &e);
	r.ak_name = buf_strdup(NAME, &e);
	ck_assert(r.name != NULL && r.url != NULL && r.ak_name != NULL);
	return r;
}

START_TEST(what_is_added_is_there)
{
	CLEANUP(registry_entry_free) struct registry_entry r = entry("gpu", "https://h:8443"), got = {0};
	CLEANUP(config_closep) struct config *c = open_config("added");
	struct err e;

	r.token_file = buf_strdup("/t", &e);
	r.client_cert = buf_strdup("/c", &e);
	r.client_key = buf_strdup("/k", &e);
	r.ak_given = true;
	UNIT_FAILS(registry_get(c, "gpu", &got, &e), &e, ERR_USAGE);
	UNIT_OK(registry_add(c, &r, &e), &e);
	UNIT_OK(registry_get(c, "gpu", &got, &e), &e);
	ck_assert_str_eq(got.name, "gpu");
	ck_assert_str_eq(got.url, "https://h:8443");
	ck_assert_str_eq(got.ak_name, NAME);
	ck_assert_int_eq((int)got.level, LEVEL_DEVICE);
	ck_assert(got.ak_given);
	ck_assert_str_eq(got.token_file, "/t");
	ck_assert_str_eq(got.client_cert, "/c");
	ck_assert_str_eq(got.client_key, "/k");
	UNIT_FAILS(registry_add(c, &r, &e), &e, ERR_EXISTS);
	UNIT_OK(registry_remove(c, "gpu", &e), &e);
	registry_entry_free(&got);
	UNIT_FAILS(registry_get(c, "gpu", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(registry_remove(c, "gpu", &e), &e, ERR_USAGE);
}
END_TEST

/* A machine that is started has a shape instead of a key. */
START_TEST(started)
{
	CLEANUP(registry_entry_free) struct registry_entry r = {.level = LEVEL_SIMULATED}, got = {0};
	CLEANUP(config_closep) struct config *c = open_config("started");
	struct err e;

	r.name = buf_strdup("vm", &e);
	r.url = buf_strdup("qemu:/i.efi", &e);
	r.started = true;
	r.processors = 3;
	r.accelerator = buf_strdup("tcg", &e);
	r.firmware_variables = buf_strdup("/v.fd", &e);
	UNIT_OK(registry_add(c, &r, &e), &e);
	UNIT_OK(registry_get(c, "vm", &got, &e), &e);
	ck_assert(got.started);
	ck_assert_str_eq(got.url, "qemu:/i.efi");
	ck_assert_int_eq((int)got.level, LEVEL_SIMULATED);
	ck_assert_int_eq(got.processors, 3);
	ck_assert_int_eq(got.memory_mib, 0);
	ck_assert_str_eq(got.accelerator, "tcg");
	ck_assert_str_eq(got.firmware_variables, "/v.fd");
	ck_assert_ptr_null(got.ak_name);
	registry_entry_free(&got);
	UNIT_OK(config_set(c, true, "runner.vm.memory", "1k", &e), &e);
	UNIT_FAILS(registry_get(c, "vm", &got, &e), &e, ERR_USAGE);
	UNIT_OK(config_set(c, true, "runner.vm.memory", "9999999999", &e), &e);
	UNIT_FAILS(registry_get(c, "vm", &got, &e), &e, ERR_USAGE);
	UNIT_OK(registry_remove(c, "vm", &e), &e);
	UNIT_FAILS(config_unset(c, true, "runner.vm.memory", &e), &e, ERR_NOTFOUND);
	ck_assert(registry_is_started("qemu:/x"));
	ck_assert(!registry_is_started("qemu:x"));
	ck_assert(!registry_is_started("https://h"));
	ck_assert(!registry_is_started(":/x"));
}
END_TEST

START_TEST(names)
{
	static const char *const good[] = {"a", "gpu-1", "a.b_c", "0"};
	static const char *const bad[] = {"", "local", ".a", "-a", "_a", "a b", "a/b", "a\"b", "\xc3\xa9",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	struct err e;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		UNIT_OK(registry_name_check(good[i], &e), &e);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		UNIT_FAILS(registry_name_check(bad[i], &e), &e, ERR_USAGE);
}
END_TEST

START_TEST(the_list_is_sorted)
{
	CLEANUP(registry_entry_free) struct registry_entry a = entry("zz", "https://z:1"),
	    b = entry("aa.url", "https://a:1");
	CLEANUP(config_closep) struct config *c = open_config("sorted");
	struct registry_entry *list;
	struct err e;
	size_t n;

	UNIT_OK(registry_list(c, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 0);
	free(list);
	UNIT_OK(registry_add(c, &a, &e), &e);
	UNIT_OK(registry_add(c, &b, &e), &e);
	UNIT_OK(registry_list(c, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[0].name, "aa.url");
	ck_assert_str_eq(list[1].name, "zz");
	for (size_t i = 0; i < n; i++)
		registry_entry_free(&list[i]);
	free(list);
}
END_TEST

static void
set(struct config *c, const char *key, const char *value)
{
	struct err e;

	UNIT_OK(config_set(c, true, key, value, &e), &e);
}

START_TEST(records_that_are_wrong_are_refused)
{
	CLEANUP(config_closep) struct config *c = open_config("wrong");
	struct registry_entry got = {0};
	struct err e;

	set(c, "runner.x.akName", NAME);
	UNIT_FAILS(registry_get(c, "x", &got, &e), &e, ERR_USAGE); /* no url */
	set(c, "runner.x.url", "http://h:1");
	UNIT_FAILS(registry_get(c, "x", &got, &e), &e, ERR_USAGE);
	set(c, "runner.x.url", "https://h:1");
	UNIT_OK(registry_get(c, "x", &got, &e), &e);
	ck_assert_int_eq((int)got.level, LEVEL_VTPM); /* unless it says less */
	registry_entry_free(&got);
	set(c, "runner.x.minLevel", "none");
	ck_assert_int_ne(registry_get(c, "x", &got, &e), 0);
	set(c, "runner.x.minLevel", "nonsense");
	ck_assert_int_ne(registry_get(c, "x", &got, &e), 0);
	set(c, "runner.x.minLevel", "simulated");
	set(c, "runner.x.clientCert", "/c");
	UNIT_FAILS(registry_get(c, "x", &got, &e), &e, ERR_USAGE);
	set(c, "runner.x.clientKey", "/k");
	UNIT_OK(registry_get(c, "x", &got, &e), &e);
	registry_entry_free(&got);
	UNIT_OK(config_unset(c, true, "runner.x.akName", &e), &e);
	UNIT_FAILS(registry_get(c, "x", &got, &e), &e, ERR_USAGE);
}
END_TEST

/* A repository that brings a runner of its own is not heard. */
START_TEST(a_repository_names_no_runner)
{
	static const char text[] = "[core]\n\tformatversion = 1\n[runner \"gpu\"]\n\turl = https://evil:1\n"
	    "\takName = " NAME "\n\tminLevel = simulated\n";
	struct store *s = fixture_store("repository");
	struct registry_entry got = {0};
	struct config *c = NULL;
	struct registry_entry *list;
	char dir[256], path[512];
	struct err e;
	size_t n;
	int fd;

	snprintf(dir, sizeof dir, "%s/user-config", unit_dir());
	setenv("XDG_CONFIG_HOME", dir, 1);
	snprintf(path, sizeof path, "%s/config", store_path(s));
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	UNIT_OK(fd_write_all(fd, text, strlen(text), path, &e), &e);
	close(fd);
	UNIT_OK(config_open(s, &c, &e), &e);
	UNIT_FAILS(registry_get(c, "gpu", &got, &e), &e, ERR_USAGE);
	UNIT_OK(registry_list(c, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 0);
	free(list);
	config_close(c);
	store_close(s);
}
END_TEST

UNIT_SUITE(runner_registry)
{
	tcase_add_test(tc, what_is_added_is_there);
	tcase_add_test(tc, started);
	tcase_add_test(tc, names);
	tcase_add_test(tc, the_list_is_sorted);
	tcase_add_test(tc, records_that_are_wrong_are_refused);
	tcase_add_test(tc, a_repository_names_no_runner);
}
