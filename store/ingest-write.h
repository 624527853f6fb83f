/* Trees back into directories: what ingest_materialise and ingest_checkout share. */
#ifndef STORE_INGEST_WRITE_H
#define STORE_INGEST_WRITE_H

#include "object/oid.h"
#include "store/store.h"

/* private_: read-only files and directories 0555;
 * else ordinary user files.  Nothing is left behind after a failure. */
int ingest_write(struct store *s, const struct object_ref *ref, int dirfd, const char *name,
    bool private_, struct err *e) MUST_CHECK;

#endif
