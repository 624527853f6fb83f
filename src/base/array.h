/* Arrays that grow at their end. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>
#include "base/err.h"

/* Room for one more item behind the first count: 0, or -1 (ERR_NOMEM), and nothing has changed.
 * items is a pointer, NULL at first, and cap a size_t, 0 at first; both are assigned to.  Whoever
 * owns the array frees it. */
#define ARRAY_ROOM(items, count, cap, e) \
	((count) < (cap) ? 0 : array_grow(&(items), &(cap), sizeof *(items), (e)))

/* For ARRAY_ROOM alone: items is the address of the pointer, whatever it points to. */
int array_grow(void *items, size_t *cap, size_t size, struct err *e) MUST_CHECK;

#endif
