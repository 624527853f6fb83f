/*
 * What the user's files were when they were last hashed, in the user's cache
 * directory, for all their stores: a row a directory.  A cache: when it is
 * damaged, not ours, locked or cannot be written, it is as if it were empty.
 * Never asked where a proof is judged (verify, audit, fsck) nor by the daemon.
 */
#ifndef STORE_STAT_CACHE_H
#define STORE_STAT_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>
#include "store/stat-cache-row.h"

struct stat_cache;

/* NULL, and no error, when there is nowhere to keep one. dir: config_dir_cache(). */
struct stat_cache *stat_cache_open(const char *dir);
/* Writes what is left to write. */
void stat_cache_close(struct stat_cache *c);
static inline void stat_cache_closep(struct stat_cache **c) { stat_cache_close(*c); }

/* What is known of a directory. */
struct stat_cache_dir {
	struct stat_cache_entry *entries; /* in the order of the raw names */
	size_t count;
	struct buf *parts;                /* storage of the names */
	size_t part_count;
	bool whole;                       /* nothing else is in it */
	struct stat_cache_whole as_of;
};

#define STAT_CACHE_DIR_INIT {0}

/* c may be NULL: nothing. */
void stat_cache_load(struct stat_cache *c, const struct stat *dir, struct stat_cache_dir *ret);
/* NULL when there is none of that name.  Names are asked for in their order: *at is
 * 0 first, and how far the last call came after that. */
const struct stat_cache_entry *stat_cache_find(const struct stat_cache_dir *d, const char *name,
    size_t *at);
void stat_cache_dir_free(struct stat_cache_dir *d);
/* In place of what was known; entries in the order of the raw names.  tree: theirs, when nothing
 * else is in the directory as dir has it, and its times are settled, as a file's (below); or
 * NULL. */
void stat_cache_store(struct stat_cache *c, const struct stat *dir,
    const struct stat_cache_entry *entries, size_t n, const struct stat_cache_tree *tree);

/* The file is what it was when its bytes were hashed. */
bool stat_cache_same(const struct stat_cache_entry *x, const struct stat *st);
/*
 * As git does with racy entries: a file that was last changed so shortly before
 * its reading began that a later change could bear the same time is not to be
 * remembered.
 */
bool stat_cache_settled(const struct stat *st, const struct timespec *reading_began);
int64_t stat_cache_ns(const struct timespec *t);

#endif
