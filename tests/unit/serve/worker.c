#include "serve/worker.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include "store/odb.h"
#include "tpm/tpm.h"
#include "unit.h"

struct bench {
	char path[160];
	struct store *store;
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
	UNIT_OK(worker_start(&o, &b->worker, &e), &e);
	UNIT_OK(bench_ready(b->worker, &e), &e);
}

static void
bench_stop(struct bench *b)
{
	worker_stop(b->worker);
	worker_free(b->worker);
	store_close(b->store);
}

static char *
bench_copy(const char *text)
{
	struct err e;
	char *copy = buf_strdup(text, &e);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

static void
bench_spec(struct run_spec *ret, const char *script)
{
	*ret = (struct run_spec){.image = RUN_SPEC_HOST, .command_count = 3, .output_count = 1};
	ret->command = calloc(3, sizeof *ret->command);
	ret->outputs = calloc(1, sizeof *ret->outputs);
	ck_assert(ret->command != NULL && ret->outputs != NULL);
	ret->command[0] = bench_copy("sh");
	ret->command[1] = bench_copy("-c");
	ret->command[2] = bench_copy(script);
	ret->outputs[0] = (struct run_spec_output){OBJECT_BLOB, bench_copy("o"), bench_copy("file")};
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
	CLEANUP(buf_free) struct buf public = BUF_INIT;
	static const unsigned char extra[32] = {9};
	struct bench b;
	enum event_tpm kind;
	struct err e;

	bench_start(&b, "quotes");
	UNIT_OK(worker_quote(b.worker, extra, &quote, &public, &kind, &e), &e);
	ck_assert_int_eq((int)kind, EVENT_TPM_EMBEDDED);
	ck_assert_uint_gt(public.len, 0);
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
	o.store = "/nonexistent/.aicert";
	UNIT_OK(worker_start(&o, &w, &e), &e);
	ck_assert_int_ne(bench_ready(w, &e), 0);
	ck_assert_msg(strstr(e.msg, "/nonexistent") != NULL, "%s", e.msg);
	worker_stop(w);
	worker_free(w);
	o = (struct worker_options){.store = b.path, .tpm = "no-such-tpm"};
	UNIT_OK(worker_start(&o, &w, &e), &e);
	ck_assert_int_ne(bench_ready(w, &e), 0);
	worker_stop(w);
	worker_free(w);
	o = (struct worker_options){.store = b.path, .tpm = "embedded:"};
	UNIT_OK(worker_start(&o, &w, &e), &e);
	UNIT_FAILS(bench_ready(w, &e), &e, ERR_USAGE);
	worker_stop(w);
	worker_free(w);
	store_close(b.store);
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
	UNIT_OK(tpm_open(&hold, &t, &e), &e);
	UNIT_OK(worker_start(&o, &w, &e), &e);
	while (__atomic_load_n(&waits, __ATOMIC_SEQ_CST) == 0)
		sched_yield();
	worker_stop(w);
	UNIT_FAILS(worker_ready(w, &e), &e, ERR_CANCELLED);
	ck_assert_int_eq(waits, 1);
	worker_free(w);
	tpm_close(t);
	store_close(b.store);
}
END_TEST

START_TEST(old_runs_are_forgotten)
{
	static const unsigned char nonce[32] = {1};
	char ids[WORKER_RUNS_KEPT + 2][RUN_STATE_ID_SIZE];
	struct run_state *run;
	struct bench b;
	struct err e;

	bench_start(&b, "forgotten");
	for (int i = 0; i < WORKER_RUNS_KEPT + 2; i++) {
		struct run_spec spec;

		bench_spec(&spec, "echo x >o");
		UNIT_OK(worker_submit(b.worker, b.store, &spec, nonce, &run, &e), &e);
		ck_assert_ptr_null(spec.command); /* taken over */
		memcpy(ids[i], run_state_id(run), RUN_STATE_ID_SIZE);
		bench_wait(run);
		run_state_unref(run);
	}
	UNIT_FAILS(worker_find(b.worker, ids[0], &run, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(worker_find(b.worker, ids[1], &run, &e), &e, ERR_NOTFOUND);
	for (int i = 2; i < WORKER_RUNS_KEPT + 2; i++) {
		struct run_state_view view;

		UNIT_OK(worker_find(b.worker, ids[i], &run, &e), &e);
		run_state_view(run, &view);
		ck_assert(view.over && view.has_certificate);
		run_state_unref(run);
	}
	bench_stop(&b);
}
END_TEST

START_TEST(a_refused_spec_stays_the_callers)
{
	static const unsigned char nonce[32] = {1};
	CLEANUP(run_spec_free) struct run_spec first = {0};
	CLEANUP(run_spec_free) struct run_spec second = {0};
	CLEANUP(certificate_quote_free) struct certificate_quote quote = {0};
	CLEANUP(buf_free) struct buf public = BUF_INIT;
	struct run_state *run, *other;
	enum event_tpm kind;
	struct bench b;
	struct err e;

	bench_start(&b, "refused");
	bench_spec(&first, "while ! test -e never; do sleep 0.05; done");
	bench_spec(&second, "true");
	UNIT_OK(worker_submit(b.worker, b.store, &first, nonce, &run, &e), &e);
	UNIT_FAILS(worker_submit(b.worker, b.store, &second, nonce, &other, &e), &e, ERR_BUSY);
	ck_assert_ptr_nonnull(second.command);
	UNIT_FAILS(worker_quote(b.worker, nonce, &quote, &public, &kind, &e), &e, ERR_BUSY);
	/* a stop cancels what runs, and what runs still gets its certificate */
	worker_stop(b.worker);
	public.len = 0;
	UNIT_OK(run_state_certificate(run, &public, &e), &e);
	run_state_unref(run);
	worker_free(b.worker);
	store_close(b.store);
}
END_TEST

UNIT_SUITE(serve_worker)
{
	tcase_add_test(tc, quotes_between_runs);
	tcase_add_test(tc, failures_to_open_are_told);
	tcase_add_test(tc, a_held_tpm_is_waited_for_until_stopped);
	tcase_add_test(tc, old_runs_are_forgotten);
	tcase_add_test(tc, a_refused_spec_stays_the_callers);
}
