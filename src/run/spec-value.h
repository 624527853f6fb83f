/* Amounts as aicert.yaml(5) spells them. */
#ifndef RUN_SPEC_VALUE_H
#define RUN_SPEC_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* All false for zero, overflow and anything that is not exactly such a text. */
bool spec_value_size(const char *text, uint64_t *ret_bytes);     /* 1024, 512MiB, 4GiB */
bool spec_value_time(const char *text, uint64_t *ret_seconds);   /* 90s, 1h30m, 2d */
bool spec_value_cpus(const char *text, uint64_t *ret_millis);    /* 2, 1.5, 0.125 */

#endif
