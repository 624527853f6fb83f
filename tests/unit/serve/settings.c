#include "serve/settings.h"

#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "unit.h"

static void
set(struct settings *s, const char *key, const char *value)
{
	struct err e;

	UNIT_OK(settings_set(s, key, value, &e), &e);
}

START_TEST(a_file_is_read)
{
	static const char text[] = "[daemon]\n\tlisten = 127.0.0.1:0\n\tstore = /s\n\ttokenFile = /t\n"
	    "[http]\n\tconnections = 7\n\tidleTimeout = 3600\n[run]\n\tqueue = 0\n[tpm]\n\tbootLog = /b\n"
	    "[hub]\n\tpublic = refs/heads/main\n\tpublic = refs/tags/\n";
	CLEANUP(settings_free) struct settings s = {0};
	char path[160];
	struct err e;

	snprintf(path, sizeof path, "%s/conf", unit_dir());
	UNIT_OK(atomic_file_write(AT_FDCWD, path, text, sizeof text - 1, 0600, &e), &e);
	UNIT_OK(settings_init(&s, &e), &e);
	ck_assert_str_eq(s.tpm, "embedded");
	ck_assert_int_eq(s.queue, 8);
	UNIT_OK(settings_load(&s, path, &e), &e);
	ck_assert_str_eq(s.listen, "127.0.0.1:0");
	ck_assert_str_eq(s.token_file, "/t");
	ck_assert_str_eq(s.boot_log, "/b");
	ck_assert_int_eq(s.connections, 7);
	ck_assert_int_eq(s.idle_s, 3600);
	ck_assert_int_eq(s.queue, 0);
	ck_assert_uint_eq(s.public_count, 2);
	ck_assert(settings_public(&s, "refs/heads/main"));
	ck_assert(settings_public(&s, "refs/tags/v1"));
	ck_assert(!settings_public(&s, "refs/heads/main2"));
	ck_assert(!settings_public(&s, "refs/heads/main/x"));
	ck_assert(!settings_public(&s, "refs/tags"));
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE); /* public refs are a hub's */
	UNIT_FAILS(settings_load(&s, "/nonexistent", &e), &e, ERR_IO);
}
END_TEST

START_TEST(sizes_have_units)
{
	CLEANUP(settings_free) struct settings s = {0};
	struct err e;

	UNIT_OK(settings_init(&s, &e), &e);
	ck_assert_int_eq(s.max_memory, 0);
	UNIT_OK(settings_set(&s, "run.maxmemory", "64m", &e), &e);
	ck_assert_int_eq(s.max_memory, 64 * 1024 * 1024);
	UNIT_OK(settings_set(&s, "run.maxmemory", "2G", &e), &e);
	ck_assert_int_eq(s.max_memory, INT64_C(2) * 1024 * 1024 * 1024);
	UNIT_OK(settings_set(&s, "run.maxmemory", "3k", &e), &e);
	ck_assert_int_eq(s.max_memory, 3072);
	UNIT_OK(settings_set(&s, "run.maxseconds", "7200", &e), &e);
	ck_assert_int_eq(s.max_seconds, 7200);
}
END_TEST

START_TEST(other_keys_and_values_are_refused)
{
	static const char *const bad[][2] = {
		{"daemon.other", "x"}, {"x.listen", "x"}, {"run.queue", "65"}, {"run.queue", "-1"},
		{"run.queue", ""}, {"run.queue", "1x"}, {"run.queue", "99999999999999999999999"},
		{"http.connections", "0"}, {"http.idletimeout", "3601"}, {"hub.public", "main"},
		{"hub.public", "refs/"}, {"hub.public", "refs/heads/a..b"}, {"hub.public", ""},
		{"run.queue", "1k"}, {"run.maxmemory", "1kk"}, {"run.maxmemory", "9999999g"},
		{"run.maxmemory", "m"}, {"run.maxmemory", "1t"}, {"daemon.store", ""},
	};
	CLEANUP(settings_free) struct settings s = {0};
	struct err e;

	UNIT_OK(settings_init(&s, &e), &e);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(settings_set(&s, bad[i][0], bad[i][1], &e) != 0 && e.code == ERR_USAGE,
		    "%s = %s", bad[i][0], bad[i][1]);
}
END_TEST

START_TEST(what_belongs_together)
{
	CLEANUP(settings_free) struct settings s = {0};
	struct err e;

	UNIT_OK(settings_init(&s, &e), &e);
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
	set(&s, "daemon.store", "/s");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
	set(&s, "daemon.listen", "127.0.0.1:1");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE); /* no token file */
	set(&s, "daemon.tokenfile", "/t");
	UNIT_OK(settings_check(&s, &e), &e);
	set(&s, "daemon.tlscert", "/c");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
	set(&s, "daemon.tlskey", "/k");
	UNIT_OK(settings_check(&s, &e), &e);
	set(&s, "daemon.tpm", "none");
	ck_assert(settings_is_hub(&s));
	set(&s, "hub.public", "refs/heads/");
	UNIT_OK(settings_check(&s, &e), &e);
	set(&s, "daemon.socket", "/x");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE); /* one or the other */
}
END_TEST

START_TEST(a_hub_needs_a_certificate)
{
	CLEANUP(settings_free) struct settings s = {0};
	struct err e;

	UNIT_OK(settings_init(&s, &e), &e);
	set(&s, "daemon.store", "/s");
	set(&s, "daemon.tpm", "none");
	set(&s, "daemon.tokenfile", "/t");
	set(&s, "daemon.listen", "127.0.0.1:1");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.msg, "--tls-cert"));
}
END_TEST

START_TEST(a_measured_image)
{
	static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	CLEANUP(settings_free) struct settings s = {0};
	struct err e;

	UNIT_OK(settings_init(&s, &e), &e);
	set(&s, "daemon.store", "/s");
	set(&s, "daemon.listen", "127.0.0.1:1");
	set(&s, "daemon.runtimeconfig", "/d");
	UNIT_OK(settings_check(&s, &e), &e);
	set(&s, "image.name", "aicert-base");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE); /* a part of it */
	set(&s, "image.version", "1");
	set(&s, "image.verity", hash);
	UNIT_OK(settings_check(&s, &e), &e);
	set(&s, "image.verity", hash + 1);
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
	set(&s, "image.verity", hash);
	set(&s, "daemon.tokenfile", "/t");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE); /* two who say who may come */
}
END_TEST

START_TEST(a_socket_and_a_hub_are_not_measured)
{
	CLEANUP(settings_free) struct settings s = {0};
	struct err e;

	UNIT_OK(settings_init(&s, &e), &e);
	set(&s, "daemon.store", "/s");
	set(&s, "daemon.socket", "/x");
	UNIT_OK(settings_check(&s, &e), &e);
	set(&s, "image.name", "x");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
	settings_free(&s);
	UNIT_OK(settings_init(&s, &e), &e);
	set(&s, "daemon.store", "/s");
	set(&s, "daemon.listen", "127.0.0.1:1");
	set(&s, "daemon.tpm", "none");
	set(&s, "daemon.tlscert", "/c");
	set(&s, "daemon.tlskey", "/k");
	set(&s, "daemon.runtimeconfig", "/d");
	UNIT_FAILS(settings_check(&s, &e), &e, ERR_USAGE);
}
END_TEST

UNIT_SUITE(serve_settings)
{
	tcase_add_test(tc, a_file_is_read);
	tcase_add_test(tc, sizes_have_units);
	tcase_add_test(tc, other_keys_and_values_are_refused);
	tcase_add_test(tc, what_belongs_together);
	tcase_add_test(tc, a_hub_needs_a_certificate);
	tcase_add_test(tc, a_measured_image);
	tcase_add_test(tc, a_socket_and_a_hub_are_not_measured);
}
