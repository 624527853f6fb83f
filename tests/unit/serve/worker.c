#include "serve/worker.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include "crypto/hash.h"
#include "harness.h"
#include "tpm/tpm.h"
#include "unit.h"

struct bench {
	char path[160];
	struct store *store;
	struct run_table *table;
	struct worker *worker;
};

static void
bench_store(struct bench *b, const char *name)
{
	char dir[128];
	bool created;
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	snprintf(b->path, sizeof b->path, "%s/.aicert", dir);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	UNIT_OK(store_init(dir, &created, &e), &e);
	UNIT_OK(store_open(b->path, 0, &b->store, &e), &e);
	UNIT_OK(run_table_open(&(struct run_table_options){.queue = 0}, &b->table, &e), &e);
}

static void
bench_fresh_table(struct bench *b)
{
	struct err e;

	run_table_free(b->table);
	UNIT_OK(run_table_open(&(struct run_table_options){.queue = 0}, &b->table, &e), &e);
}

static int
bench_ready(struct worker *w, struct err *e)
{
	struct pollfd p = {.fd = worker_ready_fd(w), .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 30000), 1);
	return worker_ready(w, e);
}

static void
bench_start(struct bench *b, const char *name)
{
	struct worker_options o = {.store = b->path, .tpm = "embedded"};
	struct err e;

	bench_store(b, name);
	o.table = b->table;
	UNIT_OK(worker_start(&o, &b->worker, &e), &e);
	UNIT_OK(bench_ready(b->worker, &e), &e);
}

static void
bench_close(struct bench *b)
{
	run_table_free(b->table);
	store_close(b->store);
}

static void
bench_stop(struct bench *b)
{
	worker_stop(b->worker);
	worker_free(b->worker);
	bench_close(b);
}

static void
bench_request(struct buf *ret, const char *script)
{
	harness_run_body(script, 1, ret);
}

/* To the end of the log; the run is over then. */
static void
bench_wait(struct run_state *run)
{
	uint64_t at = 0;
	char block[4096];
	ssize_t n;

	while ((n = run_state_read_log(run, at, block, sizeof block, 1000)) >= 0)
		at += (uint64_t)n;
}

START_TEST(quotes_between_runs)
{
	CLEANUP(certificate_quote_free) struct certificate_quote quote = {0};
	static const unsigned char extra[32] = {9};
	struct bench b;
	struct err e;

	bench_start(&b, "quotes");
	UNIT_OK(worker_quote(b.worker, NULL, extra, &quote, &e), &e);
	ck_assert_int_eq((int)worker_tpm_kind(b.worker), EVENT_TPM_EMBEDDED);
	ck_assert_uint_gt(worker_ak_public(b.worker)->len, 0);
	ck_assert_uint_eq(worker_platform(b.worker)->ak_chain_count, 0);
	ck_assert_ptr_nonnull(memmem(quote.attest.data, quote.attest.len, extra, sizeof extra));
	bench_stop(&b);
}
END_TEST

START_TEST(failures_to_open_are_told)
{
	struct worker_options o = {.tpm = "embedded"};
	struct worker *w;
	struct bench b;
	struct err e;

	bench_store(&b, "open");
	o.table = b.table;
	o.store = "/nonexistent/.aicert";
	UNIT_OK(worker_start(&o, &w, &e), &e);
	ck_assert_int_ne(bench_ready(w, &e), 0);
	ck_assert_msg(strstr(e.msg, "/nonexistent") != NULL, "%s", e.msg);
	worker_stop(w);
	worker_free(w);
	bench_fresh_table(&b);
	o = (struct worker_options){.store = b.path, .tpm = "no-such-tpm", .table = b.table};
	UNIT_OK(worker_start(&o, &w, &e), &e);
	ck_assert_int_ne(bench_ready(w, &e), 0);
	worker_stop(w);
	worker_free(w);
	bench_fresh_table(&b);
	o = (struct worker_options){.store = b.path, .tpm = "embedded:", .table = b.table};
	UNIT_OK(worker_start(&o, &w, &e), &e);
	UNIT_FAILS(bench_ready(w, &e), &e, ERR_USAGE);
	worker_stop(w);
	worker_free(w);
	bench_close(&b);
}
END_TEST

static void
count_wait(void *arg, const char *message)
{
	ck_assert_uint_gt(strlen(message), 0);
	__atomic_fetch_add((int *)arg, 1, __ATOMIC_SEQ_CST);
}

START_TEST(a_held_tpm_is_waited_for_until_stopped)
{
	char spec[160];
	struct tpm_open_options hold = {.spec = spec};
	int waits = 0;
	struct worker_options o = {.tpm = spec, .on_wait = count_wait, .arg = &waits};
	struct tpm *t;
	struct worker *w;
	struct bench b;
	struct err e;

	bench_store(&b, "held");
	snprintf(spec, sizeof spec, "embedded:%s/held-tpm", unit_dir());
	o.store = b.path;
	o.table = b.table;
	UNIT_OK(tpm_open(&hold, &t, &e), &e);
	UNIT_OK(worker_start(&o, &w, &e), &e);
	while (__atomic_load_n(&waits, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	worker_stop(w);
	UNIT_FAILS(worker_ready(w, &e), &e, ERR_CANCELLED);
	ck_assert_int_eq(waits, 1);
	worker_free(w);
	tpm_close(t);
	bench_close(&b);
}
END_TEST

static int
bench_submit(struct bench *b, const struct buf *bytes, struct run_state **ret, struct err *e)
{
	return worker_submit(b->worker, b->store, &(struct run_table_request){.owner = "", .bytes = bytes},
	    ret, e);
}

START_TEST(what_runs_at_a_stop_has_its_certificate)
{
	CLEANUP(buf_free) struct buf first = BUF_INIT, second = BUF_INIT, got = BUF_INIT;
	CLEANUP(certificate_quote_free) struct certificate_quote quote = {0};
	static const unsigned char extra[32] = {1};
	struct run_state *run, *other;
	struct run_state_view view;
	struct bench b;
	struct err e;

	bench_start(&b, "refused");
	bench_request(&first, "while ! test -e never; do sleep 0.05; done");
	bench_request(&second, "true");
	UNIT_OK(bench_submit(&b, &first, &run, &e), &e);
	UNIT_FAILS(bench_submit(&b, &second, &other, &e), &e, ERR_BUSY);
	UNIT_OK(worker_quote(b.worker, NULL, extra, &quote, &e), &e); /* also during a run */
	do
		run_state_view(run, &view);
	while (strcmp(view.state, RUN_STATE_RUNNING) != 0);
	worker_stop(b.worker);
	UNIT_OK(run_state_certificate(run, &got, &e), &e);
	run_state_view(run, &view);
	ck_assert_str_eq(view.state, RUN_STATE_INTERRUPTED);
	run_state_unref(run);
	worker_free(b.worker);
	bench_close(&b);
}
END_TEST

START_TEST(a_request_that_is_none_fails_its_run)
{
	struct buf bad = BUF_INIT;
	struct run_state_view view;
	struct run_state *run;
	struct bench b;
	struct err e;

	bench_start(&b, "none");
	buf_adds(&bad, "{}");
	UNIT_OK(bench_submit(&b, &bad, &run, &e), &e);
	bench_wait(run);
	run_state_view(run, &view);
	ck_assert_str_eq(view.state, RUN_STATE_FAILED);
	ck_assert_int_eq((int)view.error.code, ERR_FORMAT);
	run_state_unref(run);
	buf_free(&bad);
	bench_stop(&b);
}
END_TEST

static void *
ask(void *arg)
{
	struct bench *b = arg;
	unsigned char extra[32] = {7};
	int rc = 0;

	for (int i = 0; i < 4 && rc == 0; i++) {
		struct certificate_quote quote = {0};
		struct err e;

		rc = worker_quote(b->worker, NULL, extra, &quote, &e);
		certificate_quote_free(&quote);
	}
	hash_thread_end();
	return rc == 0 ? arg : NULL;
}

static void *
wait_turn(void *arg)
{
	struct bench *b = arg;
	struct err e;

	if (worker_turn_begin(b->worker, "192.0.2.1", &e) != 0)
		return NULL;
	worker_turn_end(b->worker);
	return arg;
}

/* Nobody waits for the TPM twice, and so takes the turns of others. */
START_TEST(one_of_an_address_waits)
{
	pthread_t thread;
	struct bench b;
	void *done;
	struct err e;
	int tries = 0;

	bench_start(&b, "turns");
	UNIT_OK(worker_turn_begin(b.worker, "192.0.2.1", &e), &e); /* in progress, and not waiting */
	UNIT_OK(worker_turn_begin(b.worker, "192.0.2.1", &e), &e);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_turn, &b), 0);
	/* as soon as the thread waits; before that it would be us, for a moment */
	while (tries++ < 200 && worker_waiting(b.worker, "192.0.2.1") == 0)
		usleep(10000);
	UNIT_FAILS(worker_turn_begin(b.worker, "192.0.2.1", &e), &e, ERR_BUSY);
	ck_assert_ptr_nonnull(strstr(e.msg, "this address"));
	worker_turn_end(b.worker);
	ck_assert_int_eq(pthread_join(thread, &done), 0);
	ck_assert_ptr_nonnull(done);
	UNIT_OK(worker_turn_begin(b.worker, "192.0.2.1", &e), &e);
	worker_turn_end(b.worker);
	worker_turn_end(b.worker);
	bench_stop(&b);
}
END_TEST

/* More at once than are made at once. */
START_TEST(everybody_gets_a_quote)
{
	pthread_t threads[12];
	struct bench b;

	bench_start(&b, "everybody");
	for (size_t i = 0; i < 12; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &b), 0);
	for (size_t i = 0; i < 12; i++) {
		void *done = NULL;

		ck_assert_int_eq(pthread_join(threads[i], &done), 0);
		ck_assert_ptr_eq(done, &b);
	}
	bench_stop(&b);
}
END_TEST

UNIT_SUITE(serve_worker)
{
	tcase_add_test(tc, quotes_between_runs);
	tcase_add_test(tc, failures_to_open_are_told);
	tcase_add_test(tc, a_held_tpm_is_waited_for_until_stopped);
	tcase_add_test(tc, what_runs_at_a_stop_has_its_certificate);
	tcase_add_test(tc, a_request_that_is_none_fails_its_run);
	tcase_add_test(tc, everybody_gets_a_quote);
	tcase_add_test(tc, one_of_an_address_waits);
}
