/* Text of others, made safe for a terminal and for JSON. */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include "base/buf.h"

#define PRINTABLE_MAX 2048

/* A copy in which control characters, characters that change the direction of
 * writing and bytes that are not UTF-8 are \xNN, cut after PRINTABLE_MAX bytes.
 * The caller frees it. */
char *printable(const char *text, struct err *e) MUST_CHECK;

#endif
