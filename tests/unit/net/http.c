#include "net/http.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "peer.h"
#include "unit.h"

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

static int
requests(const struct peer *p, const char *text)
{
	return memmem(p->requests.data, p->requests.len, text, strlen(text)) != NULL;
}

START_TEST(get_keeps_the_connection)
{
	static const struct peer_answer script[] = {{OK_HELLO}, {OK_HELLO}, {OK_HELLO}};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "GET", .path = "/v1/x?a=b", .body_fd = -1, .max = 5};
	struct peer p;
	struct err e;

	peer_unix(&p, "keep", script, 3);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	for (int i = 0; i < 3; i++) {
		struct http_response rs;

		UNIT_OK(http_do(h, &rq, &rs, &e), &e);
		ck_assert_int_eq(rs.status, 200);
		ck_assert(http_ok(&rs));
		ck_assert_str_eq(buf_str(&rs.body), "hello");
		ck_assert_str_eq(rs.content_type, "text/plain");
		ck_assert_int_eq(rs.upload_offset, -1);
		ck_assert_int_eq(rs.retry_after, -1);
		http_response_free(&rs);
	}
	http_freep(&h);
	h = NULL;
	peer_join(&p);
	ck_assert_uint_eq(p.connections, 1);
	ck_assert(requests(&p, "GET /v1/x?a=b HTTP/1.1\r\n"));
	ck_assert(!requests(&p, "Authorization"));
	buf_free(&p.requests);
}
END_TEST

START_TEST(answer_longer_than_max_is_refused)
{
	static const struct peer_answer script[] = {{OK_HELLO}};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "GET", .path = "/", .body_fd = -1, .max = 4};
	struct http_response rs;
	struct peer p;
	struct err e;

	peer_unix(&p, "long", script, 1);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_LIMIT);
	peer_join(&p);
	buf_free(&p.requests);
}
END_TEST

START_TEST(endless_answer_is_cut)
{
	static char bytes[400000];
	struct peer_answer script[] = {{bytes, sizeof bytes, true, false}};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "GET", .path = "/", .body_fd = -1, .max = 100000};
	struct http_response rs;
	struct peer p;
	struct err e;

	memset(bytes, 'x', sizeof bytes);
	memcpy(bytes, "HTTP/1.1 200 OK\r\n\r\n", 19);
	peer_unix(&p, "endless", script, 1);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_LIMIT);
	peer_join(&p);
	buf_free(&p.requests);
}
END_TEST

START_TEST(bodies_are_sent)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nUpload-Offset: 12\r\n\r\n"},
		{"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\nupload-offset: 9007199254740991\r\n"
		 "Retry-After: 7\r\n\r\n"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nUpload-Offset: 99999999999999999999999\r\n\r\n"},
	};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {
		.method = "PUT", .path = "/a", .content_type = "text/x", .body = "some body", .body_len = 9,
		.body_fd = -1,
	};
	struct http_response rs;
	struct peer p;
	struct err e;
	char name[128];
	int fd;

	snprintf(name, sizeof name, "%s/body", unit_dir());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, "0123456789", 10, name, &e), &e);
	peer_unix(&p, "bodies", script, 3);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_int_eq(rs.status, 201);
	ck_assert_int_eq(rs.upload_offset, 12);
	http_response_free(&rs);
	rq = (struct http_request){.method = "PUT", .path = "/b", .body_fd = fd, .body_fd_offset = 4,
		.body_fd_size = 6, .header = "Content-Range: bytes 4-9/10"};
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_int_eq(rs.status, 409);
	ck_assert_int_eq(rs.upload_offset, INT64_C(9007199254740991));
	ck_assert_int_eq(rs.retry_after, 7);
	http_response_free(&rs);
	rq = (struct http_request){.method = "POST", .path = "/c", .body_fd = -1};
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_int_eq(rs.upload_offset, -1); /* out of range is as good as absent */
	http_response_free(&rs);
	peer_join(&p);
	ck_assert(requests(&p, "PUT /a HTTP/1.1\r\n"));
	ck_assert(requests(&p, "Content-Type: text/x\r\n"));
	ck_assert(requests(&p, "\r\n\r\nsome body"));
	ck_assert(requests(&p, "Content-Range: bytes 4-9/10\r\n"));
	ck_assert(requests(&p, "\r\n\r\n456789"));
	ck_assert(requests(&p, "POST /c HTTP/1.1\r\n"));
	buf_free(&p.requests);
	close(fd);
}
END_TEST

START_TEST(file_that_shrinks_fails)
{
	static const struct peer_answer script[] = {{OK_HELLO, 0, true, false}};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "PUT", .path = "/b", .body_fd_size = 100};
	struct http_response rs;
	struct peer p;
	struct err e;
	char name[128];
	int fd;

	snprintf(name, sizeof name, "%s/short", unit_dir());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	UNIT_OK(fd_write_all(fd, "0123456789", 10, name, &e), &e);
	rq.body_fd = fd;
	peer_unix(&p, "shrink", script, 1);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_CONFLICT);
	close(fd);
	close(p.listen_fd);
}
END_TEST

static int
sink_count(void *arg, const void *data, size_t len, struct err *e)
{
	(void)data;
	(void)e;
	*(size_t *)arg += len;
	return 0;
}

static int
sink_refuse(void *arg, const void *data, size_t len, struct err *e)
{
	(void)arg;
	(void)data;
	(void)len;
	return err_set(e, ERR_CORRUPT, "not this");
}

START_TEST(sink_takes_2xx_only)
{
	static const struct peer_answer script[] = {
		{OK_HELLO}, {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"}, {OK_HELLO},
	};
	CLEANUP(http_freep) struct http *h = NULL;
	size_t got = 0;
	struct http_request rq = {
		.method = "GET", .path = "/", .body_fd = -1, .sink = sink_count, .sink_arg = &got,
	};
	struct http_response rs;
	struct peer p;
	struct err e;

	peer_unix(&p, "sink", script, 3);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_uint_eq(got, 5);
	ck_assert_uint_eq(rs.body.len, 0);
	http_response_free(&rs);
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_uint_eq(got, 5);
	ck_assert_str_eq(buf_str(&rs.body), "nope");
	http_response_free(&rs);
	rq.sink = sink_refuse;
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_CORRUPT);
	ck_assert_str_eq(e.msg, "not this");
	peer_join(&p);
	buf_free(&p.requests);
}
END_TEST

START_TEST(no_answer_is_a_network_error)
{
	static const struct peer_answer script[] = {{"garbage\r\n\r\n", 0, true, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 0, true, false}};
	CLEANUP(http_freep) struct http *h = NULL, *absent = NULL;
	struct http_request rq = {.method = "GET", .path = "/", .body_fd = -1, .max = 1000};
	struct http_response rs;
	struct peer p;
	struct err e;

	UNIT_OK(http_new("http://local", "/nonexistent/socket", &absent, &e), &e);
	UNIT_FAILS(http_do(absent, &rq, &rs, &e), &e, ERR_NETWORK);
	peer_unix(&p, "none", script, 2);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_NETWORK); /* HTTP/0.9 is not spoken */
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_NETWORK); /* truncated */
	peer_join(&p);
	buf_free(&p.requests);
}
END_TEST

START_TEST(redirects_are_answers)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 307 Moved\r\nLocation: http://local/elsewhere\r\nContent-Length: 0\r\n\r\n"}};
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {.method = "GET", .path = "/", .body_fd = -1};
	struct http_response rs;
	struct peer p;
	struct err e;

	peer_unix(&p, "redirect", script, 1);
	peer_start(&p);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_OK(http_set_token(h, "secret-token", &e), &e);
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_int_eq(rs.status, 307);
	peer_join(&p);
	ck_assert(requests(&p, "Authorization: Bearer secret-token\r\n"));
	ck_assert(!requests(&p, "elsewhere"));
	buf_free(&p.requests);
}
END_TEST

START_TEST(tokens_are_one_word)
{
	static const char *const bad[] = {"", "a b", "a\r\nX: y", "\x80", "a\"b", NULL};
	CLEANUP(http_freep) struct http *h = NULL;
	struct err e;

	UNIT_OK(http_new("http://local", "/s", &h, &e), &e);
	for (size_t i = 0; bad[i] != NULL; i++)
		UNIT_FAILS(http_set_token(h, bad[i], &e), &e, ERR_USAGE);
	UNIT_OK(http_set_token(h, "abc.DEF-012_~+/=", &e), &e);
	UNIT_OK(http_set_token(h, "again", &e), &e);
}
END_TEST

static void *
interrupt_soon(void *arg)
{
	struct peer *p = arg;

	/* the peer has the request once it hangs: wait for its bytes */
	while (__atomic_load_n(&p->requests.len, __ATOMIC_ACQUIRE) == 0)
		sched_yield();
	raise(SIGTERM);
	return NULL;
}

START_TEST(follow_ends_at_a_signal)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 0, false, true},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nde"},
	};
	CLEANUP(http_freep) struct http *h = NULL;
	size_t got = 0;
	struct http_request rq = {
		.method = "GET", .path = "/log", .body_fd = -1, .sink = sink_count, .sink_arg = &got,
		.follow = true,
	};
	struct http_response rs;
	pthread_t thread;
	struct peer p;
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	peer_unix(&p, "follow", script, 2);
	peer_start(&p);
	ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_soon, &p), 0);
	UNIT_OK(http_new("http://local", p.path, &h, &e), &e);
	UNIT_FAILS(http_do(h, &rq, &rs, &e), &e, ERR_CANCELLED);
	pthread_join(thread, NULL);
	http_ignore_interrupt(h);
	got = 0;
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_uint_eq(got, 2);
	http_response_free(&rs);
	peer_join(&p);
	buf_free(&p.requests);
}
END_TEST

UNIT_SUITE(net_http)
{
	tcase_add_test(tc, get_keeps_the_connection);
	tcase_add_test(tc, answer_longer_than_max_is_refused);
	tcase_add_test(tc, endless_answer_is_cut);
	tcase_add_test(tc, bodies_are_sent);
	tcase_add_test(tc, file_that_shrinks_fails);
	tcase_add_test(tc, sink_takes_2xx_only);
	tcase_add_test(tc, no_answer_is_a_network_error);
	tcase_add_test(tc, redirects_are_answers);
	tcase_add_test(tc, tokens_are_one_word);
	tcase_add_test(tc, follow_ends_at_a_signal);
}
