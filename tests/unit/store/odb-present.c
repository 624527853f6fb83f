#include "store/odb-present.h"

#include <string.h>
#include "unit.h"
#include "store/fixture.h"
#include "store/odb-small.h"
#include "store/odb.h"

#define COUNT 2000

static void
put_all(struct store *s, struct odb_present_question *q, size_t n)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(100000, 3);
	struct err e;

	UNIT_OK(odb_batch_begin(s, &e), &e);
	for (size_t i = 0; i < n; i++) {
		q[i].size = i % 100 == 0 ? 40000 + i : 10 + i; /* some are files */
		UNIT_OK(odb_put(s, data + i, q[i].size, &q[i].id, &e), &e);
		q[i].has = false;
	}
	UNIT_OK(odb_batch_end(s, &e), &e);
}

START_TEST(present_finds_all)
{
	struct odb_present_question *q = calloc(COUNT + 1, sizeof *q);
	struct odb_present p;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	p = (struct odb_present)ODB_PRESENT_INIT(f.s);
	/* before there is a database */
	UNIT_OK(odb_present_find(&p, q, 1, &e), &e);
	ck_assert(!q[0].has);
	put_all(f.s, q, COUNT);
	memset(q[COUNT].id.b, 0x5a, OID_SIZE);
	for (size_t i = 0; i <= COUNT; i++) /* a few at a time: one by one, then from memory */
		UNIT_OK(odb_present_find(&p, q + i, 1, &e), &e);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_msg(q[i].has, "%zu", i);
	ck_assert(!q[COUNT].has);
	ck_assert(p.loaded);
	q[0].size++; /* a file of another length is damage */
	UNIT_OK(odb_present_find(&p, q, COUNT, &e), &e);
	ck_assert(!q[0].has && q[1].has);
	odb_present_free(&p);
	free(q);
	fixture_close(&f);
}
END_TEST

/* What another handle removes is gone at once, though all ids were read before. */
START_TEST(present_hears_of_others)
{
	struct odb_present_question *q = calloc(COUNT, sizeof *q), *gone = q + 1;
	struct odb_present p;
	struct store *other;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	p = (struct odb_present)ODB_PRESENT_INIT(f.s);
	put_all(f.s, q, COUNT);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_present_find(&p, q, COUNT, &e), &e);
	ck_assert(p.loaded);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	UNIT_OK(store_open(f.store, 0, &other, &e), &e);
	UNIT_OK(odb_small_lock(other, &e), &e);
	UNIT_OK(odb_small_delete(other, &gone->id, &e), &e);
	UNIT_OK(odb_small_flush(other, &e), &e);
	store_close(other);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_present_find(&p, q, COUNT, &e), &e);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	for (size_t i = 0; i < COUNT; i++)
		ck_assert_msg(q[i].has == (i != 1), "%zu", i);
	odb_present_free(&p);
	free(q);
	fixture_close(&f);
}
END_TEST

START_TEST(present_in_a_store_to_read)
{
	struct odb_present_question q[3];
	struct odb_present p;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	put_all(f.s, q, 3);
	fixture_reopen(&f, STORE_READ_ONLY);
	p = (struct odb_present)ODB_PRESENT_INIT(f.s);
	UNIT_OK(odb_present_find(&p, q, 3, &e), &e);
	ck_assert(q[0].has && q[1].has && q[2].has);
	odb_present_free(&p);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(odb_present)
{
	tcase_add_test(tc, present_finds_all);
	tcase_add_test(tc, present_hears_of_others);
	tcase_add_test(tc, present_in_a_store_to_read);
}
