#include "run/spec-value.h"

#include <inttypes.h>
#include "unit.h"

typedef bool spec_value_fn(const char *, uint64_t *);

static const struct {
	spec_value_fn *fn;
	const char *text;
	uint64_t want; /* 0: refused */
} spec_values[] = {
	{spec_value_size, "1", 1}, {spec_value_size, "1024", 1024}, {spec_value_size, "1KiB", 1024},
	{spec_value_size, "512MiB", UINT64_C(512) << 20}, {spec_value_size, "4GiB", UINT64_C(4) << 30},
	{spec_value_size, "2TiB", UINT64_C(2) << 40}, {spec_value_size, "9007199254740991", 9007199254740991},
	{spec_value_size, "9007199254740992", 0}, {spec_value_size, "8192TiB", 0},
	{spec_value_size, "18446744073709551616", 0}, {spec_value_size, "99999999999999999999TiB", 0},
	{spec_value_size, "0", 0}, {spec_value_size, "", 0}, {spec_value_size, "KiB", 0},
	{spec_value_size, "4GB", 0}, {spec_value_size, "4gib", 0}, {spec_value_size, "4 GiB", 0},
	{spec_value_size, "-1", 0}, {spec_value_size, "+1", 0}, {spec_value_size, "1.5GiB", 0},
	{spec_value_size, "0x10", 0}, {spec_value_size, "4GiB ", 0},
	{spec_value_time, "90s", 90}, {spec_value_time, "2h", 7200}, {spec_value_time, "1h30m", 5400},
	{spec_value_time, "1d2h3m4s", 93784}, {spec_value_time, "90m", 5400}, {spec_value_time, "0h5s", 5},
	{spec_value_time, "90", 0}, {spec_value_time, "", 0}, {spec_value_time, "h", 0},
	{spec_value_time, "0s", 0}, {spec_value_time, "30m1h", 0}, {spec_value_time, "1h1h", 0},
	{spec_value_time, "1h30", 0}, {spec_value_time, "1w", 0}, {spec_value_time, "-1s", 0},
	{spec_value_time, "18446744073709551615d", 0}, {spec_value_time, "213503982334602d", 0},
	{spec_value_cpus, "2", 2000}, {spec_value_cpus, "1.5", 1500}, {spec_value_cpus, "0.125", 125},
	{spec_value_cpus, "0.001", 1}, {spec_value_cpus, "0", 0}, {spec_value_cpus, "0.0", 0},
	{spec_value_cpus, "0.0001", 0}, {spec_value_cpus, "1.", 0}, {spec_value_cpus, ".5", 0},
	{spec_value_cpus, "1,5", 0}, {spec_value_cpus, "-1", 0}, {spec_value_cpus, "2x", 0},
	{spec_value_cpus, "18446744073709551615", 0},
};

START_TEST(test_spec_value)
{
	uint64_t got = 0;
	bool ok = spec_values[_i].fn(spec_values[_i].text, &got);

	ck_assert_msg(ok == (spec_values[_i].want != 0) && got == spec_values[_i].want, "%s: %" PRIu64,
	    spec_values[_i].text, got);
}
END_TEST

UNIT_SUITE(run_spec_value)
{
	tcase_add_loop_test(tc, test_spec_value, 0, (int)(sizeof spec_values / sizeof *spec_values));
}
