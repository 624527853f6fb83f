#include "serve/run-table.h"

#include <string.h>
#include <sys/stat.h>
#include "unit.h"

struct table {
	char dir[128], logs[160];
	struct store *store;
	struct ledger *ledger;
	struct run_table *t;
};

static void
table_open(struct table *x, unsigned queue)
{
	char path[200];
	struct run_table_options o = {.logs = x->logs, .queue = queue};
	struct err e;

	snprintf(path, sizeof path, "%s/ledger.db", x->dir);
	UNIT_OK(ledger_open(path, &x->ledger, &e), &e);
	o.ledger = x->ledger;
	UNIT_OK(run_table_open(&o, &x->t, &e), &e);
}

static void
table_new(struct table *x, const char *name, unsigned queue)
{
	char path[200];
	bool created;
	struct err e;

	*x = (struct table){.store = NULL};
	snprintf(x->dir, sizeof x->dir, "%s/%s", unit_dir(), name);
	snprintf(x->logs, sizeof x->logs, "%s/logs", x->dir);
	snprintf(path, sizeof path, "%s/.aicert", x->dir);
	ck_assert_int_eq(mkdir(x->dir, 0700), 0);
	ck_assert_int_eq(mkdir(x->logs, 0700), 0);
	UNIT_OK(store_init(x->dir, &created, &e), &e);
	UNIT_OK(store_open(path, 0, &x->store, &e), &e);
	table_open(x, queue);
}

static void
table_close(struct table *x)
{
	run_table_free(x->t);
	ledger_close(x->ledger);
}

static struct run_state *
submit_named(struct table *x, const char *owner, const char *id, const char *text)
{
	struct buf bytes = BUF_INIT;
	struct run_state *r = NULL;
	struct err e;

	buf_adds(&bytes, text);
	UNIT_OK(run_table_submit(x->t, x->store, &(struct run_table_request){
		.owner = owner, .id = id, .bytes = &bytes}, &r, &e), &e);
	buf_free(&bytes);
	return r;
}

static struct run_state *
submit(struct table *x, const char *owner, const char *text)
{
	return submit_named(x, owner, NULL, text);
}

static enum err_code
refused(struct table *x, bool single)
{
	struct buf bytes = BUF_INIT;
	struct run_state *r;
	struct err e;

	buf_adds(&bytes, "{}");
	ck_assert_int_ne(run_table_submit(x->t, x->store, &(struct run_table_request){
		.owner = "ada", .bytes = &bytes, .single = single}, &r, &e), 0);
	buf_free(&bytes);
	return e.code;
}

static void
finish(struct table *x, struct run_state *r, const char *state)
{
	struct err why, e;

	err_set(&why, ERR_TPM, "why");
	run_table_release(x->t);
	run_state_finish(r, state, NULL, &why);
	UNIT_OK(run_table_keep(x->t, r, &e), &e);
	run_state_unref(r);
}

#define NAME "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"

/* Also by the next daemon, in a full queue, and on a machine that has one run a boot. */
START_TEST(asked_twice_it_is_the_same_run)
{
	struct table x;
	struct buf bytes = BUF_INIT;
	struct run_state *a, *b, *r = NULL, *all[RUN_TABLE_KEPT];
	struct run_table_request rq = {.owner = "ada", .id = NAME, .bytes = &bytes, .single = true};
	struct err e;

	table_new(&x, "twice", 1);
	a = submit_named(&x, "ada", NAME, "1");
	ck_assert_str_eq(run_state_id(a), NAME);
	UNIT_OK(run_table_submit(x.t, x.store, &rq, &r, &e), &e);
	ck_assert_ptr_eq(r, a);
	rq.owner = "bob";
	UNIT_FAILS(run_table_submit(x.t, x.store, &rq, &b, &e), &e, ERR_EXISTS);
	run_state_unref(r);
	run_state_unref(a);
	table_close(&x);
	table_open(&x, 1);
	rq.owner = "ada";
	UNIT_OK(run_table_submit(x.t, x.store, &rq, &r, &e), &e);
	ck_assert_str_eq(run_state_id(r), NAME);
	ck_assert_uint_eq(run_table_list(x.t, "ada", all), 1);
	run_state_unref(all[0]);
	run_state_unref(r);
	table_close(&x);
	store_close(x.store);
}
END_TEST

START_TEST(first_come_first_run)
{
	struct table x;
	struct buf request = BUF_INIT;
	struct run_state *a, *b, *c, *next;

	table_new(&x, "order", 2);
	a = submit(&x, "ada", "1");
	next = run_table_next(x.t, &request);
	ck_assert_ptr_eq(next, a);
	ck_assert_str_eq(buf_str(&request), "1");
	b = submit(&x, "bob", "2");
	c = submit(&x, "ada", "3");
	ck_assert_int_eq(run_table_position(x.t, a), -1);
	ck_assert_int_eq(run_table_position(x.t, b), 1);
	ck_assert_int_eq(run_table_position(x.t, c), 2);
	ck_assert_int_eq(refused(&x, false), ERR_BUSY);
	ck_assert_int_eq(refused(&x, true), ERR_CONFLICT);
	finish(&x, next, RUN_STATE_FAILED);
	next = run_table_next(x.t, &request);
	ck_assert_ptr_eq(next, b);
	ck_assert_str_eq(buf_str(&request), "2");
	finish(&x, next, RUN_STATE_FAILED);
	run_table_cancel(x.t, c); /* while it waits */
	run_table_stop(x.t);
	ck_assert_ptr_null(run_table_next(x.t, &request));
	ck_assert_int_eq(refused(&x, false), ERR_BUSY);
	run_state_unref(a);
	run_state_unref(b);
	run_state_unref(c);
	buf_free(&request);
	table_close(&x);
	store_close(x.store);
}
END_TEST

START_TEST(others_runs_are_not_found)
{
	struct run_state *mine, *found, *list[RUN_TABLE_KEPT];
	struct table x;
	struct err e;

	table_new(&x, "owners", 4);
	mine = submit(&x, "ada", "1");
	run_state_unref(submit(&x, "bob", "2"));
	UNIT_OK(run_table_find(x.t, run_state_id(mine), "ada", &found, &e), &e);
	run_state_unref(found);
	UNIT_OK(run_table_find(x.t, run_state_id(mine), NULL, &found, &e), &e);
	run_state_unref(found);
	UNIT_FAILS(run_table_find(x.t, run_state_id(mine), "bob", &found, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(run_table_find(x.t, run_state_id(mine), "", &found, &e), &e, ERR_NOTFOUND);
	ck_assert_uint_eq(run_table_list(x.t, "ada", list), 1);
	ck_assert_ptr_eq(list[0], mine);
	run_state_unref(list[0]);
	ck_assert_uint_eq(run_table_list(x.t, "eve", list), 0);
	run_state_unref(mine);
	table_close(&x);
	store_close(x.store);
}
END_TEST

/* The state of the run with that id, after the daemon was killed. */
static void
expect(struct table *x, const char *id, const char *state)
{
	struct run_state_view v;
	struct run_state *r;
	struct err e;

	UNIT_OK(run_table_find(x->t, id, "ada", &r, &e), &e);
	run_state_view(r, &v);
	ck_assert_str_eq(v.state, state);
	run_state_unref(r);
}

START_TEST(a_killed_daemon_loses_no_run)
{
	char ids[3][RUN_STATE_ID_SIZE], byte[4];
	struct run_state *r[3], *next;
	struct buf request = BUF_INIT;
	struct table x;
	struct err e;

	table_new(&x, "killed", 4);
	for (int i = 0; i < 3; i++) {
		char text[8];

		snprintf(text, sizeof text, "%d", i);
		r[i] = submit(&x, "ada", text);
		memcpy(ids[i], run_state_id(r[i]), sizeof ids[i]);
		run_state_unref(r[i]);
	}
	finish(&x, run_table_next(x.t, &request), RUN_STATE_FAILED);
	next = run_table_next(x.t, &request);
	run_state_set(next, "running");
	run_state_log(next, "log", 3);
	UNIT_OK(run_table_keep(x.t, next, &e), &e);
	run_state_unref(next);
	table_close(&x); /* without a word */
	table_open(&x, 4);
	expect(&x, ids[0], RUN_STATE_FAILED);
	expect(&x, ids[1], RUN_STATE_INTERRUPTED);
	expect(&x, ids[2], RUN_STATE_QUEUED);
	UNIT_OK(run_table_find(x.t, ids[1], "ada", &next, &e), &e);
	ck_assert_int_eq(run_state_read_log(next, 0, byte, sizeof byte, 0), 3);
	ck_assert_mem_eq(byte, "log", 3);
	run_state_unref(next);
	next = run_table_next(x.t, &request);
	ck_assert_str_eq(run_state_id(next), ids[2]);
	ck_assert_str_eq(buf_str(&request), "2");
	finish(&x, next, RUN_STATE_FAILED);
	table_close(&x);
	table_open(&x, 4); /* what was interrupted stays so */
	expect(&x, ids[1], RUN_STATE_INTERRUPTED);
	expect(&x, ids[2], RUN_STATE_FAILED);
	buf_free(&request);
	table_close(&x);
	store_close(x.store);
}
END_TEST

START_TEST(what_waited_is_as_old_as_it_was)
{
	struct ledger_run row = {.id = "1", .owner = "ada", .state = RUN_STATE_QUEUED, .created = 1000};
	struct run_state_view v;
	struct run_state *r;
	struct table x;
	struct err e;

	table_new(&x, "age", 4);
	buf_adds(&row.request, "{}");
	UNIT_OK(ledger_run_put(x.ledger, &row, &e), &e);
	buf_free(&row.request);
	table_close(&x);
	table_open(&x, 4);
	UNIT_OK(run_table_find(x.t, "1", "ada", &r, &e), &e);
	run_state_view(r, &v);
	ck_assert_int_eq(v.created, 1000);
	run_state_unref(r);
	table_close(&x);
	store_close(x.store);
}
END_TEST

START_TEST(the_oldest_is_forgotten)
{
	char first[RUN_STATE_ID_SIZE], path[256];
	struct run_state *r, *list[RUN_TABLE_KEPT];
	struct buf request = BUF_INIT;
	struct table x;
	struct err e;
	size_t n;

	table_new(&x, "oldest", 1);
	for (int i = 0; i < RUN_TABLE_KEPT + 1; i++) {
		r = submit(&x, "ada", "1");
		if (i == 0)
			memcpy(first, run_state_id(r), sizeof first);
		run_state_unref(r);
		finish(&x, run_table_next(x.t, &request), RUN_STATE_FAILED);
	}
	UNIT_FAILS(run_table_find(x.t, first, "ada", &r, &e), &e, ERR_NOTFOUND);
	snprintf(path, sizeof path, "%s/%s", x.logs, first);
	ck_assert_int_ne(access(path, F_OK), 0);
	n = run_table_list(x.t, "ada", list);
	ck_assert_uint_eq(n, RUN_TABLE_KEPT);
	while (n > 0)
		run_state_unref(list[--n]);
	buf_free(&request);
	table_close(&x);
	store_close(x.store);
}
END_TEST

START_TEST(many_runs_of_one_do_not_push_out_anothers)
{
	struct run_state *bobs, *found;
	struct table x;
	struct err e;

	table_new(&x, "fair", 2);
	run_table_cancel(x.t, bobs = submit(&x, "bob", "1"));
	for (int i = 0; i < 2 * RUN_TABLE_KEPT; i++) {
		struct run_state *r = submit(&x, "ada", "1");

		run_table_cancel(x.t, r);
		run_state_unref(r);
	}
	UNIT_OK(run_table_find(x.t, run_state_id(bobs), "bob", &found, &e), &e);
	run_state_unref(found);
	run_state_unref(bobs);
	table_close(&x);
	store_close(x.store);
}
END_TEST

UNIT_SUITE(serve_run_table)
{
	tcase_add_test(tc, first_come_first_run);
	tcase_add_test(tc, asked_twice_it_is_the_same_run);
	tcase_add_test(tc, others_runs_are_not_found);
	tcase_add_test(tc, a_killed_daemon_loses_no_run);
	tcase_add_test(tc, what_waited_is_as_old_as_it_was);
	tcase_add_test(tc, the_oldest_is_forgotten);
	tcase_add_test(tc, many_runs_of_one_do_not_push_out_anothers);
}
