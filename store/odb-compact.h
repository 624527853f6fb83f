/* Makes small.db as short as what is in it; others can write meanwhile. */
#ifndef STORE_ODB_COMPACT_H
#define STORE_ODB_COMPACT_H

#include <stdbool.h>
#include "store/store.h"

/* looked: rows were deleted, so that pages may be half empty. */
int odb_compact_run(struct store *s, bool looked, struct err *e) MUST_CHECK;

#endif
