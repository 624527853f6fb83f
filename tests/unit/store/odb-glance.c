#include "store/odb-glance.h"

#include <string.h>
#include "unit.h"
#include "store/fixture.h"
#include "store/odb.h"

#define COUNT 600

static void
put(struct store *s, const unsigned char *data, size_t i, struct oid *ret)
{
	struct err e;

	UNIT_OK(odb_put(s, data + i, i % 50 == 0 ? 40000 : 100, ret, &e), &e); /* some are files */
}

START_TEST(glance_of_nothing)
{
	struct odb_glance g;
	struct oid id = {{7}};
	struct fixture f;

	fixture_open(&f);
	g = (struct odb_glance)ODB_GLANCE_INIT(f.s);
	ck_assert(odb_glance_looks(&g));
	ck_assert(odb_glance_lacks(&g, &id));
	ck_assert(g.taken && !odb_glance_looks(&g));
	ck_assert(!odb_glance_has(&g, &id));
	odb_glance_free(&g);
	fixture_close(&f);
}
END_TEST

START_TEST(glance_of_many)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(100000, 5);
	struct oid ids[COUNT], late;
	struct odb_glance g;
	struct fixture f;
	size_t lacking = 0;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	for (size_t i = 0; i < COUNT; i++)
		put(f.s, data, i, &ids[i]);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	g = (struct odb_glance)ODB_GLANCE_INIT(f.s);
	/* until it pays to look it is not known */
	ck_assert(!odb_glance_lacks(&g, &ids[1]));
	ck_assert(!g.taken);
	for (size_t i = 0; i < COUNT; i++) {
		struct oid other = ids[i];

		ck_assert(odb_glance_has(&g, &ids[i]) && !odb_glance_lacks(&g, &ids[i]));
		other.b[31] ^= 1;
		ck_assert(!odb_glance_has(&g, &other));
		lacking += odb_glance_lacks(&g, &other);
	}
	ck_assert(g.taken && lacking > COUNT / 4);
	/* what comes later is not seen, and nothing else is wrong with that */
	put(f.s, data, COUNT + 1, &late);
	ck_assert(odb_has(f.s, &late));
	ck_assert(odb_glance_lacks(&g, &late) || odb_glance_has(&g, &late));
	odb_glance_free(&g);
	fixture_close(&f);
}
END_TEST

/* Many in a batch are stored without looking for a file each: one that is there is put right. */
START_TEST(glance_put_all)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(1000, 6);
	struct buf bytes[40] = {0};
	struct oid ids[40];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	for (size_t i = 0; i < 40; i++) {
		buf_add(&bytes[i], data + i, 100);
		UNIT_OK(oid_from_data(&ids[i], bytes[i].data, bytes[i].len, &e), &e);
	}
	UNIT_OK(odb_put_all(f.s, NULL, bytes, 10, &e), &e);
	UNIT_OK(odb_put_all(f.s, ids, bytes, 40, &e), &e);
	UNIT_OK(odb_put_all(f.s, ids, bytes, 40, &e), &e);
	for (size_t i = 0; i < 40; i++) {
		ck_assert(odb_intact(f.s, &ids[i]));
		buf_free(&bytes[i]);
	}
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(odb_glance)
{
	tcase_add_test(tc, glance_of_nothing);
	tcase_add_test(tc, glance_of_many);
	tcase_add_test(tc, glance_put_all);
}
