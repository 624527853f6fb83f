/* RFC 3339 in UTC with whole seconds, "2026-11-23T19:00:00Z": the one spelling. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>
#include "base/err.h"

#define TIMESTAMP_SIZE 21 /* with the NUL */

/* seconds since 1970, years 1970 to 9999 */
int timestamp_format(char ret_text[TIMESTAMP_SIZE], int64_t seconds, struct err *e) MUST_CHECK;
/* Strict: exactly the spelling above. */
int timestamp_parse(const char *text, int64_t *ret_seconds, struct err *e) MUST_CHECK;
/* For people on the command line: also "2026-11-23" (midnight) and a numeric offset. */
int timestamp_parse_loose(const char *text, int64_t *ret_seconds, struct err *e) MUST_CHECK;
int64_t timestamp_now(void);

#endif
