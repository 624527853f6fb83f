/* Storing bytes whose digest was computed already.  For odb*.c and ingest*.c only. */
#ifndef STORE_ODB_PUT_H
#define STORE_ODB_PUT_H

#include <stddef.h>
#include "object/oid.h"
#include "store/store.h"

/* As odb_put; the caller just hashed these very bytes to id. */
int odb_put_known(struct store *s, const struct oid *id, const void *data, size_t len,
    struct err *e) MUST_CHECK;

#endif
