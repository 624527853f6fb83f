#include "unit.h"

#include <string.h>
#include "base/hex.h"
#include "evidence/replay.h"

START_TEST(replay_starts_at_zero)
{
	static const struct replay zero;
	struct replay r;

	memset(&r, 0xff, sizeof r);
	replay_start(&r);
	ck_assert_mem_eq(&r, &zero, sizeof r);
}
END_TEST

/* H(0... || H("")) computed by another implementation */
START_TEST(replay_known_values)
{
	char text[97];
	struct replay r;
	struct err e;

	replay_start(&r);
	UNIT_OK(replay_extend(&r, "", 0, &e), &e);
	hex_encode(text, r.sha256, 32);
	ck_assert_str_eq(text, "1c9ecec90e28d2461650418635878a5c91e49f47586ecf75f2b0cbb94e897112");
	hex_encode(text, r.sha384, 48);
	ck_assert_str_eq(text, "21b9efbc184807662e966d34f390821309eeac6802309798"
	    "826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a");
}
END_TEST

START_TEST(replay_depends_on_order_and_cuts)
{
	struct replay ab, ba, joined;
	struct err e;

	replay_start(&ab);
	replay_start(&ba);
	replay_start(&joined);
	UNIT_OK(replay_extend(&ab, "a", 1, &e), &e);
	UNIT_OK(replay_extend(&ab, "b", 1, &e), &e);
	UNIT_OK(replay_extend(&ba, "b", 1, &e), &e);
	UNIT_OK(replay_extend(&ba, "a", 1, &e), &e);
	UNIT_OK(replay_extend(&joined, "ab", 2, &e), &e);
	ck_assert(memcmp(ab.sha256, ba.sha256, 32) != 0);
	ck_assert(memcmp(ab.sha384, ba.sha384, 48) != 0);
	ck_assert(memcmp(ab.sha256, joined.sha256, 32) != 0);
}
END_TEST

UNIT_SUITE(replay)
{
	tcase_add_test(tc, replay_starts_at_zero);
	tcase_add_test(tc, replay_known_values);
	tcase_add_test(tc, replay_depends_on_order_and_cuts);
}
