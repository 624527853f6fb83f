#include "serve/journal.h"

#include <fcntl.h>
#include <string.h>
#include "serve/metrics.h"
#include "serve/run-state.h"
#include "unit.h"

static const struct http_call call = {
	.method = "GET", .address = "192.0.2.7", .request_id = "0123456789abcdef", .query = "nonce=secret",
};

START_TEST(a_request_is_one_line)
{
	const struct http_done d = {
		.call = &call, .path = "/v1/runs", .status = 200, .in = 1, .out = 2, .micros = 3999,
	};
	struct buf line = BUF_INIT;
	struct err e;
	int fds[2];
	char got[512];
	ssize_t n;

	UNIT_OK(journal_request_line(&d, "ada", &line, &e), &e);
	ck_assert_int_eq(strncmp(buf_str(&line), "time=20", 7), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&line), "Z request=0123456789abcdef address=192.0.2.7"
	    " principal=ada method=GET path=/v1/runs status=200 in=1 out=2 ms=3\n"));
	ck_assert_ptr_null(strstr(buf_str(&line), "secret"));
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	journal_write(fds[1], &line);
	n = read(fds[0], got, sizeof got);
	ck_assert_int_eq(n, (ssize_t)line.len);
	close(fds[0]);
	close(fds[1]);
	buf_free(&line);
}
END_TEST

START_TEST(a_method_is_plain_or_nothing)
{
	static const char *const foreign[] = {"G\033[31mT", "GET\tstatus=200", "G\rT", "G\xc2\x9bT", ""};
	struct err e;

	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		struct http_call c = call;
		const struct http_done d = {.call = &c, .path = "/"};
		CLEANUP(buf_free) struct buf line = BUF_INIT;

		c.method = foreign[i];
		UNIT_OK(journal_request_line(&d, "-", &line, &e), &e);
		ck_assert_ptr_nonnull(strstr(buf_str(&line), " method=- path=/ "));
	}
}
END_TEST

START_TEST(a_run_is_one_line)
{
	const struct ledger_run row = {
		.id = "x", .owner = "ada", .state = "failed", .started = 10, .finished = 25, .error = ERR_TPM,
		.detail = "not here",
	};
	struct buf line = BUF_INIT;
	struct err e;

	UNIT_OK(journal_run_line(&row, &line, &e), &e);
	ck_assert_ptr_nonnull(strstr(buf_str(&line), " run=x principal=ada state=failed seconds=15 log=0"
	    " error=tpm\n"));
	buf_free(&line);
}
END_TEST

START_TEST(a_closed_ref_is_one_line)
{
	struct err why, e;
	struct buf line = BUF_INIT;

	err_set(&why, ERR_FORMAT, "JSON is not\nin canonical form");
	UNIT_OK(journal_ref_line("refs/heads/\xe2\x80\xaex", &why, &line, &e), &e);
	ck_assert_ptr_nonnull(strstr(buf_str(&line), " ref=refs/heads/\\x"));
	ck_assert_ptr_nonnull(strstr(buf_str(&line), " state=closed error=format detail=JSON is not"));
	ck_assert_ptr_eq(strchr(buf_str(&line), '\n'), buf_str(&line) + line.len - 1);
	buf_free(&line);
}
END_TEST

START_TEST(counters_are_printed)
{
	struct http_done d = {.call = &call, .path = "/", .status = 404, .in = 5, .out = 7, .micros = 11};
	const struct metrics_gauges g = {.connections = 3, .queued = 2, .running = true,
		.failed_credentials = 9};
	struct metrics *m;
	struct buf text = BUF_INIT;
	struct err e;

	UNIT_OK(metrics_new(&m, &e), &e);
	metrics_request(m, &d);
	d.status = 0; /* it ended before an answer */
	metrics_request(m, &d);
	metrics_run(m, RUN_STATE_DONE);
	metrics_run(m, "nonsense");
	UNIT_OK(metrics_text(m, &g, &text, &e), &e);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "aicertd_requests_total{class=\"400\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "aicertd_requests_total{class=\"0\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "aicertd_runs_total{state=\"done\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "aicertd_received_bytes_total 10\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "aicertd_sent_bytes_total 7\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\naicertd_connections 3\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\naicertd_runs_active 1\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "\naicertd_credentials_refused_total 9\n"));
	/* each family is declared before its values */
	ck_assert(strstr(buf_str(&text), "# TYPE aicertd_connections gauge") <
	    strstr(buf_str(&text), "\naicertd_connections 3"));
	buf_free(&text);
	metrics_free(m);
}
END_TEST

UNIT_SUITE(serve_journal)
{
	tcase_add_test(tc, a_request_is_one_line);
	tcase_add_test(tc, a_method_is_plain_or_nothing);
	tcase_add_test(tc, a_run_is_one_line);
	tcase_add_test(tc, a_closed_ref_is_one_line);
	tcase_add_test(tc, counters_are_printed);
}
