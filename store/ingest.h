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
#define INGEST_IGNORE 8u        /* .aicertignore acts inside directories */

/* store.ingest: how the bytes of a large file get into the store. */
enum ingest_mode {
	INGEST_AUTO,    /* blocks are shared where the file system can, else copied, unless an
	                 * alternate has them */
	INGEST_COPY,
	INGEST_REFLINK, /* ERR_UNSUPPORTED where the file system cannot */
	INGEST_REFERENCE /* large files of the work tree stay where they lie: in-place.h */
};

struct stat_cache;

struct ingest_options {
	unsigned flags;
	unsigned threads;           /* that read and hash; 0: one a processor; 1: none but the caller's */
	enum ingest_mode mode;
	struct stat_cache *cache;   /* NULL: every byte is read */
	struct progress *progress;  /* may be NULL */
	/* NULL, or told of each regular file that was read: beneath the item's dirfd, borrowed */
	void (*told)(void *arg, const char *path, const struct oid *id);
	void *told_arg;
};

/* store.threads and store.ingest of the configuration; flags, cache and progress as
 * they are in ret.  s may be NULL: the user's alone. */
int ingest_configure(struct store *s, struct ingest_options *ret, struct err *e) MUST_CHECK;

struct ingest_result {
	enum object_type type;
	struct oid id;
	uint64_t size;
	struct resource_ignored ignored; /* of a directory */
};

/* One file or directory to take in. */
struct ingest_item {
	const char *path;       /* beneath dirfd */
	const char *shown;      /* as messages and `told` have it; NULL: path */
	struct ingest_result result; /* when done */
	int dirfd;              /* borrowed */
	bool worktree;          /* dirfd is the top of a work tree: ignore rules above path act */
	bool done;
};

/*
 * A regular file becomes a blob, a directory a tree (symlinks inside are entries
 * with their text; sockets, FIFOs, devices and a .git inside are refused by
 * name).  No component of a path may be a symlink.  A file or directory that
 * changes while it is read is refused (ERR_CONFLICT).  Files are read by several
 * threads; memory depends neither on their sizes nor on how many directories
 * there are.  After an error some items may be done.
 */
int ingest_items(struct store *s, const struct ingest_options *o, struct ingest_item *items,
    size_t n, struct err *e) MUST_CHECK;
/* One item, without cache, with the default of everything else. */
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
