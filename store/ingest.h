/* Files and directories into objects; trees back into directories. */
#ifndef STORE_INGEST_H
#define STORE_INGEST_H

#include "base/progress.h"
#include "object/resource.h"
#include "object/tree.h"
#include "store/odb.h"

#define INGEST_DIRECTORIES 1u   /* a directory is allowed */
#define INGEST_HASH_ONLY 2u     /* nothing is written: s may be NULL */
#define INGEST_ADOPT 4u         /* regular files are renamed into the store (odb_adopt) */

/*
 * path beneath dirfd, no symlink in any component: a regular file becomes a
 * blob, a directory a tree (symlinks inside are entries with their text;
 * sockets, FIFOs, devices and a .git inside are refused by name).  A file or
 * directory that changes while it is read is refused (ERR_CONFLICT).
 */
struct ingest_result {
	enum object_type type;
	struct oid id;
	uint64_t size;
};

int ingest_path(struct store *s, int dirfd, const char *path, unsigned flags,
    struct progress *progress, struct ingest_result *ret, struct err *e) MUST_CHECK;

/* Writes a blob or tree beneath dirfd at name, read-only, reflinked or copied and
 * verified: what a run sees as its private input, which no change to the store's
 * files reaches. */
int ingest_materialise(struct store *s, enum object_type type, const struct oid *id, int dirfd,
    const char *name, struct err *e) MUST_CHECK;
/* Writes a blob or tree as ordinary user files (0644/0755), reflinked or copied;
 * name must not exist. */
int ingest_checkout(struct store *s, enum object_type type, const struct oid *id, int dirfd,
    const char *name, struct err *e) MUST_CHECK;

#endif
