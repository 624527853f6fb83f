#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_FIRST 8

int
array_grow(void *items, size_t *cap, size_t size, struct err *e)
{
	size_t grown = *cap == 0 ? ARRAY_FIRST : *cap > SIZE_MAX / 2 ? SIZE_MAX : *cap * 2;
	void *now;

	memcpy(&now, items, sizeof now); /* a struct x *, read as what it is */
	now = reallocarray(now, grown, size);
	if (now == NULL)
		return err_nomem(e);
	memcpy(items, &now, sizeof now);
	*cap = grown;
	return 0;
}
