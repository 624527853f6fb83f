/*
 * A file of unit tests is START_TEST functions and one UNIT_SUITE block that
 * adds them; the block registers itself, so that no list has to be kept.
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <check.h>
#include "base/err.h"

typedef void unit_fill(TCase *tc);
void unit_register(const char *name, unit_fill *fill);

#define UNIT_SUITE(name) \
	static void unit_fill_##name(TCase *tc); \
	__attribute__((constructor)) static void unit_constructor_##name(void) \
	{ \
		unit_register(#name, unit_fill_##name); \
	} \
	static void unit_fill_##name(TCase *tc)

/* call succeeded, else the test fails with the error's message */
#define UNIT_OK(call, e) \
	ck_assert_msg((call) == 0, "%s: %s", #call, (e)->msg)
/* call failed with this code */
#define UNIT_FAILS(call, e, expected) \
	do { \
		ck_assert_msg((call) != 0, "%s did not fail", #call); \
		ck_assert_msg((e)->code == (expected), "%s: got %s (%s)", #call, \
		    err_name((e)->code), (e)->msg); \
	} while (0)

/* A fresh directory for the calling process, removed when all tests are done; borrowed. */
const char *unit_dir(void);

#endif
