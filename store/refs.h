/*
 * Refs: names for objects.  A ref file holds "<type> sha256:<hex>\n"; HEAD
 * holds "ref: refs/heads/<name>\n" or, detached, such a line.  Every change
 * is compare-and-swap under a lock and leaves a line in the reflog.
 */
#ifndef STORE_REFS_H
#define STORE_REFS_H

#include "base/dir-walk.h"
#include "object/oid.h"
#include "store/store.h"

/* refs/heads|tags|failed|remotes|imports/..., components as git's check-ref-format. */
bool refs_name_ok(const char *name);
/* ERR_NOTFOUND when unborn or absent. */
int refs_read(struct store *s, const char *name, struct object_ref *ret, struct err *e) MUST_CHECK;
/* The branch HEAD names ("refs/heads/main"), malloc'd; NULL in *ret when detached. */
int refs_head(struct store *s, char **ret, struct err *e) MUST_CHECK;
int refs_set_head(struct store *s, const char *branch, struct err *e) MUST_CHECK;

struct refs_change {
	const char *name;               /* "HEAD": the branch it names */
	const struct object_ref *old;   /* expected; NULL: must not exist */
	bool any_old;                   /* do not compare */
	const struct object_ref *new_;  /* NULL: delete */
	const char *author;             /* "Name <email>" for the reflog */
	const char *message;            /* one line */
};
/*
 * ERR_CONFLICT when the ref is not at old, ERR_NOTFOUND when the new object is
 * not in the store, ERR_EXISTS when a ref above or beneath that name is there,
 * ERR_USAGE for an object of a type the name cannot have (heads, remotes and
 * imports are commits).  ERR_INTERNAL while a batch of objects is open: a ref must not
 * become durable before its object.  The reflog's line is written first; after
 * a crash between the two it tells of a change that did not happen.
 */
int refs_update(struct store *s, const struct refs_change *c, struct err *e) MUST_CHECK;

/*
 * What refs_update() would say of the name for an object of that type, before anything is
 * done: ERR_USAGE for a type it cannot have, ERR_EXISTS for a ref above or beneath it.
 */
int refs_check_name(struct store *s, const char *name, enum object_type type, struct err *e) MUST_CHECK;

/* Sorted by name. prefix e.g. "refs/heads/"; fn returns non-zero to stop. */
typedef int refs_each_fn(void *arg, const char *name, const struct object_ref *ref);
int refs_each(struct store *s, const char *prefix, refs_each_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

/* The names alone, sorted, whatever the files hold; dir_walk_free(ret). */
int refs_names(struct store *s, const char *prefix, struct dir_walk *ret, struct err *e) MUST_CHECK;

/* The names that have a reflog, also when the ref is gone. */
int refs_log_names(struct store *s, struct dir_walk *ret, struct err *e) MUST_CHECK;

/*
 * A revision: HEAD, a branch, a tag, a full ref name, a full id or unique
 * prefix (>= 7), each followed by any of ~N and ^N.  An id resolves to what it
 * is; names to their ref's object.  *ret.type is found by reading the object
 * when only an id is given.
 */
int refs_resolve(struct store *s, const char *rev, struct object_ref *ret, struct err *e) MUST_CHECK;

#endif
