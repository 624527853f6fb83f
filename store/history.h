/* Reading commits and certificates out of a store, and walking the history. */
#ifndef STORE_HISTORY_H
#define STORE_HISTORY_H

#include "object/certificate.h"
#include "object/commit.h"
#include "object/oid-list.h"
#include "store/oid-map.h"
#include "store/store.h"

int history_commit(struct store *s, const struct oid *id, struct commit *ret, struct err *e) MUST_CHECK;
int history_certificate(struct store *s, const struct oid *id, struct certificate *ret,
    struct err *e) MUST_CHECK;
/* What an object is: by its mediaType or tree header; anything else is a blob. */
int history_type(struct store *s, const struct oid *id, enum object_type *ret, struct err *e) MUST_CHECK;

/* Every commit reachable from start, children before parents, newest first
 * among the unordered; fn returns non-zero to stop. */
typedef int history_each_fn(void *arg, const struct oid *id, const struct commit *c);
int history_walk(struct store *s, const struct oid *start, size_t n, history_each_fn *fn,
    void *arg, struct err *e) MUST_CHECK;
/* The same over commits that are elsewhere (a bundle). */
typedef int history_read_fn(void *arg, const struct oid *id, struct commit *ret, struct err *e);
struct history_source {
	history_read_fn *read;
	void *arg;
};
int history_walk_with(const struct history_source *from, const struct oid *start, size_t n,
    history_each_fn *fn, void *arg, struct err *e) MUST_CHECK;

/*
 * The newest successful run reachable from HEAD, then from other refs, that has
 * this content (type, size, sha256) as an output; inside: also as an entry
 * somewhere inside an output tree.  ERR_NOTFOUND when there is none.
 */
struct history_producer {
	struct oid commit, certificate;
	char *path;             /* of the output; malloc'd */
};
#define HISTORY_INSIDE 1u    /* also look inside output trees */
#define HISTORY_HEAD_ONLY 2u /* only what HEAD reaches */
/* When a complete index knows of none, there is none.  Without it every certificate is
 * read then: for a caller whom a wrong "none" would mislead (FORMAT.md "Who made a file"). */
#define HISTORY_QUICK 4u
int history_producer(struct store *s, const struct resource *content, unsigned flags,
    struct history_producer *ret, struct err *e) MUST_CHECK;
/* The same among the certificates in `certificates` alone, which tips reach: for who has
 * looked at that history and relies on no other. */
int history_producer_among(struct store *s, const struct resource *content, unsigned flags,
    const struct oid_list *tips, const struct oid_map *certificates, struct history_producer *ret,
    struct err *e) MUST_CHECK;
/* The newest successful run reachable from HEAD, then other refs, with an output of that path. */
int history_producer_of_path(struct store *s, const char *path, unsigned flags,
    struct history_producer *ret, struct err *e) MUST_CHECK;
void history_producer_free(struct history_producer *p);

/* The newest run reachable from HEAD, then other refs, with an input that is that path or
 * holds it. */
int history_user_of_path(struct store *s, const char *path, struct oid *ret_certificate,
    struct err *e) MUST_CHECK;

/*
 * Every certificate that HEAD or a ref (but refs/failed/) reaches and that has this
 * digest as an output (made) or an input, or inside of one; the descendant first
 * where one is.  *ret_whole is false when certificates are missing or unreadable, so
 * that there may be more.  fn returns non-zero to stop.
 */
struct history_use {
	struct oid commit, certificate_id;
	const struct certificate *certificate;
	const struct resource *thing;   /* the output or input that is it, or holds it */
	bool inside;
};
typedef int history_uses_fn(void *arg, const struct history_use *use);
/* The history as it is now: for several questions to the same. */
struct history_view;
int history_view_new(struct store *s, struct history_view **ret, struct err *e) MUST_CHECK;
void history_view_free(struct history_view *v);
static inline void history_view_freep(struct history_view **v) { history_view_free(*v); }
int history_uses(const struct history_view *v, const struct oid *id, bool made, history_uses_fn *fn,
    void *arg, bool *ret_whole, struct err *e) MUST_CHECK;

#endif
