#include "runner/runner.h"

#include <signal.h>
#include <string.h>
#include "base/interrupt.h"
#include "fixture.h"
#include "store/odb.h"
#include "unit.h"

static const unsigned char nonce[32] = {1, 2, 3};
static const char id[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";
static const char other[] = "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf";
static bool unknown;

static void
collect(void *arg, const void *data, size_t len)
{
	buf_add(arg, data, len);
}

/* Identify, send, start, follow, fetch the certificate. */
static void
run_through(struct fixture *f, struct store *s, const struct run_spec *spec, struct buf *log,
    struct certificate *ret)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct err e;

	UNIT_OK(runner_identify(f->runner, &e), &e);
	UNIT_OK(runner_send_inputs(f->runner, s, spec, &e), &e);
	UNIT_OK(runner_start(f->runner, spec, nonce, id, &unknown, &e), &e);
	UNIT_OK(runner_follow(f->runner, id, collect, log, &e), &e);
	UNIT_OK(runner_certificate(f->runner, id, &bytes, &e), &e);
	UNIT_OK(certificate_decode(bytes.data, bytes.len, ret, &e), &e);
}

START_TEST(a_run_in_the_runners_own_store)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_start(&f, "own", NULL);
	fixture_spec(&spec, "cat in.txt; cp in.txt out.txt", false);
	fixture_input(&spec, f.store, "in.txt", "some input\n");
	run_through(&f, f.store, &spec, &log, &c);
	ck_assert_str_eq(buf_str(&log), "some input\n");
	ck_assert(certificate_run_ok(&c));
	ck_assert_mem_eq(c.nonce, nonce, 32);
	ck_assert(oid_equal(&certificate_output(&c, "out.txt")->digests.sha256,
	    &spec.inputs[0].thing.digests.sha256));
	UNIT_OK(runner_fetch_outputs(f.runner, f.store, &c, &e), &e);
	fixture_stop(&f);
}
END_TEST

START_TEST(objects_travel_between_stores)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(certificate_free) struct certificate c = {0};
	CLEANUP(buf_free) struct buf log = BUF_INIT, tree = BUF_INIT;
	struct store *mine = fixture_store("mine");
	const struct resource *out;
	struct fixture f;
	struct err e;

	fixture_start(&f, "theirs", NULL);
	fixture_spec(&spec, "cat a b >out.txt; mkdir -p out/sub; echo one >out/1; echo two >out/sub/2",
	    true);
	fixture_input(&spec, mine, "a", "first\n");
	fixture_input(&spec, mine, "b", "second\n");
	ck_assert(!odb_has(f.store, &spec.inputs[0].thing.digests.sha256));
	run_through(&f, mine, &spec, &log, &c);
	ck_assert(odb_has(f.store, &spec.inputs[0].thing.digests.sha256));
	ck_assert_msg(certificate_run_ok(&c), "%s", buf_str(&log));
	out = certificate_output(&c, "out");
	ck_assert(!odb_has(mine, &out->digests.sha256));
	UNIT_OK(runner_fetch_outputs(f.runner, mine, &c, &e), &e);
	UNIT_OK(odb_read(mine, &out->digests.sha256, 10000, &tree, &e), &e);
	UNIT_OK(runner_fetch_outputs(f.runner, mine, &c, &e), &e); /* nothing is lacking now */
	out = certificate_output(&c, "out.txt");
	buf_reset(&tree);
	UNIT_OK(odb_read(mine, &out->digests.sha256, 10000, &tree, &e), &e);
	ck_assert_str_eq(buf_str(&tree), "first\nsecond\n");
	ck_assert(odb_has(mine, &certificate_event(&c, EVENT_RUN_FINISHED)->u.finished.log));
	fixture_stop(&f);
	store_close(mine);
}
END_TEST

START_TEST(inputs_must_be_there)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	struct store *mine = fixture_store("mine2");
	struct fixture f;
	struct err e;

	fixture_start(&f, "lacking", NULL);
	fixture_spec(&spec, "true", false);
	fixture_input(&spec, mine, "a", "not sent");
	UNIT_OK(runner_identify(f.runner, &e), &e);
	UNIT_FAILS(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.msg, "send it first"));
	ck_assert(!unknown);
	fixture_stop(&f);
	store_close(mine);
}
END_TEST

START_TEST(nothing_is_sent_before_the_identity)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_start(&f, "before", NULL);
	fixture_spec(&spec, "true", false);
	UNIT_FAILS(runner_send_inputs(f.runner, f.store, &spec, &e), &e, ERR_INTERNAL);
	UNIT_FAILS(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e, ERR_INTERNAL);
	UNIT_FAILS(runner_certificate(f.runner, "x", &bytes, &e), &e, ERR_INTERNAL);
	fixture_stop(&f);
}
END_TEST

START_TEST(the_level_is_demanded)
{
	static const enum verdict_level levels[] = {LEVEL_DEVICE, LEVEL_VTPM, LEVEL_CONFIDENTIAL};

	for (size_t i = 0; i < 3; i++) {
		struct runner_options o = {.required = levels[i]};
		struct fixture f;
		struct err e;
		char name[16];

		snprintf(name, sizeof name, "level-%zu", i);
		fixture_start(&f, name, &o);
		UNIT_FAILS(runner_identify(f.runner, &e), &e, ERR_REFUSED);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(the_recorded_ak_is_demanded)
{
	struct runner_options o = {.required = LEVEL_SIMULATED, .ak_name =
		"000b0000000000000000000000000000000000000000000000000000000000000000"};
	struct fixture f;
	struct err e;

	fixture_start(&f, "pinned", &o);
	UNIT_FAILS(runner_identify(f.runner, &e), &e, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.msg, "another machine"));
	fixture_stop(&f);
}
END_TEST

static void
interrupt_once(void *arg, const void *data, size_t len)
{
	buf_add(arg, data, len);
	if (!interrupt_pending())
		raise(SIGINT);
}

START_TEST(an_interrupt_cancels_the_run)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(buf_free) struct buf bytes = BUF_INIT, log = BUF_INIT;
	CLEANUP(certificate_free) struct certificate c = {0};
	struct fixture f;
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	fixture_start(&f, "ctrl-c", NULL);
	fixture_spec(&spec, "echo started; while ! test -e never; do sleep 0.05; done", false);
	UNIT_OK(runner_identify(f.runner, &e), &e);
	UNIT_OK(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e);
	UNIT_OK(runner_follow(f.runner, id, interrupt_once, &log, &e), &e);
	ck_assert_int_eq(strncmp(buf_str(&log), "started\n", 8), 0);
	/* once, though the log was asked for twice */
	ck_assert_ptr_null(strstr(buf_str(&log) + 8, "started"));
	UNIT_OK(runner_certificate(f.runner, id, &bytes, &e), &e);
	UNIT_OK(certificate_decode(bytes.data, bytes.len, &c, &e), &e);
	ck_assert_int_eq((int)certificate_event(&c, EVENT_RUN_FINISHED)->u.finished.reason,
	    EVENT_CANCELLED);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_lost_runner_is_an_error)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_start(&f, "lost", NULL);
	fixture_spec(&spec, "while ! test -e never; do sleep 0.05; done", false);
	UNIT_OK(runner_identify(f.runner, &e), &e);
	UNIT_OK(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e);
	ck_assert_int_eq(kill(local_pid(f.local), SIGKILL), 0);
	UNIT_FAILS(runner_follow(f.runner, id, collect, &log, &e), &e, ERR_NETWORK);
	UNIT_FAILS(runner_start(f.runner, &spec, nonce, other, &unknown, &e), &e, ERR_NETWORK);
	ck_assert(unknown);
	fixture_stop(&f);
}
END_TEST

/* The answer to the first request was lost, say. */
START_TEST(asked_twice_it_runs_once)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(remote_run_list_free) struct remote_run_list list = {0};
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_start(&f, "twice", NULL);
	fixture_spec(&spec, "echo once; echo >out.txt", false);
	UNIT_OK(runner_identify(f.runner, &e), &e);
	UNIT_OK(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e);
	UNIT_OK(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e);
	UNIT_OK(runner_follow(f.runner, id, collect, &log, &e), &e);
	UNIT_OK(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e);
	UNIT_OK(runner_list(f.runner, &list, &e), &e);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.runs[0].id, id);
	ck_assert_str_eq(buf_str(&log), "once\n");
	fixture_stop(&f);
}
END_TEST

START_TEST(only_one_run_at_a_time)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct fixture f;
	struct err e;

	fixture_start(&f, "one", NULL);
	fixture_spec(&spec, "while ! test -e never; do sleep 0.05; done", false);
	UNIT_OK(runner_identify(f.runner, &e), &e);
	UNIT_OK(runner_start(f.runner, &spec, nonce, id, &unknown, &e), &e);
	UNIT_FAILS(runner_start(f.runner, &spec, nonce, other, &unknown, &e), &e, ERR_BUSY);
	UNIT_OK(runner_cancel(f.runner, id, &e), &e);
	UNIT_OK(runner_follow(f.runner, id, collect, &log, &e), &e);
	UNIT_FAILS(runner_cancel(f.runner,
	    "0000000000000000000000000000000000000000000000000000000000000000", &e), &e, ERR_NOTFOUND);
	fixture_stop(&f);
}
END_TEST

UNIT_SUITE(runner_runner)
{
	tcase_add_test(tc, a_run_in_the_runners_own_store);
	tcase_add_test(tc, objects_travel_between_stores);
	tcase_add_test(tc, inputs_must_be_there);
	tcase_add_test(tc, nothing_is_sent_before_the_identity);
	tcase_add_test(tc, the_level_is_demanded);
	tcase_add_test(tc, the_recorded_ak_is_demanded);
	tcase_add_test(tc, an_interrupt_cancels_the_run);
	tcase_add_test(tc, a_lost_runner_is_an_error);
	tcase_add_test(tc, asked_twice_it_runs_once);
	tcase_add_test(tc, only_one_run_at_a_time);
}
