#include "serve/ledger.h"

#include <string.h>
#include "unit.h"

static struct oid
id(unsigned char n)
{
	struct oid o = {{0}};

	memset(o.b, n, sizeof o.b);
	return o;
}

static struct ledger *
open_ledger(const char *name)
{
	struct ledger *l = NULL;
	char path[200];
	struct err e;

	snprintf(path, sizeof path, "%s/%s", unit_dir(), name);
	UNIT_OK(ledger_open(path, &l, &e), &e);
	return l;
}

START_TEST(owners_are_kept)
{
	struct ledger *l = open_ledger("owners");
	const struct oid ids[] = {id(1), id(2), id(2)}, other = id(3);
	struct err e;

	UNIT_OK(ledger_own(l, "ada", ids, 3, &e), &e);
	UNIT_OK(ledger_own(l, "bob", &other, 1, &e), &e);
	UNIT_OK(ledger_own(l, "bob", NULL, 0, &e), &e);
	ledger_close(l);
	l = open_ledger("owners");
	ck_assert_int_eq(ledger_owns(l, "ada", &ids[0], &e), 1);
	ck_assert_int_eq(ledger_owns(l, "ada", &ids[1], &e), 1);
	ck_assert_int_eq(ledger_owns(l, "ada", &other, &e), 0);
	ck_assert_int_eq(ledger_owns(l, "bob", &other, &e), 1);
	ck_assert_int_eq(ledger_owns(l, "bob", &ids[0], &e), 0);
	ck_assert_int_eq(ledger_owns(l, "", &ids[0], &e), 0);
	ledger_close(l);
}
END_TEST

static enum ledger_reach
reach(struct ledger *l, unsigned char n)
{
	enum ledger_reach r = LEDGER_PUBLIC;
	struct oid o = id(n);
	struct err e;

	UNIT_OK(ledger_reach(l, &o, &r, &e), &e);
	return r;
}

START_TEST(marks_rise_and_are_replaced)
{
	struct ledger *l = open_ledger("marks");
	struct ledger_item a[] = {{.id = id(1)}, {.id = id(2)}}, b[] = {{.id = id(2)}, {.id = id(3)}};
	struct err e;

	ck_assert_int_eq(reach(l, 1), LEDGER_NONE);
	UNIT_OK(ledger_reach_add(l, LEDGER_REF, a, 2, &e), &e);
	UNIT_OK(ledger_reach_add(l, LEDGER_PUBLIC, b, 2, &e), &e);
	UNIT_OK(ledger_reach_add(l, LEDGER_REF, b, 2, &e), &e); /* never lower */
	ck_assert_int_eq(reach(l, 1), LEDGER_REF);
	ck_assert_int_eq(reach(l, 2), LEDGER_PUBLIC);
	ck_assert_int_eq(reach(l, 3), LEDGER_PUBLIC);
	UNIT_OK(ledger_reach_replace(l, b, 2, a, 1, &e), &e);
	ck_assert_int_eq(reach(l, 1), LEDGER_PUBLIC);
	ck_assert_int_eq(reach(l, 2), LEDGER_REF);
	ck_assert_int_eq(reach(l, 3), LEDGER_REF);
	UNIT_OK(ledger_reach_replace(l, NULL, 0, NULL, 0, &e), &e);
	ck_assert_int_eq(reach(l, 1), LEDGER_NONE);
	ledger_close(l);
}
END_TEST

static enum ledger_reach
proved(struct ledger *l, unsigned char n)
{
	struct ledger_mark mark;
	struct oid o = id(n);
	struct err e;

	UNIT_OK(ledger_mark(l, &o, &mark, &e), &e);
	return mark.proved;
}

START_TEST(a_mark_proves_nothing_of_another_type)
{
	struct ledger *l = open_ledger("proved");
	struct ledger_item blob = {.id = id(1)}, commit = {.id = id(1), .proved = true};
	struct err e;

	UNIT_OK(ledger_reach_add(l, LEDGER_PUBLIC, &blob, 1, &e), &e);
	ck_assert_int_eq(proved(l, 1), LEDGER_NONE);
	UNIT_OK(ledger_reach_add(l, LEDGER_REF, &commit, 1, &e), &e);
	ck_assert_int_eq(proved(l, 1), LEDGER_REF);
	ck_assert_int_eq(reach(l, 1), LEDGER_PUBLIC);
	UNIT_OK(ledger_reach_add(l, LEDGER_PUBLIC, &commit, 1, &e), &e);
	ck_assert_int_eq(proved(l, 1), LEDGER_PUBLIC);
	UNIT_OK(ledger_reach_add(l, LEDGER_REF, &blob, 1, &e), &e);
	ck_assert_int_eq(proved(l, 1), LEDGER_PUBLIC);
	UNIT_OK(ledger_reach_replace(l, &blob, 1, NULL, 0, &e), &e);
	ck_assert_int_eq(proved(l, 1), LEDGER_NONE);
	ledger_close(l);
}
END_TEST

START_TEST(marks_are_taken_back)
{
	struct ledger *l = open_ledger("undo");
	struct ledger_item a[] = {{.id = id(1)}, {.id = id(2), .proved = true}};
	struct ledger_item b[] = {{.id = id(2)}, {.id = id(3)}, {.id = id(3), .proved = true}};
	struct err e;

	UNIT_OK(ledger_reach_add(l, LEDGER_REF, a, 2, &e), &e);
	UNIT_OK(ledger_reach_add(l, LEDGER_PUBLIC, b, 3, &e), &e);
	ck_assert_int_eq(reach(l, 2), LEDGER_PUBLIC);
	ck_assert_int_eq(reach(l, 3), LEDGER_PUBLIC);
	ledger_reach_undo(l, b, 3);
	ck_assert_int_eq(reach(l, 1), LEDGER_REF);
	ck_assert_int_eq(reach(l, 2), LEDGER_REF);
	ck_assert_int_eq(proved(l, 2), LEDGER_REF);
	ck_assert_int_eq(reach(l, 3), LEDGER_NONE);
	ck_assert_int_eq(proved(l, 3), LEDGER_NONE);
	/* closed until they are made anew */
	ledger_reach_close(l);
	ck_assert(ledger_reach_closed(l));
	ck_assert_int_eq(reach(l, 1), LEDGER_NONE);
	ck_assert_int_eq(proved(l, 2), LEDGER_REF);
	UNIT_OK(ledger_reach_replace(l, a, 2, NULL, 0, &e), &e);
	ck_assert_int_eq(reach(l, 1), LEDGER_REF);
	ledger_close(l);
}
END_TEST

START_TEST(runs_come_back_as_they_were)
{
	struct ledger *l = open_ledger("runs");
	struct ledger_run r = {
		.id = "b", .owner = "ada", .state = "queued", .created = 2, .log = 5, .log_dropped = 1,
		.error = ERR_TPM, .detail = "said no",
	};
	struct ledger_run *rows;
	size_t n;
	struct err e;

	buf_adds(&r.request, "{}");
	UNIT_OK(ledger_run_put(l, &r, &e), &e);
	buf_free(&r.request);
	snprintf(r.id, sizeof r.id, "a");
	r.created = 1;
	r.has_certificate = true;
	r.certificate = id(9);
	r.certificate_size = 77;
	UNIT_OK(ledger_run_put(l, &r, &e), &e);
	snprintf(r.state, sizeof r.state, "done");
	UNIT_OK(ledger_run_put(l, &r, &e), &e); /* in its place */
	ledger_close(l);
	l = open_ledger("runs");
	UNIT_OK(ledger_runs(l, 10, &rows, &n, &e), &e);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(rows[0].id, "a");
	ck_assert_str_eq(rows[0].owner, "ada");
	ck_assert_str_eq(rows[0].state, "done");
	ck_assert_str_eq(rows[0].detail, "said no");
	ck_assert(rows[0].created == 1 && rows[0].started == 0 && rows[0].finished == 0);
	ck_assert(rows[0].log == 5 && rows[0].log_dropped == 1 && rows[0].certificate_size == 77);
	ck_assert(rows[0].has_certificate && oid_equal(&rows[0].certificate, &r.certificate));
	ck_assert_uint_eq(rows[0].request.len, 0);
	ck_assert_str_eq(rows[1].state, "queued");
	ck_assert_str_eq(buf_str(&rows[1].request), "{}");
	ck_assert(!rows[1].has_certificate);
	ck_assert_int_eq((int)rows[1].error, ERR_TPM);
	ledger_runs_free(rows, n);
	UNIT_OK(ledger_run_delete(l, "a", &e), &e);
	UNIT_OK(ledger_runs(l, 10, &rows, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	ledger_runs_free(rows, n);
	ledger_close(l);
}
END_TEST

UNIT_SUITE(serve_ledger)
{
	tcase_add_test(tc, owners_are_kept);
	tcase_add_test(tc, marks_rise_and_are_replaced);
	tcase_add_test(tc, a_mark_proves_nothing_of_another_type);
	tcase_add_test(tc, marks_are_taken_back);
	tcase_add_test(tc, runs_come_back_as_they_were);
}
