/* Text of others, made safe for a terminal and for JSON. */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include <stdbool.h>
#include "base/buf.h"

#define PRINTABLE_MAX 2048

/* What "%zu object%s" has at its end. */
static inline const char *
printable_s(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* A copy in which control characters, characters that change the direction of
 * writing and bytes that are not UTF-8 are \xNN, cut after PRINTABLE_MAX bytes.
 * The caller frees it. */
char *printable(const char *text, struct err *e) MUST_CHECK;

/*
 * A program's output, piece by piece, for a terminal: as it is where it writes, colours
 * or clears the line; any other control sequence, and what is no UTF-8, as \xNN.  What a
 * piece leaves incomplete waits in *held, a few bytes, for the next; last: nothing waits.
 */
void printable_output(struct buf *held, const void *data, size_t len, bool last, struct buf *ret);

#endif
