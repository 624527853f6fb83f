#include "serve/http.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "harness.h"
#include "unit.h"

START_TEST(targets_are_taken_raw)
{
	static const struct {
		const char *line;
		int status;
	} table[] = {
		{"GET /healthz HTTP/1.1", 200},
		{"HEAD /healthz HTTP/1.1", 200},
		{"GET /healthz?x=y HTTP/1.1", 200},
		{"GET / HTTP/1.1", 404},
		{"GET /healthz/ HTTP/1.1", 404},
		{"GET /HEALTHZ HTTP/1.1", 404},
		{"GET /v1 HTTP/1.1", 404},
		{"GET /v1/refs HTTP/1.1", 404},
		{"GET /metrics HTTP/1.1", 200},
		{"GET /healthz%00 HTTP/1.1", 400},
		{"GET /%00healthz HTTP/1.1", 400},
		{"GET /%68ealthz HTTP/1.1", 400},
		{"GET /v1%2fidentity HTTP/1.1", 400},
		{"GET //healthz HTTP/1.1", 400},
		{"GET /x/../healthz HTTP/1.1", 400},
		{"GET /./healthz HTTP/1.1", 400},
		{"GET /v1/objects/..%2f..%2fHEAD HTTP/1.1", 400},
		{"GET /v1/objects/../../HEAD HTTP/1.1", 400},
		{"GET /v1/objects/.. HTTP/1.1", 400},
		{"GET http://local/healthz HTTP/1.1", 400},
		{"OPTIONS * HTTP/1.1", 400},
		{"GET /healthz\\ HTTP/1.1", 400},
		{"GET /\xc3\xa9 HTTP/1.1", 400},
		{"POST /healthz HTTP/1.1", 405},
		{"FOO /healthz HTTP/1.1", 405},
		{"DELETE /v1/identity HTTP/1.1", 405},
		{"PUT /v1/runs HTTP/1.1", 405},
		{"GET /v1/runs HTTP/1.1", 200},
	};
	struct harness h;

	harness_start(&h, "targets");
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		int status = harness_status(&h, table[i].line);

		ck_assert_msg(status == table[i].status, "%s: %d", table[i].line, status);
	}
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(methods_are_named)
{
	static const char request[] = "PATCH /v1/objects/x HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n";
	struct harness h;
	struct buf answer = BUF_INIT;

	harness_start(&h, "methods");
	harness_raw(&h, request, sizeof request - 1, &answer);
	ck_assert_ptr_nonnull(strstr(buf_str(&answer), "405"));
	ck_assert_ptr_nonnull(strstr(buf_str(&answer), "Allow: GET, HEAD, PUT\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&answer), "application/problem+json"));
	ck_assert_ptr_nonnull(strstr(buf_str(&answer), "\"type\":\"urn:aicert:error:usage\""));
	buf_free(&answer);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

static int
status_of(const struct harness *h, const struct buf *request)
{
	struct buf answer = BUF_INIT;
	int status;

	harness_raw(h, request->data, request->len, &answer);
	status = answer.len > 12 ? atoi(buf_str(&answer) + 9) : 0;
	buf_free(&answer);
	return status;
}

START_TEST(everything_is_bounded)
{
	struct harness h;
	struct buf rq = BUF_INIT;

	harness_start(&h, "bounded");
	buf_adds(&rq, "GET /healthz?");
	for (int i = 0; i < 5000; i++)
		buf_addc(&rq, 'x');
	buf_adds(&rq, " HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n");
	ck_assert_int_eq(status_of(&h, &rq), 414);

	buf_reset(&rq);
	buf_adds(&rq, "GET /healthz HTTP/1.1\r\nHost: l\r\nX: ");
	for (int i = 0; i < 100000; i++)
		buf_addc(&rq, 'x');
	buf_adds(&rq, "\r\n\r\n");
	ck_assert_int_eq(status_of(&h, &rq), 431);

	buf_reset(&rq);
	buf_adds(&rq, "GET /healthz HTTP/1.1\r\nHost: l\r\n");
	for (int i = 0; i < 20000; i++)
		buf_addf(&rq, "X-%d: y\r\n", i);
	buf_adds(&rq, "\r\n");
	ck_assert_int_ne(status_of(&h, &rq), 200);

	buf_reset(&rq);
	buf_addf(&rq, "POST /v1/runs HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
	    "Content-Length: %u\r\n\r\n", HTTP_DOCUMENT_MAX + 1);
	ck_assert_int_eq(status_of(&h, &rq), 413);
	buf_reset(&rq);
	buf_adds(&rq, "POST /v1/runs HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
	    "Content-Length: 99999999999999999999999999\r\n\r\n");
	ck_assert_int_ge(status_of(&h, &rq), 400);
	buf_reset(&rq);
	buf_adds(&rq, "GET /healthz HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
	    "Content-Length: 4\r\n\r\nbody");
	ck_assert_int_eq(status_of(&h, &rq), 400);
	/* and after all that it still serves */
	ck_assert_int_eq(harness_status(&h, "GET /healthz HTTP/1.1"), 200);
	buf_free(&rq);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

/* What two programs on the way could understand differently. */
START_TEST(headers_mean_one_thing)
{
	static const struct {
		const char *headers;
		int status;
	} table[] = {
		{"Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}", 400},
		{"Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}", 400},
		{"Content-Length : 2\r\n\r\n{}", 400},
		{"Content-Length: 2, 2\r\n\r\n{}", 400},
		{"Content-Length: +2\r\n\r\n{}", 400},
		{"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"Transfer-Encoding: gzip\r\n\r\n{}", 400},
		{"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"Authorization: Bearer a\r\nAuthorization: Bearer b\r\nContent-Length: 2\r\n\r\n{}", 400},
		{"Content-Length: 2\r\n\r\n{}", 422},
		{"Transfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 422},
	};
	struct harness h;

	harness_start(&h, "singles");
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		CLEANUP(buf_free) struct buf rq = BUF_INIT;
		int status;

		buf_addf(&rq, "POST /v1/runs HTTP/1.1\r\nHost: l\r\nConnection: close\r\n%s",
		    table[i].headers);
		status = status_of(&h, &rq);
		ck_assert_msg(status == table[i].status, "%s: %d", table[i].headers, status);
	}
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(chunked_documents_are_bounded)
{
	struct harness h;
	struct buf rq = BUF_INIT;
	char block[65536];

	memset(block, ' ', sizeof block);
	harness_start(&h, "chunked");
	buf_adds(&rq, "POST /v1/runs HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n");
	for (unsigned i = 0; i < HTTP_DOCUMENT_MAX / sizeof block + 2; i++) {
		buf_adds(&rq, "10000\r\n");
		buf_add(&rq, block, sizeof block);
		buf_adds(&rq, "\r\n");
	}
	buf_adds(&rq, "0\r\n\r\n");
	ck_assert_int_eq(status_of(&h, &rq), 413);
	buf_free(&rq);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

/* As another user, through directories opened for the purpose: the peer check alone. */
START_TEST(foreign_users_are_refused)
{
	struct harness h;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	harness_start(&h, "foreign");
	ck_assert_int_eq(chmod(unit_dir(), 0755), 0);
	ck_assert_int_eq(chmod(h.dir, 0755), 0);
	ck_assert_int_eq(chmod(h.socket, 0666), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(9);
		_exit(harness_status(&h, "GET /healthz HTTP/1.1") == 403 &&
		    harness_status(&h, "GET /v1/identity HTTP/1.1") == 403 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(harness_status(&h, "GET /healthz HTTP/1.1"), 200);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(socket_is_private)
{
	struct harness h;
	struct stat st;

	harness_start(&h, "private");
	ck_assert_int_eq(stat(h.socket, &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(harness_stop(&h), 0);
	ck_assert_int_ne(stat(h.socket, &st), 0); /* it cleans up */
}
END_TEST

UNIT_SUITE(serve_http)
{
	tcase_add_test(tc, targets_are_taken_raw);
	tcase_add_test(tc, methods_are_named);
	tcase_add_test(tc, everything_is_bounded);
	tcase_add_test(tc, headers_mean_one_thing);
	tcase_add_test(tc, chunked_documents_are_bounded);
	tcase_add_test(tc, foreign_users_are_refused);
	tcase_add_test(tc, socket_is_private);
}
