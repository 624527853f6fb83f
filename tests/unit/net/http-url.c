#include "net/http.h"

#include "unit.h"

START_TEST(one_spelling)
{
	static const char *const table[][2] = {
		{"https://runner.example.org:8443", "https://runner.example.org:8443"},
		{"https://runner.example.org:8443/", "https://runner.example.org:8443"},
		{"https://runner.example.org", "https://runner.example.org:443"},
		{"HTTPS://Runner.Example.ORG", "https://runner.example.org:443"},
		{"https://127.0.0.1:1", "https://127.0.0.1:1"},
		{"https://[::1]:8443", "https://[::1]:8443"},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		CLEANUP(cleanup_free) char *base = NULL;
		struct err e;

		UNIT_OK(http_url_base(table[i][0], &base, &e), &e);
		ck_assert_str_eq(base, table[i][1]);
	}
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const bad[] = {
		"", "runner", "http://host:80", "ftp://host", "file:///etc/passwd", "qemu:", "qemu:image",
		"https://", "https://host/path", "https://host/?q", "https://host?q=1", "https://host#f",
		"https://user@host", "https://user:secret@host", "https://host:0x", "https://host:99999",
		"https://ho st", "https://host\nX: y", "https://host%0a", "https://h\x1b[31m", "unix:/a", NULL,
	};
	char *base = NULL;
	struct err e;

	for (size_t i = 0; bad[i] != NULL; i++) {
		UNIT_FAILS(http_url_base(bad[i], &base, &e), &e, ERR_USAGE);
		ck_assert_ptr_null(base);
	}
}
END_TEST

UNIT_SUITE(net_http_url)
{
	tcase_add_test(tc, one_spelling);
	tcase_add_test(tc, anything_else_is_refused);
}
