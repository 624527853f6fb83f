/*
 * One row of the stat cache: what was found in a directory when its files were
 * hashed.  Bytes of a file that may be damaged: the parser takes nothing that
 * encode did not write for this directory, and does no I/O.
 */
#ifndef STORE_STAT_CACHE_ROW_H
#define STORE_STAT_CACHE_ROW_H

#include <stdint.h>
#include "base/buf.h"
#include "object/oid.h"

struct stat_cache_entry {
	const char *name;       /* borrowed */
	uint64_t size, inode;
	int64_t mtime_ns, ctime_ns;
	uint32_t mode;          /* st_mode */
	struct oid id;          /* of the bytes */
};

/* Which directory, and which part of a large one's entries. */
struct stat_cache_key {
	uint64_t device, inode;
	uint32_t part;
};

/* Of a directory: the id of its tree, and how long that is. */
struct stat_cache_tree {
	struct oid id;
	uint64_t len;
};

/* The directory's times, how many names it had and what tree they made, when the entries of
 * all parts were everything in it; else zero. */
struct stat_cache_whole {
	int64_t mtime_ns, ctime_ns;
	uint64_t names;
	struct stat_cache_tree tree;
};

struct stat_cache_row {
	struct stat_cache_entry *entries; /* in the order of the raw names; the names lie in the data */
	size_t count;
	struct stat_cache_whole whole;
};

#define STAT_CACHE_ROW_INIT {0}
/* Entries of one part are at most this many bytes, names and all. */
#define STAT_CACHE_ROW_MAX (4u * 1024 * 1024)

/* As many of the n entries as fit one part; says how many. */
int stat_cache_row_encode(const struct stat_cache_key *key, const struct stat_cache_whole *whole,
    const struct stat_cache_entry *entries, size_t n, struct buf *ret, size_t *ret_used,
    struct err *e) MUST_CHECK;
/* ERR_FORMAT: not of that directory and part, damaged, or not written so. The
 * names are borrowed from data. */
int stat_cache_row_decode(const struct stat_cache_key *key, const void *data, size_t len,
    struct stat_cache_row *ret, struct err *e) MUST_CHECK;
void stat_cache_row_free(struct stat_cache_row *r);

#endif
