#include "serve/run-state.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include "base/hex.h"
#include "unit.h"

#define ID "000000000000000000000000000000000000000000000000000000000000000a"

static struct run_state *
state_new(void)
{
	struct run_state *r = NULL;
	struct err e;
	int fd = memfd_create("log", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	UNIT_OK(run_state_new(&(struct run_state_options){.id = ID, .owner = "ada", .log_fd = fd}, &r, &e), &e);
	return r;
}

START_TEST(names_are_kept)
{
	struct run_state *r = state_new();

	ck_assert_str_eq(run_state_id(r), ID);
	ck_assert_str_eq(run_state_owner(r), "ada");
	run_state_unref(r);
}
END_TEST

START_TEST(a_row_is_the_same_run)
{
	struct run_state *r = state_new(), *again;
	struct ledger_run row = {.created = 0}, other = {.created = 0};
	struct err why, e;

	run_state_set(r, "preparing");
	run_state_log(r, "abc", 3);
	err_set(&why, ERR_REFUSED, "an input changed");
	run_state_finish(r, RUN_STATE_FAILED, NULL, &why);
	run_state_to_row(r, &row);
	ck_assert_str_eq(row.state, "failed");
	ck_assert_uint_eq(row.log, 3);
	ck_assert(row.created > 0 && row.started >= row.created && row.finished >= row.started);
	UNIT_OK(run_state_from_row(&row, "/nonexistent/log", &again, &e), &e);
	run_state_to_row(again, &other);
	ck_assert_mem_eq(&row, &other, sizeof row);
	/* the file of its log is gone: that is the end of it */
	ck_assert_int_eq(run_state_read_log(again, 0, row.id, sizeof row.id, 0), -1);
	run_state_unref(again);
	run_state_unref(r);
}
END_TEST

START_TEST(log_is_binary_safe_and_seekable)
{
	static const unsigned char bytes[] = {0, 1, 255, '\n', 0, 'x'};
	struct run_state *r = state_new();
	struct run_state_view view;
	unsigned char got[16];
	struct err why;

	ck_assert_int_eq(run_state_read_log(r, 0, got, sizeof got, 0), 0);
	run_state_log(r, bytes, sizeof bytes);
	ck_assert_int_eq(run_state_read_log(r, 0, got, sizeof got, 0), sizeof bytes);
	ck_assert_mem_eq(got, bytes, sizeof bytes);
	ck_assert_int_eq(run_state_read_log(r, 4, got, sizeof got, 0), 2);
	ck_assert_mem_eq(got, bytes + 4, 2);
	ck_assert_int_eq(run_state_read_log(r, 1, got, 2, 0), 2);
	ck_assert_int_eq(run_state_read_log(r, 6, got, 2, 0), 0);
	ck_assert_int_eq(run_state_read_log(r, UINT64_MAX, got, 2, 0), 0);
	err_set(&why, ERR_TPM, "the TPM said no");
	run_state_finish(r, RUN_STATE_FAILED, NULL, &why);
	ck_assert_int_eq(run_state_read_log(r, 5, got, 2, 0), 1);
	ck_assert_int_eq(run_state_read_log(r, 6, got, 2, 0), -1);
	run_state_log(r, "late", 4);
	run_state_view(r, &view);
	ck_assert_uint_eq(view.log_size, sizeof bytes);
	run_state_unref(r);
}
END_TEST

START_TEST(success_has_a_certificate)
{
	struct run_state *r = state_new();
	struct buf bytes = BUF_INIT, got = BUF_INIT;
	struct run_state_view view;
	struct oid id;
	struct err e;

	UNIT_FAILS(run_state_certificate(r, &got, &e), &e, ERR_CONFLICT);
	run_state_view(r, &view);
	ck_assert_str_eq(view.state, "queued");
	run_state_set(r, "running");
	run_state_view(r, &view);
	ck_assert_str_eq(view.state, "running");
	ck_assert(!view.over);
	buf_adds(&bytes, "the certificate");
	UNIT_OK(oid_from_data(&id, bytes.data, bytes.len, &e), &e);
	run_state_finish(r, RUN_STATE_DONE, &bytes, NULL);
	ck_assert_ptr_null(bytes.data);
	UNIT_OK(run_state_certificate(r, &got, &e), &e);
	ck_assert_str_eq(buf_str(&got), "the certificate");
	run_state_set(r, "running"); /* too late */
	run_state_view(r, &view);
	ck_assert_str_eq(view.state, "done");
	ck_assert(view.over && view.has_certificate);
	ck_assert(oid_equal(&view.certificate, &id));
	ck_assert_uint_eq(view.certificate_size, 15);
	buf_free(&got);
	run_state_unref(r);
}
END_TEST

START_TEST(failure_has_its_reason)
{
	struct run_state *r = state_new();
	struct buf got = BUF_INIT;
	struct run_state_view view;
	struct err why, e;

	err_set(&why, ERR_TPM, "the TPM said no");
	run_state_finish(r, RUN_STATE_FAILED, NULL, &why);
	run_state_view(r, &view);
	ck_assert_str_eq(view.state, "failed");
	ck_assert(view.over && !view.has_certificate);
	UNIT_FAILS(run_state_certificate(r, &got, &e), &e, ERR_TPM);
	ck_assert_str_eq(e.msg, "the TPM said no");
	run_state_unref(r);
}
END_TEST

START_TEST(cancel_is_readable)
{
	struct run_state *r = state_new();
	struct pollfd p = {.fd = run_state_cancel_fd(r), .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 0), 0);
	run_state_cancel(r);
	run_state_cancel(r);
	ck_assert_int_eq(poll(&p, 1, 0), 1);
	ck_assert_int_eq(poll(&p, 1, 0), 1); /* and stays so */
	run_state_unref(r);
}
END_TEST

static void *
state_reader(void *arg)
{
	struct run_state *r = arg;
	struct buf *all = calloc(1, sizeof *all);
	char block[7];
	ssize_t n;

	while ((n = run_state_read_log(r, all->len, block, sizeof block, 10000)) >= 0)
		buf_add(all, block, (size_t)n);
	run_state_unref(r);
	return all;
}

START_TEST(readers_wait_for_the_writer)
{
	struct run_state *r = state_new();
	pthread_t readers[4];
	struct buf expected = BUF_INIT, certificate = BUF_INIT;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, state_reader, run_state_ref(r)), 0);
	for (int i = 0; i < 1000; i++) {
		char line[32];
		int n = snprintf(line, sizeof line, "line %d\n", i);

		run_state_log(r, line, (size_t)n);
		buf_add(&expected, line, (size_t)n);
	}
	buf_adds(&certificate, "c");
	run_state_finish(r, RUN_STATE_DONE, &certificate, NULL);
	run_state_unref(r);
	for (int i = 0; i < 4; i++) {
		void *got;

		ck_assert_int_eq(pthread_join(readers[i], &got), 0);
		ck_assert_str_eq(buf_str(got), buf_str(&expected));
		buf_free(got);
		free(got);
	}
	buf_free(&expected);
}
END_TEST

UNIT_SUITE(serve_run_state)
{
	tcase_add_test(tc, names_are_kept);
	tcase_add_test(tc, a_row_is_the_same_run);
	tcase_add_test(tc, log_is_binary_safe_and_seekable);
	tcase_add_test(tc, success_has_a_certificate);
	tcase_add_test(tc, failure_has_its_reason);
	tcase_add_test(tc, cancel_is_readable);
	tcase_add_test(tc, readers_wait_for_the_writer);
}
