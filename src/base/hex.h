/* Lower-case hexadecimal: the only spelling of digests in documents of ours. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

/* Writes 2 * len characters and a NUL. */
void hex_encode(char *ret_text, const void *data, size_t len);
/* Exactly 2 * len lower-case digits and nothing else, or -1 (ERR_FORMAT). */
int hex_decode(unsigned char *ret_data, size_t len, const char *text, struct err *e) MUST_CHECK;
/* As people type and paste it: of either case.  Not for documents of ours. */
int hex_decode_any(unsigned char *ret_data, size_t len, const char *text, struct err *e) MUST_CHECK;
/* True when text is 1..n lower-case hex digits and nothing else. */
bool hex_is(const char *text, size_t n);

#endif
