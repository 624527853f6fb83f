/* Trees back into directories. */
#ifndef STORE_INGEST_WRITE_H
#define STORE_INGEST_WRITE_H

#include "base/progress.h"
#include "object/oid.h"
#include "store/store.h"

struct ingest_place {
	int dirfd;
	const char *name;           /* must be free */
	bool private_;              /* read-only files, directories 0555; else ordinary user files */
	bool exec;                  /* a blob: executable */
	bool sync;                  /* durable on return, but for the name itself */
	struct progress *progress;  /* NULL: none */
};

/* Writes a blob or tree; nothing is left behind after a failure. */
int ingest_write_at(struct store *s, const struct object_ref *ref, const struct ingest_place *p,
    struct err *e) MUST_CHECK;
/* Without progress; synced unless it is private. */
int ingest_write(struct store *s, const struct object_ref *ref, int dirfd, const char *name,
    bool private_, struct err *e) MUST_CHECK;

#endif
