#include "store/lease-set.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "unit.h"
#include "base/fd.h"
#include "store/fixture.h"
#include "store/lease.h"
#include "store/odb.h"

struct told {
	struct oid ids[16];
	int count;
};

static int
tell(void *arg, const struct oid *id, struct err *e)
{
	struct told *t = arg;

	(void)e;
	ck_assert_int_lt(t->count, 16);
	t->ids[t->count++] = *id;
	return 0;
}

static struct told
all_told(struct lease_set *l)
{
	struct told t = {.count = 0};
	struct err e;

	UNIT_OK(lease_set_read(l, tell, &t, &e), &e);
	return t;
}

START_TEST(lease_set_tells_what_is_new)
{
	CLEANUP(lease_set_free) struct lease_set l = {0};
	struct oid a, b;
	struct store *other;
	struct told t;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	l.s = f.s;
	UNIT_OK(lease_set_begin(&l, &e), &e);
	ck_assert_int_eq(all_told(&l).count, 0);
	ck_assert(lease_set_oldest(&l) == INT64_MAX);
	UNIT_OK(odb_put(f.s, "a", 1, &a, &e), &e);
	t = all_told(&l);
	ck_assert_int_eq(t.count, 1);
	ck_assert(oid_equal(&t.ids[0], &a));
	ck_assert_int_eq(all_told(&l).count, 0);
	UNIT_OK(store_open(f.store, 0, &other, &e), &e);
	UNIT_OK(odb_put(other, "b", 1, &b, &e), &e);
	t = all_told(&l);
	ck_assert_int_eq(t.count, 1);
	ck_assert(oid_equal(&t.ids[0], &b));
	ck_assert(lease_set_oldest(&l) <= time(NULL) && lease_set_oldest(&l) > time(NULL) - 100);
	store_close(other);
	fixture_close(&f);
}
END_TEST

/* A torn record is told when it is whole; a dead lease is removed at the beginning. */
START_TEST(lease_set_torn_and_dead)
{
	CLEANUP(lease_set_free) struct lease_set l = {0};
	char text[LEASE_HEAD_SIZE + 40];
	struct fixture f;
	struct told t;
	struct err e;

	fixture_open(&f);
	l.s = f.s;
	memset(text, ' ', sizeof text);
	memcpy(text, "1 nowhere 2026-11-23T19:00:00Z x", 32);
	text[LEASE_HEAD_SIZE - 1] = '\n';
	UNIT_OK(lease_set_begin(&l, &e), &e);
	fixture_write(&f, ".aicert/tmp/lease-1", text, sizeof text);
	t = all_told(&l);
	ck_assert_int_eq(t.count, 1);
	ck_assert_int_eq(t.ids[0].b[31], ' ');
	/* also a short one, and what is no lease */
	fixture_write(&f, ".aicert/tmp/lease-2", "", 0);
	fixture_write(&f, ".aicert/tmp/other", text, sizeof text);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/tmp/lease-dir", 0700), 0);
	ck_assert_int_eq(all_told(&l).count, 0);
	ck_assert_int_eq(unlinkat(f.dirfd, ".aicert/tmp/lease-dir", AT_REMOVEDIR), 0);
	UNIT_OK(lease_set_end(&l, &e), &e);
	ck_assert_int_ne(faccessat(f.dirfd, ".aicert/tmp/lease-1", F_OK, 0), 0);
	ck_assert_int_ne(faccessat(f.dirfd, ".aicert/tmp/lease-2", F_OK, 0), 0);
	ck_assert_int_eq(faccessat(f.dirfd, ".aicert/tmp/other", F_OK, 0), 0);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(lease_set)
{
	tcase_add_test(tc, lease_set_tells_what_is_new);
	tcase_add_test(tc, lease_set_torn_and_dead);
}
