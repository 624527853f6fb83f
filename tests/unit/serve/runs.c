#include "serve/runs.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "harness.h"
#include "object/certificate.h"
#include "unit.h"

#define UNKNOWN "0000000000000000000000000000000000000000000000000000000000000001"

static void
run_path(char ret[160], const char *id, const char *rest)
{
	snprintf(ret, 160, "/v1/runs/%s%s", id, rest);
}

static void
fetch_certificate(const struct harness *h, const char *id, struct certificate *ret)
{
	struct http_response rs;
	struct err e;
	char path[160];

	run_path(path, id, "/certificate");
	ck_assert_int_eq(harness_do(h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_str_eq(rs.content_type, CERTIFICATE_MEDIA_TYPE);
	UNIT_OK(certificate_decode(rs.body.data, rs.body.len, ret, &e), &e);
	http_response_free(&rs);
}

START_TEST(a_run_from_request_to_certificate)
{
	struct buf log = BUF_INIT;
	struct certificate c = {0};
	struct http_response rs;
	struct harness h;
	char id[65], path[160];

	harness_start(&h, "run");
	ck_assert_int_eq(harness_run(&h, "printf 'a\\0b\\377c'; echo out >out.txt", id), 201);
	harness_log(&h, id, &log);
	ck_assert_uint_eq(log.len, 5);
	ck_assert_mem_eq(log.data, "a\0b\377c", 5);
	run_path(path, id, "");
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_ptr_nonnull(strstr(buf_str(&rs.body), "\"state\":\"done\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&rs.body), "\"log\":5"));
	http_response_free(&rs);
	fetch_certificate(&h, id, &c);
	ck_assert(certificate_run_ok(&c));
	ck_assert_ptr_nonnull(certificate_output(&c, "out.txt"));
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(c.nonce[i], 7);
	certificate_free(&c);
	/* parts of the log */
	run_path(path, id, "/log?offset=2");
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_uint_eq(rs.body.len, 3);
	http_response_free(&rs);
	run_path(path, id, "/log?offset=99&follow=1");
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_uint_eq(rs.body.len, 0);
	http_response_free(&rs);
	buf_free(&log);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(a_second_run_follows_the_first)
{
	struct harness h;
	struct buf log = BUF_INIT;
	char first[65], second[65];
	struct certificate a = {0}, b = {0};

	harness_start(&h, "second");
	ck_assert_int_eq(harness_run(&h, "echo 1 >out.txt", first), 201);
	harness_log(&h, first, &log);
	ck_assert_int_eq(harness_run(&h, "exit 3", second), 201);
	harness_log(&h, second, &log);
	ck_assert_str_ne(first, second);
	fetch_certificate(&h, first, &a);
	fetch_certificate(&h, second, &b);
	ck_assert(certificate_run_ok(&a));
	ck_assert(!certificate_run_ok(&b)); /* a failed run has its certificate too */
	ck_assert_mem_ne(a.events[0].run, b.events[0].run, 32);
	certificate_free(&a);
	certificate_free(&b);
	buf_free(&log);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

/* The script waits for a file that cannot come: it ends by cancellation alone. */
#define FOREVER "echo started; while ! test -e never; do sleep 0.05; done"

/* Reads the log until the first line is there: the command runs. */
static void
wait_started(const struct harness *h, const char *id)
{
	struct http_response rs;
	char path[160];
	size_t len;

	run_path(path, id, "/log");
	do {
		ck_assert_int_eq(harness_do(h, "GET", path, NULL, NULL, 0, &rs), 200);
		len = rs.body.len;
		http_response_free(&rs);
	} while (len == 0);
}

START_TEST(busy_then_cancelled)
{
	struct http_response rs;
	struct harness h;
	struct buf body = BUF_INIT, log = BUF_INIT;
	struct certificate c = {0};
	char id[65], other[65], path[160];

	harness_start(&h, "busy");
	ck_assert_int_eq(harness_run(&h, FOREVER, id), 201);
	wait_started(&h, id);
	harness_run_body("true", 8, &body);
	ck_assert_int_eq(harness_do(&h, "POST", "/v1/runs", NULL, body.data, body.len, &rs), 429);
	ck_assert_int_gt(rs.retry_after, 0);
	http_response_free(&rs);
	ck_assert_int_eq(harness_do(&h, "GET", "/v1/identity?nonce=" UNKNOWN, NULL, NULL, 0, &rs), 200);
	http_response_free(&rs);
	run_path(path, id, "/certificate");
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, NULL), 409);
	run_path(path, id, "");
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_ptr_nonnull(strstr(buf_str(&rs.body), "\"certificate\":null"));
	http_response_free(&rs);
	ck_assert_int_eq(harness_do(&h, "DELETE", path, NULL, NULL, 0, NULL), 202);
	harness_log(&h, id, &log);
	ck_assert_int_eq(strncmp(buf_str(&log), "started\n", 8), 0);
	fetch_certificate(&h, id, &c);
	ck_assert(!certificate_run_ok(&c));
	ck_assert_int_eq((int)certificate_event(&c, EVENT_RUN_FINISHED)->u.finished.reason,
	    EVENT_CANCELLED);
	certificate_free(&c);
	ck_assert_int_eq(harness_do(&h, "DELETE", path, NULL, NULL, 0, NULL), 202); /* harmless */
	ck_assert_int_eq(harness_run(&h, "echo 1 >out.txt", other), 201);
	buf_free(&body);
	buf_free(&log);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(end_of_the_control_pipe_stops_a_run)
{
	struct harness h;
	char id[65];

	harness_start(&h, "control");
	ck_assert_int_eq(harness_run(&h, FOREVER, id), 201);
	wait_started(&h, id);
	ck_assert_int_eq(harness_stop(&h), 0);
	ck_assert_int_ne(access(h.socket, F_OK), 0);
}
END_TEST

START_TEST(sigterm_stops_a_run)
{
	struct harness h;
	int status;
	char id[65];

	harness_start(&h, "sigterm");
	ck_assert_int_eq(harness_run(&h, FOREVER, id), 201);
	wait_started(&h, id);
	kill(h.pid, SIGTERM);
	ck_assert_int_eq(waitpid(h.pid, &status, 0), h.pid);
	ck_assert_int_eq(status, 0);
	close(h.control);
	http_free(h.http);
}
END_TEST

START_TEST(killed_and_started_again)
{
	struct harness h;
	struct buf log = BUF_INIT;
	struct certificate c = {0};
	char id[65];

	harness_start(&h, "killed");
	ck_assert_int_eq(harness_run(&h, FOREVER, id), 201);
	wait_started(&h, id);
	http_free(h.http);
	kill(h.pid, SIGKILL);
	ck_assert_int_eq(waitpid(h.pid, NULL, 0), h.pid);
	close(h.control);
	harness_restart(&h);
	ck_assert_int_eq(harness_run(&h, "echo again >out.txt", id), 201);
	harness_log(&h, id, &log);
	fetch_certificate(&h, id, &c);
	ck_assert(certificate_run_ok(&c));
	certificate_free(&c);
	buf_free(&log);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(two_followers_see_the_same)
{
	struct harness h;
	struct buf log = BUF_INIT, expected = BUF_INIT;
	char id[65];
	int status;
	pid_t pid;

	for (int i = 1; i <= 200; i++)
		buf_addf(&expected, "%d\n", i);
	harness_start(&h, "followers");
	ck_assert_int_eq(harness_run(&h, "i=0; while test $i -lt 200; do i=$((i+1)); echo $i; done;"
	    " echo >out.txt", id), 201);
	pid = fork();
	if (pid == 0) {
		struct err e;

		ck_assert_int_eq(http_new("http://local", h.socket, &h.http, &e), 0);
		harness_log(&h, id, &log);
		_exit(strcmp(buf_str(&log), buf_str(&expected)) == 0 ? 0 : 1);
	}
	harness_log(&h, id, &log);
	ck_assert_str_eq(buf_str(&log), buf_str(&expected));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	buf_free(&log);
	buf_free(&expected);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(unknown_and_malformed_runs)
{
	static const struct {
		const char *path;
		int status;
	} table[] = {
		{"/v1/runs/" UNKNOWN, 404},
		{"/v1/runs/" UNKNOWN "/log", 404},
		{"/v1/runs/" UNKNOWN "/certificate", 404},
		{"/v1/runs/" UNKNOWN "/other", 404},
		{"/v1/runs/" UNKNOWN "0", 400},
		{"/v1/runs/x", 400},
		{"/v1/runs/x/log", 400},
		{"/v1/runs/..", 400},
	};
	struct harness h;

	harness_start(&h, "unknown");
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		int status = harness_do(&h, "GET", table[i].path, NULL, NULL, 0, NULL);

		ck_assert_msg(status == table[i].status, "%s: %d", table[i].path, status);
	}
	ck_assert_int_eq(harness_do(&h, "DELETE", "/v1/runs/" UNKNOWN, NULL, NULL, 0, NULL), 404);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(log_queries_are_checked)
{
	static const char *const bad[] = {
		"/log?offset=", "/log?offset=-1", "/log?offset=x", "/log?offset=99999999999999999",
		"/log?follow=2", "/log?follow", "/log?other=1", "/log?offset=1&offset=2", "/log?&",
		"/log?offset=%31", NULL,
	};
	struct harness h;
	struct buf log = BUF_INIT;
	char id[65], path[160];

	harness_start(&h, "queries");
	ck_assert_int_eq(harness_run(&h, "echo x >out.txt", id), 201);
	for (size_t i = 0; bad[i] != NULL; i++) {
		int status;

		run_path(path, id, bad[i]);
		status = harness_do(&h, "GET", path, NULL, NULL, 0, NULL);
		ck_assert_msg(status == 400, "%s: %d", bad[i], status);
	}
	harness_log(&h, id, &log);
	buf_free(&log);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(bad_requests_start_nothing)
{
	static const char *const swap[][2] = {
		{"\"mediaType\":\"application/vnd.aicert.run-request.v1+json\"", "\"mediaType\":\"x\""},
		{"\"nonce\":\"07", "\"nonce\":\"7"},
		{"\"nonce\":\"07", "\"nonce\":\"G7"},
		{"\"nonce\":", "\"extra\":1,\"nonce\":"},
		{"\"nonce\":", " \"nonce\":"},
		{"\"version\":1", "\"version\":2"},
		{"\"path\":\"out.txt\"", "\"path\":\"/out.txt\""},
		{"\"path\":\"out.txt\"", "\"path\":\"../out.txt\""},
		{"\"command\":[\"sh\",\"-c\",\"true\"]", "\"command\":[]"},
		{"\"image\":\"host\"", "\"image\":\"other\""},
		{"}", "}}"},
	};
	struct harness h;
	struct buf body = BUF_INIT;

	harness_start(&h, "badruns");
	harness_run_body("true", 7, &body);
	for (size_t i = 0; i < sizeof swap / sizeof swap[0]; i++) {
		struct buf bad = BUF_INIT;
		const char *at = strstr(buf_str(&body), swap[i][0]);
		int status;

		ck_assert_msg(at != NULL, "%s not in %s", swap[i][0], buf_str(&body));
		buf_add(&bad, body.data, (size_t)(at - buf_str(&body)));
		buf_adds(&bad, swap[i][1]);
		buf_adds(&bad, at + strlen(swap[i][0]));
		status = harness_do(&h, "POST", "/v1/runs", NULL, bad.data, bad.len, NULL);
		ck_assert_msg(status == 422, "%s: %d", swap[i][1], status);
		buf_free(&bad);
	}
	ck_assert_int_eq(harness_do(&h, "POST", "/v1/runs", NULL, "", 0, NULL), 422);
	buf_free(&body);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

UNIT_SUITE(serve_runs)
{
	tcase_add_test(tc, a_run_from_request_to_certificate);
	tcase_add_test(tc, a_second_run_follows_the_first);
	tcase_add_test(tc, busy_then_cancelled);
	tcase_add_test(tc, end_of_the_control_pipe_stops_a_run);
	tcase_add_test(tc, sigterm_stops_a_run);
	tcase_add_test(tc, killed_and_started_again);
	tcase_add_test(tc, two_followers_see_the_same);
	tcase_add_test(tc, unknown_and_malformed_runs);
	tcase_add_test(tc, log_queries_are_checked);
	tcase_add_test(tc, bad_requests_start_nothing);
}
