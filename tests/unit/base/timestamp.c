#include "unit.h"

#include <string.h>
#include "base/timestamp.h"

static const struct {
	int64_t seconds;
	const char *text;
} timestamp_pairs[] = {
	{0, "1970-01-01T00:00:00Z"},
	{1, "1970-01-01T00:00:01Z"},
	{951782399, "2000-02-28T23:59:59Z"},
	{951782400, "2000-02-29T00:00:00Z"},
	{951868800, "2000-03-01T00:00:00Z"},
	{2147483647, "2038-01-19T03:14:07Z"},
	{2147483648, "2038-01-19T03:14:08Z"},
	{4107542400, "2100-03-01T00:00:00Z"},
	{253402300799, "9999-12-31T23:59:59Z"},
};

START_TEST(test_timestamp_round_trip)
{
	char text[TIMESTAMP_SIZE];
	int64_t seconds;
	struct err e;

	UNIT_OK(timestamp_format(text, timestamp_pairs[_i].seconds, &e), &e);
	ck_assert_str_eq(text, timestamp_pairs[_i].text);
	UNIT_OK(timestamp_parse(text, &seconds, &e), &e);
	ck_assert_int_eq(seconds, timestamp_pairs[_i].seconds);
	seconds = -1;
	UNIT_OK(timestamp_parse_loose(text, &seconds, &e), &e);
	ck_assert_int_eq(seconds, timestamp_pairs[_i].seconds);
}
END_TEST

START_TEST(test_timestamp_format_refuses)
{
	static const int64_t bad[] = {-1, INT64_MIN, INT64_C(253402300800), INT64_MAX};
	char text[TIMESTAMP_SIZE] = "kept";
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		UNIT_FAILS(timestamp_format(text, bad[i], &e), &e, ERR_FORMAT);
	ck_assert_str_eq(text, "kept");
}
END_TEST

/* Refused by both; what the loose one takes on top is in the next table. */
static const char *const timestamp_bad[] = {
	"", "now", "2026", "2026-11", "2026-11-23T", "2026-11-23T19:00Z", "2026-11-23T19:00:00",
	"2026-11-23T19:00:00z", "2026-11-23t19:00:00Z", "2026-11-23 19:00:00Z",
	"2026-11-23T19:00:00.5Z", "2026-11-23T19:00:00Z ", " 2026-11-23T19:00:00Z",
	"2026-11-23T19:00:00ZZ", "2026/11/23T19:00:00Z", "2026-11-23T19-00-00Z",
	"+026-11-23T19:00:00Z", "2026-1a-23T19:00:00Z",
	"2026-00-23T19:00:00Z", "2026-13-23T19:00:00Z", "2026-11-00T19:00:00Z",
	"2026-11-31T19:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
	"2024-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T19:60:00Z",
	"2026-11-23T19:00:60Z", "2026-11-23T23:59:61Z", "1969-12-31T23:59:59Z",
	"0000-01-01T00:00:00Z", "2026-11-23T19:00:00+0100", "2026-11-23T19:00:00+24:00",
	"2026-11-23T19:00:00+00:60", "2026-11-23T19:00:00-99:99", "2026-11-23T19:00:00 01:00",
	"1970-01-01T00:59:59+01:00", "9999-12-31T23:59:59-00:01", "2026-02-30", "2026-11-3",
	"1969-12-31", "2026-11-23T19:00:60+01:00", "2026-11-23T19:00:00+01:00Z",
};

START_TEST(test_timestamp_refuses)
{
	int64_t seconds = 77;
	struct err e;

	UNIT_FAILS(timestamp_parse(timestamp_bad[_i], &seconds, &e), &e, ERR_FORMAT);
	UNIT_FAILS(timestamp_parse_loose(timestamp_bad[_i], &seconds, &e), &e, ERR_FORMAT);
	ck_assert_int_eq(seconds, 77);
}
END_TEST

static const struct {
	const char *text;
	int64_t seconds;
} timestamp_loose[] = {
	{"1970-01-01", 0},
	{"2000-02-29", 951782400},
	{"1970-01-01T01:00:00+01:00", 0},
	{"1970-01-01T00:00:00-00:30", 1800},
	{"2000-02-29T00:00:00+00:00", 951782400},
	{"2000-02-29T05:45:00+05:45", 951782400},
	{"2000-02-28T14:00:00-10:00", 951782400},
};

START_TEST(test_timestamp_loose)
{
	int64_t seconds;
	struct err e;

	UNIT_FAILS(timestamp_parse(timestamp_loose[_i].text, &seconds, &e), &e, ERR_FORMAT);
	UNIT_OK(timestamp_parse_loose(timestamp_loose[_i].text, &seconds, &e), &e);
	ck_assert_int_eq(seconds, timestamp_loose[_i].seconds);
}
END_TEST

START_TEST(test_timestamp_now)
{
	char text[TIMESTAMP_SIZE];
	struct err e;

	UNIT_OK(timestamp_format(text, timestamp_now(), &e), &e);
	ck_assert_int_gt(timestamp_now(), INT64_C(1700000000));
}
END_TEST

UNIT_SUITE(timestamp)
{
	tcase_add_loop_test(tc, test_timestamp_round_trip, 0,
	    sizeof timestamp_pairs / sizeof timestamp_pairs[0]);
	tcase_add_test(tc, test_timestamp_format_refuses);
	tcase_add_loop_test(tc, test_timestamp_refuses, 0,
	    sizeof timestamp_bad / sizeof timestamp_bad[0]);
	tcase_add_loop_test(tc, test_timestamp_loose, 0,
	    sizeof timestamp_loose / sizeof timestamp_loose[0]);
	tcase_add_test(tc, test_timestamp_now);
}
