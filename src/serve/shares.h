/*
 * How much of something each of many has at the moment, by name: an address, a principal.
 * Who takes gives back the same.  For all threads; memory is for those that have any.
 */
#ifndef SERVE_SHARES_H
#define SERVE_SHARES_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

#define SHARES_NAME_SIZE 64

struct shares;

/* total: what all may have together. */
int shares_new(uint64_t total, struct shares **ret, struct err *e) MUST_CHECK;
void shares_free(struct shares *s);
/* n more for name, which may have each; false: it has too much already, or all have, or there
 * is no memory. */
bool shares_take(struct shares *s, const char *name, uint64_t n, uint64_t each);
uint64_t shares_has(struct shares *s, const char *name);
void shares_give(struct shares *s, const char *name, uint64_t n);

#endif
