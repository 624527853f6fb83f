#include "unit.h"

#include <string.h>
#include "evidence/fixture.h"

/* where members lie in the fixture's quote */
#define AT_TYPE 4
#define AT_SIGNER 6
#define AT_SAFE (8 + 34 + 2 + 32 + 16)
#define AT_COUNT (AT_SAFE + 1 + 8)
#define AT_BANK (AT_COUNT + 4)

static struct fixture_quote q;

static void
attest_setup(void)
{
	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
}

static void
attest_teardown(void)
{
	fixture_free(&q);
}

static void
attest_refused(const struct buf *b, enum err_code code, const char *words)
{
	struct attest a;
	struct err e;

	memset(&a, 0x77, sizeof a);
	UNIT_FAILS(attest_decode(b->data, b->len, &a, &e), &e, code);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s", e.msg);
	ck_assert_uint_eq(a.extra[0], 0x77); /* written only on success */
}

START_TEST(attest_round_trip)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct attest a;
	struct err e;

	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	ck_assert_uint_eq(a.extra_len, 32);
	ck_assert_mem_eq(a.extra, q.extra, 32);
	ck_assert_uint_eq(a.signer_len, 34);
	ck_assert_uint_eq(a.clock.clock, 123456789012ULL);
	ck_assert_uint_eq(a.clock.reset_count, 7);
	ck_assert_uint_eq(a.clock.restart_count, 2);
	ck_assert(a.clock.safe);
	ck_assert_uint_eq(a.firmware, 0x20240125001200ULL);
	ck_assert_uint_eq(a.selection_count, 2);
	ck_assert_int_eq(a.selection[1].bank, HASH_SHA384);
	UNIT_OK(attest_encode(&a, &again, &e), &e);
	ck_assert_uint_eq(again.len, q.attest.len);
	ck_assert_mem_eq(again.data, q.attest.data, again.len);
}
END_TEST

START_TEST(attest_selection)
{
	struct attest a = {.selection_count = 2,
	    .selection = {{HASH_SHA256, 1u << 14}, {HASH_SHA1, 0xffffff}}};

	ck_assert(attest_selects(&a, HASH_SHA256, 14));
	ck_assert(!attest_selects(&a, HASH_SHA256, 15));
	ck_assert(attest_selects(&a, HASH_SHA1, 23));
	ck_assert(!attest_selects(&a, HASH_SHA1, 24));
	ck_assert(!attest_selects(&a, HASH_SHA1, 64));
	ck_assert(!attest_selects(&a, HASH_SHA384, 14));
}
END_TEST

START_TEST(attest_refuses_every_truncation)
{
	struct buf cut = q.attest;

	for (cut.len = 0; cut.len < q.attest.len; cut.len++) {
		struct attest a;
		struct err e;

		UNIT_FAILS(attest_decode(cut.data, cut.len, &a, &e), &e, ERR_FORMAT);
	}
	buf_addc(&q.attest, 0);
	attest_refused(&q.attest, ERR_FORMAT, "1 bytes after");
}
END_TEST

/* Whatever is accepted says what the bytes say, and no other bytes say it. */
START_TEST(attest_flips_never_alias)
{
	for (size_t i = 0; i < q.attest.len * 8; i++) {
		CLEANUP(buf_free) struct buf again = BUF_INIT;
		struct attest a;
		struct err e;

		q.attest.data[i / 8] ^= (unsigned char)(1 << i % 8);
		if (attest_decode(q.attest.data, q.attest.len, &a, &e) == 0) {
			UNIT_OK(attest_encode(&a, &again, &e), &e);
			ck_assert_uint_eq(again.len, q.attest.len);
			ck_assert_mem_eq(again.data, q.attest.data, again.len);
		}
		q.attest.data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
}
END_TEST

START_TEST(attest_refuses_other_types)
{
	/* NV, COMMAND_AUDIT, SESSION_AUDIT, CERTIFY, TIME, CREATION, NV_DIGEST; nonsense */
	static const unsigned char types[] = {0x14, 0x15, 0x16, 0x17, 0x19, 0x1a, 0x1c, 0x00, 0xff};

	for (size_t i = 0; i < sizeof types; i++) {
		q.attest.data[AT_TYPE + 1] = types[i];
		attest_refused(&q.attest, ERR_FORMAT, "TPM_ST_ATTEST_QUOTE");
	}
	q.attest.data[AT_TYPE + 1] = 0x18;
	q.attest.data[0] ^= 1;
	attest_refused(&q.attest, ERR_FORMAT, "magic");
}
END_TEST

START_TEST(attest_refuses_bad_selections)
{
	struct attest a;
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct err e;

	q.attest.data[AT_BANK + 1] = 0x12; /* SM3-256 */
	attest_refused(&q.attest, ERR_UNSUPPORTED, "0x0012");
	q.attest.data[AT_BANK + 1] = 0x0c;
	attest_refused(&q.attest, ERR_FORMAT, "sha384 is selected twice");
	q.attest.data[AT_BANK + 1] = 0x0b;
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);

	a.selection[1].mask = 0;
	fixture_attest(&a, &b);
	attest_refused(&b, ERR_FORMAT, "sha384 selects no PCR");
	buf_reset(&b);
	a.selection_count = 0;
	fixture_attest(&a, &b);
	attest_refused(&b, ERR_FORMAT, "selects no PCR");
}
END_TEST

START_TEST(attest_refuses_odd_widths)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	q.attest.data[AT_SAFE] = 2;
	attest_refused(&q.attest, ERR_FORMAT, "TPMS_ATTEST");
	q.attest.data[AT_SAFE] = 1;
	buf_add(&b, q.attest.data, AT_BANK + 2);
	buf_addc(&b, 4);
	buf_add(&b, q.attest.data + AT_BANK + 3, 3);
	buf_addc(&b, 0);
	buf_add(&b, q.attest.data + AT_BANK + 6, q.attest.len - AT_BANK - 6);
	attest_refused(&b, ERR_UNSUPPORTED, "4 bytes");
}
END_TEST

START_TEST(attest_encode_checks_lengths)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct attest a = {.extra_len = 65};
	struct err e;

	UNIT_FAILS(attest_encode(&a, &b, &e), &e, ERR_USAGE);
	a = (struct attest){.selection_count = ATTEST_BANKS_MAX + 1};
	UNIT_FAILS(attest_encode(&a, &b, &e), &e, ERR_USAGE);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

UNIT_SUITE(attest)
{
	tcase_add_checked_fixture(tc, attest_setup, attest_teardown);
	tcase_add_test(tc, attest_round_trip);
	tcase_add_test(tc, attest_selection);
	tcase_add_test(tc, attest_refuses_every_truncation);
	tcase_add_test(tc, attest_flips_never_alias);
	tcase_add_test(tc, attest_refuses_other_types);
	tcase_add_test(tc, attest_refuses_bad_selections);
	tcase_add_test(tc, attest_refuses_odd_widths);
	tcase_add_test(tc, attest_encode_checks_lengths);
}
