#include "run/spec-value.h"

#include <string.h>
#include "codec/jcs.h"

/* Digits at *text, at least one, and on to what follows. */
static bool
spec_value_digits(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t n = 0;

	while (*p >= '0' && *p <= '9') {
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
		p++;
	}
	if (p == *text)
		return false;
	*text = p;
	*ret = n;
	return true;
}

static bool
spec_value_fits(uint64_t n)
{
	return n > 0 && n <= (uint64_t)JCS_INT_MAX; /* documents carry no larger integer */
}

bool
spec_value_size(const char *text, uint64_t *ret_bytes)
{
	static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
	uint64_t n;

	if (!spec_value_digits(&text, &n))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(text, units[i]) != 0)
			continue;
		if (__builtin_mul_overflow(n, UINT64_C(1) << (10 * i), &n) || !spec_value_fits(n))
			return false;
		*ret_bytes = n;
		return true;
	}
	return false;
}

bool
spec_value_time(const char *text, uint64_t *ret_seconds)
{
	static const struct {
		char letter;
		uint64_t seconds;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	const size_t count = sizeof units / sizeof *units;
	uint64_t total = 0;
	size_t next = 0; /* each unit at most once, the largest first */

	while (*text != '\0') {
		uint64_t n;

		if (!spec_value_digits(&text, &n))
			return false;
		while (next < count && units[next].letter != *text)
			next++;
		if (next == count || __builtin_mul_overflow(n, units[next].seconds, &n) ||
		    __builtin_add_overflow(total, n, &total))
			return false;
		next++;
		text++;
	}
	if (!spec_value_fits(total))
		return false;
	*ret_seconds = total;
	return true;
}

bool
spec_value_cpus(const char *text, uint64_t *ret_millis)
{
	uint64_t whole, part = 0;

	if (!spec_value_digits(&text, &whole) || __builtin_mul_overflow(whole, 1000u, &whole))
		return false;
	if (*text == '.') {
		const char *start = ++text;

		if (!spec_value_digits(&text, &part) || text - start > 3)
			return false;
		for (ptrdiff_t i = text - start; i < 3; i++)
			part *= 10;
	}
	if (*text != '\0' || __builtin_add_overflow(whole, part, &whole) || !spec_value_fits(whole))
		return false;
	*ret_millis = whole;
	return true;
}
