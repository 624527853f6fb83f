#include "net/http.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "peer.h"
#include "unit.h"

static int
download_file(void)
{
	char name[128];
	int fd;

	snprintf(name, sizeof name, "%s/download", unit_dir());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
expect_content(int fd, const char *text)
{
	struct buf b = BUF_INIT;
	struct err e;

	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	UNIT_OK(fd_read_all(fd, 1000, &b, "file", &e), &e);
	ck_assert_str_eq(buf_str(&b), text);
	buf_free(&b);
}

START_TEST(loopback_http_is_fetched)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"}};
	struct progress progress;
	struct peer p;
	struct err e;
	char url[64];
	int fd = download_file();

	peer_tcp(&p, script, 1);
	peer_start(&p);
	progress_start(&progress, NULL, "x", 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/file", p.port);
	UNIT_OK(http_download(url, fd, 5, &progress, &e), &e);
	expect_content(fd, "hello");
	ck_assert_uint_eq(progress.done, 5);
	ck_assert_uint_eq(progress.total, 5);
	peer_join(&p);
	buf_free(&p.requests);
	close(fd);
}
END_TEST

START_TEST(other_urls_are_refused)
{
	static const char *const denied[] = {
		"http://example.org/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://127.0.0.1.evil.org/",
		"http://10.0.0.1/", "gopher://localhost/", "http://127.1.evil/", "dict://localhost/x", NULL,
	};
	struct err e;
	int fd = download_file();

	for (size_t i = 0; denied[i] != NULL; i++)
		UNIT_FAILS(http_download(denied[i], fd, 10, NULL, &e), &e, ERR_DENIED);
	UNIT_FAILS(http_download("not a url", fd, 10, NULL, &e), &e, ERR_USAGE);
	UNIT_FAILS(http_download("", fd, 10, NULL, &e), &e, ERR_USAGE);
	expect_content(fd, "");
	close(fd);
}
END_TEST

START_TEST(longer_than_max_is_cut)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", 0, true, false},
		{"HTTP/1.1 200 OK\r\n\r\nhello!", 0, true, false},
	};
	struct peer p;
	struct err e;
	char url[64];
	int fd = download_file();

	peer_tcp(&p, script, 2);
	peer_start(&p);
	snprintf(url, sizeof url, "http://localhost:%d/file", p.port);
	UNIT_FAILS(http_download(url, fd, 5, NULL, &e), &e, ERR_LIMIT);
	UNIT_FAILS(http_download(url, fd, 5, NULL, &e), &e, ERR_LIMIT);
	peer_join(&p);
	buf_free(&p.requests);
	close(fd);
}
END_TEST

START_TEST(bad_answers_fail)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", 0, true, false},
		{"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nnope", 0, true, false},
		{"HTTP/1.1 206 Partial\r\nContent-Length: 4\r\n\r\nnope", 0, true, false},
		{"HTTP/1.1 302 Found\r\nContent-Length: 4\r\n\r\nnope", 0, true, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nnope", 0, true, false},
	};
	struct peer p;
	struct err e;
	char url[64];
	int fd = download_file();

	peer_tcp(&p, script, 5);
	peer_start(&p);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/file", p.port);
	UNIT_FAILS(http_download(url, fd, 50, NULL, &e), &e, ERR_NOTFOUND);
	for (int i = 0; i < 3; i++)
		UNIT_FAILS(http_download(url, fd, 50, NULL, &e), &e, ERR_NETWORK);
	expect_content(fd, ""); /* an error's page is not the file */
	UNIT_FAILS(http_download(url, fd, 50, NULL, &e), &e, ERR_NETWORK); /* cut short */
	peer_join(&p);
	buf_free(&p.requests);
	close(fd);
}
END_TEST

static void
redirects(const char *location, int times, enum err_code expected)
{
	struct peer_answer script[8];
	char answer[512], last[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	struct peer p;
	struct err e;
	char url[64];
	int fd = download_file(), asked = expected == ERR_NONE ? times + 1 : times > 6 ? 6 : 1;

	for (int i = 0; i < 8; i++)
		script[i] = (struct peer_answer){i < times ? answer : last, 0, true, false};
	peer_tcp(&p, script, (size_t)asked);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/file", p.port);
	snprintf(answer, sizeof answer, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
	    location != NULL ? location : url);
	peer_start(&p);
	if (expected == ERR_NONE) {
		UNIT_OK(http_download(url, fd, 50, NULL, &e), &e);
		expect_content(fd, "ok");
	} else {
		UNIT_FAILS(http_download(url, fd, 50, NULL, &e), &e, expected);
	}
	peer_join(&p);
	buf_free(&p.requests);
	close(fd);
}

START_TEST(redirects_are_bounded_and_checked)
{
	redirects(NULL, 1, ERR_NONE);
	redirects(NULL, 5, ERR_NONE);
	redirects(NULL, 7, ERR_NETWORK);
	redirects("http://example.org/", 1, ERR_DENIED);
	redirects("file:///etc/passwd", 1, ERR_DENIED);
	redirects("ftp://127.0.0.1/", 1, ERR_DENIED);
}
END_TEST

static void *
signal_when_asked(void *arg)
{
	struct peer *p = arg;

	while (__atomic_load_n(&p->requests.len, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	raise(SIGINT);
	return NULL;
}

START_TEST(a_signal_ends_a_stalled_download)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nnope", 0, false, true}};
	pthread_t thread;
	struct peer p;
	struct err e;
	char url[64];
	int fd = download_file();

	UNIT_OK(interrupt_install(&e), &e);
	peer_tcp(&p, script, 1);
	peer_start(&p);
	ck_assert_int_eq(pthread_create(&thread, NULL, signal_when_asked, &p), 0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d/file", p.port);
	UNIT_FAILS(http_download(url, fd, 50, NULL, &e), &e, ERR_CANCELLED);
	pthread_join(thread, NULL);
	peer_join(&p);
	buf_free(&p.requests);
	close(fd);
}
END_TEST

UNIT_SUITE(net_http_download)
{
	tcase_add_test(tc, loopback_http_is_fetched);
	tcase_add_test(tc, other_urls_are_refused);
	tcase_add_test(tc, longer_than_max_is_cut);
	tcase_add_test(tc, bad_answers_fail);
	tcase_add_test(tc, redirects_are_bounded_and_checked);
	tcase_add_test(tc, a_signal_ends_a_stalled_download);
}
