#include "base/timestamp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIMESTAMP_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

int
timestamp_format(char ret_text[TIMESTAMP_SIZE], int64_t seconds, struct err *e)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds < 0 || seconds > TIMESTAMP_MAX || gmtime_r(&t, &tm) == NULL)
		return err_set(e, ERR_FORMAT, "a time outside the years 1970 to 9999");
	strftime(ret_text, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return 0;
}

/* Digits of text at the places of '0' in pattern, other characters equal. */
static bool
timestamp_matches(const char *text, const char *pattern)
{
	size_t i;

	for (i = 0; pattern[i] != '\0'; i++) {
		if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
			return false;
	}
	return true;
}

static int
timestamp_number(const char *text, int digits)
{
	int n = 0;

	while (digits-- > 0)
		n = n * 10 + (*text++ - '0');
	return n;
}

/* Date and time of day at the front of text, both already matched. */
static int
timestamp_fields(const char *text, bool with_time, int64_t *ret, struct err *e)
{
	struct tm tm = {
		.tm_year = timestamp_number(text, 4) - 1900,
		.tm_mon = timestamp_number(text + 5, 2) - 1,
		.tm_mday = timestamp_number(text + 8, 2),
	};
	struct tm check;
	time_t t;

	if (with_time) {
		tm.tm_hour = timestamp_number(text + 11, 2);
		tm.tm_min = timestamp_number(text + 14, 2);
		tm.tm_sec = timestamp_number(text + 17, 2);
	}
	check = tm;
	t = timegm(&check);
	/* timegm() normalises: a date that changes was none */
	if (check.tm_mday != tm.tm_mday || check.tm_mon != tm.tm_mon || tm.tm_hour > 23 ||
	    tm.tm_min > 59 || tm.tm_sec > 59 || t < 0)
		return err_set(e, ERR_FORMAT, "%s: no such date or time", text);
	*ret = t;
	return 0;
}

int
timestamp_parse(const char *text, int64_t *ret_seconds, struct err *e)
{
	if (strnlen(text, TIMESTAMP_SIZE) != TIMESTAMP_SIZE - 1 ||
	    !timestamp_matches(text, "0000-00-00T00:00:00Z"))
		return err_set(e, ERR_FORMAT, "expected a time like 2026-11-23T19:00:00Z");
	return timestamp_fields(text, true, ret_seconds, e);
}

int
timestamp_parse_loose(const char *text, int64_t *ret_seconds, struct err *e)
{
	size_t len = strnlen(text, 32);
	int64_t seconds, offset;

	if (len == 10 && timestamp_matches(text, "0000-00-00"))
		return timestamp_fields(text, false, ret_seconds, e);
	if (len == TIMESTAMP_SIZE - 1)
		return timestamp_parse(text, ret_seconds, e);
	if (len != 25 || !timestamp_matches(text, "0000-00-00T00:00:00") ||
	    (text[19] != '+' && text[19] != '-') || !timestamp_matches(text + 20, "00:00"))
		return err_set(e, ERR_FORMAT, "%s: expected a time like 2026-11-23T19:00:00Z,"
		    " 2026-11-23T20:00:00+01:00 or 2026-11-23", text);
	if (timestamp_fields(text, true, &seconds, e) != 0)
		return -1;
	if (timestamp_number(text + 20, 2) > 23 || timestamp_number(text + 23, 2) > 59)
		return err_set(e, ERR_FORMAT, "%s: no such offset", text);
	offset = timestamp_number(text + 20, 2) * 3600 + timestamp_number(text + 23, 2) * 60;
	seconds = text[19] == '+' ? seconds - offset : seconds + offset;
	if (seconds < 0 || seconds > TIMESTAMP_MAX)
		return err_set(e, ERR_FORMAT, "%s: a time outside the years 1970 to 9999", text);
	*ret_seconds = seconds;
	return 0;
}

int64_t
timestamp_now(void)
{
	return (int64_t)time(NULL);
}
