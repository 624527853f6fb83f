#include "net/http.h"

#include "unit.h"

START_TEST(sigv4_keys)
{
	static const struct http_sigv4 bad[] = {
		{"", "secret", NULL, "r"}, {"key", "", NULL, "r"}, {"key", "secret", NULL, ""},
		{"ke/y", "secret", NULL, "r"}, {"key", "secret", NULL, "r:s3"}, {"key", "secret", "a\r\nb", "r"},
		{"key", "se cret", NULL, "r"}, {"key\n", "secret", NULL, "r"}, {"key", "secret", "", "r"},
	};
	struct http_options o = {.peer = HTTP_PEER_LOCAL, .base = "http://127.0.0.1:1"};
	CLEANUP(http_freep) struct http *h = NULL;
	CLEANUP(http_freep) struct http *copy = NULL;
	struct err e;

	UNIT_OK(http_new_with(&o, &h, &e), &e);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(http_set_sigv4(h, &bad[i], &e), &e, ERR_USAGE);
	UNIT_OK(http_set_sigv4(h, &(struct http_sigv4){"ac:key", "a/b+c=", "token", "eu-1"}, &e), &e);
	UNIT_OK(http_clone(h, &copy, &e), &e);
}
END_TEST

/* Plain http leads nowhere but here. */
START_TEST(sigv4_local)
{
	static const char *const good[] = {
		"http://127.0.0.1", "http://127.0.0.1:9000", "http://localhost:1", "http://[::1]:80",
		"http://169.254.169.254", "http://[fd00:ec2::254]",
	};
	static const char *const bad[] = {
		"https://127.0.0.1", "http://127.0.0.1.example.org", "http://127.0.0.1@example.org",
		"http://localhost.example.org", "http://127.0.0.1:", "http://127.0.0.1:80/", "http://127.0.0.1:8o",
		"http://127.0.0.1:80@x", "http://10.0.0.1", "http://169.254.169.253", "http://", "",
		"http://LOCALHOST",
	};
	struct http_options o = {.peer = HTTP_PEER_LOCAL};
	struct http *h = NULL;
	struct err e;

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(http_url_local(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_msg(!http_url_local(bad[i]), "%s", bad[i]);
		o.base = bad[i];
		UNIT_FAILS(http_new_with(&o, &h, &e), &e, ERR_INTERNAL);
	}
}
END_TEST

UNIT_SUITE(net_http_sigv4)
{
	tcase_add_test(tc, sigv4_keys);
	tcase_add_test(tc, sigv4_local);
}
