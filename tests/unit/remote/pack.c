#include "remote/pack.h"

#include <string.h>
#include "unit.h"

static const char *const bodies[] = {"three\n", "", "one\n", "one\n", "two two two\n"};

static void
build(struct buf *ret)
{
	struct pack p = PACK_INIT;
	struct err e;

	for (size_t i = 0; i < 5; i++) {
		struct oid id;

		UNIT_OK(oid_from_data(&id, bodies[i], strlen(bodies[i]), &e), &e);
		UNIT_OK(pack_add(&p, &id, strlen(bodies[i]), &e), &e);
	}
	UNIT_OK(pack_head(&p, ret, &e), &e);
	ck_assert_uint_eq(p.count, 4); /* one is there twice */
	ck_assert_uint_eq(p.head_len, ret->len);
	for (size_t i = 0; i < p.count; i++)
		for (size_t k = 0; k < 5; k++) {
			struct oid id;

			UNIT_OK(oid_from_data(&id, bodies[k], strlen(bodies[k]), &e), &e);
			if (!oid_equal(&id, &p.entries[i].id))
				continue;
			ck_assert_uint_eq(p.entries[i].offset, ret->len);
			buf_adds(ret, bodies[k]);
			break;
		}
	ck_assert_uint_eq(p.total, ret->len);
	pack_free(&p);
}

START_TEST(pack_round)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct pack p, head;
	struct err e;

	build(&text);
	UNIT_OK(pack_decode(text.data, text.len, true, &p, &e), &e);
	ck_assert_uint_eq(p.count, 4);
	for (size_t i = 0; i < p.count; i++) {
		struct oid got;

		UNIT_OK(oid_from_data(&got, text.data + p.entries[i].offset, (size_t)p.entries[i].size, &e), &e);
		ck_assert(oid_equal(&got, &p.entries[i].id));
	}
	UNIT_OK(pack_decode(text.data, p.head_len, false, &head, &e), &e);
	ck_assert_uint_eq(head.count, p.count);
	pack_free(&head);
	pack_free(&p);
}
END_TEST

/* Every shorter text, and every longer one, is none. */
START_TEST(pack_cut)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct pack p;
	struct err e;

	build(&text);
	for (size_t len = 0; len < text.len; len++) {
		unsigned char *copy = malloc(len + 1);

		memcpy(copy, text.data, len);
		ck_assert_int_ne(pack_decode(copy, len, true, &p, &e), 0);
		free(copy);
	}
	buf_adds(&text, "x");
	UNIT_FAILS(pack_decode(text.data, text.len, true, &p, &e), &e, ERR_FORMAT);
}
END_TEST

#define ID0 "0000000000000000000000000000000000000000000000000000000000000000"
#define ID1 "0000000000000000000000000000000000000000000000000000000000000001"

START_TEST(pack_refused)
{
	static const char *const bad[] = {
		"", "aicert pack 2\n0\n", "aicert pack 1\n", "aicert pack 1\n00\n", "aicert pack 1\n-1\n",
		"aicert pack 1\n1\n", "aicert pack 1\n99999999999999999999\n", "aicert pack 1\n100001\n",
		"aicert pack 1\n1\n" ID0 " 01\nx", "aicert pack 1\n1\n" ID0 " \n", "aicert pack 1\n1\n" ID0 "  1\nx",
		"aicert pack 1\n2\n" ID1 " 0\n" ID0 " 0\n", "aicert pack 1\n2\n" ID0 " 0\n" ID0 " 0\n",
		"aicert pack 1\n1\n" ID0 " 99999999999999999999999\n", "aicert pack 1\n1\n" ID0 " 67108864\n",
		"aicert pack 1\n1\nX" ID0 " 0\n", "aicert pack 1\r\n0\n",
	};
	struct pack p;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(pack_decode(bad[i], strlen(bad[i]), true, &p, &e) != 0, "taken: %s", bad[i]);
	UNIT_OK(pack_decode("aicert pack 1\n0\n", 16, true, &p, &e), &e);
	pack_free(&p);
	p = (struct pack)PACK_INIT;
	UNIT_FAILS(pack_add(&p, &(struct oid){0}, PACK_OBJECT_MAX + 1, &e), &e, ERR_LIMIT);
}
END_TEST

UNIT_SUITE(pack)
{
	tcase_add_test(tc, pack_round);
	tcase_add_test(tc, pack_cut);
	tcase_add_test(tc, pack_refused);
}
