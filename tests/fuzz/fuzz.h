/*
 * One function a parser, as libFuzzer calls it.  tests/fuzz/driver.c calls it
 * too, for compilers without libFuzzer.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was decoded is encoded again: the same bytes, or the parser is wrong. */
static inline void
fuzz_same(const uint8_t *data, size_t len, const void *again, size_t again_len)
{
	if (again_len != len || (len > 0 && memcmp(again, data, len) != 0))
		abort();
}

#endif
