#include "unit.h"

#include <string.h>
#include "store/oid-map.h"
#include "store/oid-set.h"

/* The nth of some ids that look like digests. */
static struct oid
nth(unsigned n)
{
	unsigned char text[4] = {(unsigned char)n, (unsigned char)(n >> 8), 'x', 0};
	struct oid id;
	struct err e;

	UNIT_OK(oid_from_data(&id, text, sizeof text, &e), &e);
	return id;
}

static int
in_order(void *arg, const struct oid *id)
{
	unsigned *n = arg;
	struct oid expected = nth((*n)++);

	ck_assert(oid_equal(id, &expected));
	return 0;
}

START_TEST(oid_map_keeps_numbers_and_order)
{
	CLEANUP(oid_map_free) struct oid_map m = OID_MAP_INIT;
	unsigned seen = 0;
	struct err e;
	bool fresh;
	size_t at;

	for (unsigned n = 0; n < 5000; n++) {
		struct oid id = nth(n);

		ck_assert(!oid_map_get(&m, &id, &at));
		UNIT_OK(oid_map_add(&m, &id, n * 3, &fresh, &e), &e);
		ck_assert(fresh);
		UNIT_OK(oid_map_add(&m, &id, 1, &fresh, &e), &e);
		ck_assert(!fresh);
	}
	for (unsigned n = 0; n < 5000; n++) {
		struct oid id = nth(n);

		ck_assert(oid_map_get(&m, &id, &at) && at == n * 3);
	}
	ck_assert_uint_eq(m.count, 5000);
	ck_assert_int_eq(oid_map_each(&m, in_order, &seen), 0);
	ck_assert_uint_eq(seen, 5000);
}
END_TEST

/* Ids that begin alike, as no digests do, are found as well. */
START_TEST(oid_map_takes_ids_that_collide)
{
	CLEANUP(oid_map_free) struct oid_map m = OID_MAP_INIT;
	struct oid id = {{7}};
	struct err e;
	bool fresh;
	size_t at;

	for (unsigned n = 0; n < 1000; n++) {
		memcpy(id.b + 20, &n, sizeof n);
		UNIT_OK(oid_map_add(&m, &id, n, &fresh, &e), &e);
		ck_assert(fresh);
	}
	ck_assert(oid_map_get(&m, &id, &at) && at == 999);
	id.b[31] = 1;
	ck_assert(!oid_map_get(&m, &id, &at));
}
END_TEST

static int
ascending(const void *a, const void *b)
{
	return oid_compare(a, b);
}

START_TEST(oid_set_finds_what_it_has)
{
	CLEANUP(oid_set_free) struct oid_set s = OID_SET_INIT;
	struct oid *ids = calloc(3004, sizeof *ids), absent = nth(3000);
	struct err e;

	ck_assert(!oid_set_has(&s, &absent));
	ck_assert_ptr_nonnull(ids);
	for (unsigned n = 0; n < 3000; n++)
		ids[n] = nth(n);
	/* the first, the last, and some that begin alike */
	memset(&ids[3000], 0, sizeof *ids);
	memset(&ids[3001], 0xff, sizeof *ids);
	memset(&ids[3002], 0xff, sizeof *ids);
	ids[3002].b[31] = 0;
	memset(&ids[3003], 0xff, sizeof *ids);
	ids[3003].b[2] = 0;
	qsort(ids, 3004, sizeof *ids, ascending);
	UNIT_OK(oid_set_make(&s, ids, 3004, &e), &e);
	for (size_t i = 0; i < 3004; i++) {
		struct oid near = s.ids[i];

		ck_assert(oid_set_has(&s, &near));
		near.b[31] ^= 1;
		ck_assert(!oid_set_has(&s, &near));
	}
	ck_assert(!oid_set_has(&s, &absent));
	oid_set_free(&s);
	UNIT_OK(oid_set_make(&s, malloc(1), 0, &e), &e);
	ck_assert(!oid_set_has(&s, &absent));
}
END_TEST

UNIT_SUITE(store_oid)
{
	tcase_add_test(tc, oid_map_keeps_numbers_and_order);
	tcase_add_test(tc, oid_map_takes_ids_that_collide);
	tcase_add_test(tc, oid_set_finds_what_it_has);
}
