#include "remote/spool.h"

#include <string.h>
#include "unit.h"
#include "remote/pack.h"
#include "store/fixture.h"

#define OBJECTS 3

/* A pack of objects of that length, which seed makes different. */
static void
make(unsigned seed, size_t len, struct buf *ret, struct oid ids[OBJECTS])
{
	CLEANUP(pack_free) struct pack p = PACK_INIT;
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len + OBJECTS, seed);
	struct err e;

	for (size_t i = 0; i < OBJECTS; i++) {
		UNIT_OK(oid_from_data(&ids[i], data + i, len, &e), &e);
		UNIT_OK(pack_add(&p, &ids[i], len, &e), &e);
	}
	UNIT_OK(pack_head(&p, ret, &e), &e);
	for (size_t i = 0; i < OBJECTS; i++)
		for (size_t k = 0; k < OBJECTS; k++)
			if (oid_equal(&p.entries[i].id, &ids[k]))
				buf_add(ret, data + k, len);
	ck_assert_uint_eq(p.total, ret->len);
}

static void
read_one(struct spool *s, const struct oid *id, size_t len)
{
	CLEANUP(buf_free) struct buf got = BUF_INIT;
	struct oid found;
	struct err e;

	UNIT_FAILS(spool_read(s, id, len - 1, &got, &e), &e, ERR_LIMIT);
	UNIT_OK(spool_read(s, id, len, &got, &e), &e);
	UNIT_OK(oid_from_data(&found, got.data, got.len, &e), &e);
	ck_assert(oid_equal(&found, id));
}

START_TEST(spool_lets_go)
{
	CLEANUP(buf_free) struct buf pack = BUF_INIT;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	CLEANUP(buf_free) struct buf got = BUF_INIT;
	struct oid ids[OBJECTS], other = {{9}};
	struct spool *s;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make(1, 1000, &pack, ids);
	buf_add(&again, pack.data, pack.len);
	UNIT_OK(spool_new(f.s, &s, &e), &e);
	UNIT_OK(spool_add(s, &pack, &e), &e);
	ck_assert_ptr_null(pack.data);
	UNIT_FAILS(spool_read(s, &other, 1000, &got, &e), &e, ERR_NOTFOUND);
	for (size_t i = 0; i < OBJECTS; i++) {
		ck_assert(spool_has(s, &ids[i]));
		read_one(s, &ids[i], 1000);
	}
	ck_assert(!spool_has(s, &ids[0]) && !spool_has(s, &ids[2]));
	UNIT_FAILS(spool_read(s, &ids[0], 1000, &got, &e), &e, ERR_NOTFOUND);
	/* it may come again */
	UNIT_OK(spool_add(s, &again, &e), &e);
	read_one(s, &ids[1], 1000);
	buf_adds(&again, "no pack");
	UNIT_FAILS(spool_add(s, &again, &e), &e, ERR_FORMAT);
	spool_free(s);
	fixture_close(&f);
}
END_TEST

/* More than is kept in memory: the oldest are in a file, and stay there. */
START_TEST(spool_of_much)
{
	struct oid ids[6][OBJECTS];
	const size_t len = 4 << 20;
	struct spool *s;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(spool_new(f.s, &s, &e), &e);
	for (unsigned i = 0; i < 6; i++) {
		CLEANUP(buf_free) struct buf pack = BUF_INIT;

		make(i, len, &pack, ids[i]);
		UNIT_OK(spool_add(s, &pack, &e), &e);
	}
	for (size_t k = 0; k < OBJECTS; k++)
		for (unsigned i = 0; i < 6; i++)
			read_one(s, &ids[i][k], len);
	ck_assert(spool_has(s, &ids[0][0]));
	ck_assert(!spool_has(s, &ids[5][0]));
	read_one(s, &ids[0][0], len);
	spool_free(s);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(spool)
{
	tcase_add_test(tc, spool_lets_go);
	tcase_add_test(tc, spool_of_much);
}
