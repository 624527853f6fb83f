/*
 * index.db: a cache that may be deleted at any time and rebuilds itself from
 * refs and objects.  It answers which commits carry a certificate with a digest
 * as output or input, and what a commit reaches.  Every answer is a hint: the
 * callers re-read the certificates (FORMAT.md "Who made a file").
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "store/oid-map.h"
#include "store/store.h"

enum index_role {
	INDEX_MADE,             /* key: the id of an output */
	INDEX_USED,             /* of an input */
	INDEX_NAMED,            /* index_path_key() of an output's path */
};

struct index_hit {
	struct oid commit, certificate;
	int64_t chain, pos;     /* of one chain the one with the larger pos is a descendant */
};

struct index_hits {
	struct index_hit *hits; /* sorted: by chain, then the descendant first */
	size_t count, cap;
	struct oid_map holders; /* trees that hold it, at any depth */
	bool complete;          /* nothing that a ref or HEAD reaches is left out */
};

#define INDEX_HITS_INIT {.complete = true}

/* Takes in a commit that was stored, and what the index may lack before it. */
int index_add(struct store *s, const struct oid *commit_id, struct err *e) MUST_CHECK;
/* Everything reachable from all refs, again. */
int index_rebuild(struct store *s, struct err *e) MUST_CHECK;

/* The file as it lies there: ERR_CORRUPT, ERR_FORMAT, ERR_UNSUPPORTED; 0 also without one. */
int index_check(struct store *s, struct err *e) MUST_CHECK;
/* Throws it away. */
void index_discard(struct store *s);

/* Catches up with the refs, then finds.  inside: also where a tree of that role holds
 * it.  An index that cannot be used is no error: nothing is found and ret->complete is
 * false.  index_hits_free(). */
int index_find(struct store *s, enum index_role role, const struct oid *key, bool inside,
    struct index_hits *ret, struct err *e) MUST_CHECK;
/* The same without catching up: what the last index_find() or index_reach_new() saw. */
int index_find_again(struct store *s, enum index_role role, const struct oid *key, bool inside,
    struct index_hits *ret, struct err *e) MUST_CHECK;

/* What commits reach.  *ret_complete is false when the index does not know one of them,
 * or has gaps. */
struct index_reached;
int index_reach_new(struct store *s, const struct oid *start, size_t n, struct index_reached **ret,
    bool *ret_complete, struct err *e) MUST_CHECK;
/* Leaves out of hits what is not reached. */
void index_reach_filter(const struct index_reached *r, struct index_hits *hits);
void index_reach_free(struct index_reached *r);
/* All three; hits become incomplete where the index does not know enough. */
int index_reach(struct store *s, const struct oid *start, size_t n, struct index_hits *hits,
    struct err *e) MUST_CHECK;
int index_path_key(const char *path, struct oid *ret, struct err *e) MUST_CHECK;
void index_hits_free(struct index_hits *h);

#endif
