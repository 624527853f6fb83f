/*
 * A remote: another copy of a history, and how objects and refs get there and
 * back.  Each transport is one file behind struct remote_ops; what is to be
 * sent or fetched, and in which order, is sync.h's business.
 *
 * Nothing that a remote says is believed: ids are what bytes hash to, names of
 * refs are checked, sizes are bounds.  Nothing of a remote is configuration.
 */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/buf.h"
#include "base/notice.h"
#include "object/oid.h"
#include "store/config.h"
#include "store/store.h"

#define REMOTE_REFS_MAX 100000u
#define REMOTE_URL_MAX 2048
/* Bytes of an object whose length nobody promised: a transport never reads more. */
#define REMOTE_TYPED_MAX (256u * 1024 * 1024)

enum remote_state {
	REMOTE_ASKED,   /* nothing is known yet */
	REMOTE_HAS,     /* it is there: asked of (missing), or moved (get, put) */
	REMOTE_LACKS,   /* missing: it is not there; get: the remote does not have it */
	REMOTE_UNFIT,   /* this remote does not hold such objects (a large blob in git) */
	REMOTE_FAILED   /* could not be moved, and a notice has told why */
};

struct remote_item {
	struct object_ref ref;
	uint64_t size;          /* in bytes; when not exact, the most that is taken */
	bool exact;
	enum remote_state state;
};

struct remote_ref {
	char *name;             /* "refs/heads/main"; malloc'd */
	struct object_ref target;
};

struct remote_refs {
	struct remote_ref *items; /* sorted by name, each name once, all refs_name_ok() */
	size_t count, cap;
	char *head;             /* the branch to check out; NULL: not known */
};

struct remote_update {
	const char *name;
	bool has_old, has_new;  /* no old: must not exist; no new: is removed */
	struct object_ref old, new_;
	bool force;             /* the user said so; a hub asks for it where history is lost */
	enum remote_state state;/* HAS: done; LACKS: the ref was not at old; FAILED: told */
};

struct remote;

/*
 * All functions belong to the thread that opened the remote.  open, refs, missing,
 * get, put and update end with -1 only when the remote as a whole cannot be worked
 * with (no link, refused, Ctrl-C): what concerns one object or ref is its state.
 */
struct remote_ops {
	const char *name;
	bool read_only;
	/* url, store, config and writing are set; sets state.  A remote that is not there
	 * is ERR_NOTFOUND, or, when writing, is made by the first put or update. */
	int (*open)(struct remote *r, struct err *e);
	void (*close)(struct remote *r);
	/* Its refs beneath refs/heads and refs/tags, by remote_refs_add(). */
	int (*refs)(struct remote *r, struct remote_refs *ret, struct err *e);
	/* Which of these are there, many at a time: HAS, LACKS or UNFIT.  HAS means that the
	 * object may be named by what is sent next. */
	int (*missing)(struct remote *r, struct remote_item *items, size_t n, struct err *e);
	/* A hint: all that these commits reach, and those do not, will be read.  Brings small
	 * objects in few requests.  NULL: nothing is gained by it. */
	int (*expect)(struct remote *r, const struct oid *want, size_t wants, const struct oid *have,
	    size_t haves, struct err *e);
	/* One object into memory, at most max bytes; the caller hashes it.  ERR_NOTFOUND: it is
	 * not there.  A batch of the store (odb_batch_begin) may be open. */
	int (*read)(struct remote *r, const struct oid *id, size_t max, struct buf *ret,
	    struct err *e);
	/* Objects into r->store, several at a time, going on where an earlier attempt stopped.
	 * Only bytes with the digest and, where exact, the size are ever stored. No batch is open. */
	int (*get)(struct remote *r, struct remote_item *items, size_t n, struct err *e);
	/* Bytes that were just read from r->store and have the digest, before it is asked what is
	 * missing: taken, they need not be read again.  HAS: taken, as by put(); else it is asked for
	 * later.  Nothing of it is visible before update().  NULL: none is ever taken. */
	int (*offer)(struct remote *r, struct remote_item *item, const void *data, struct err *e);
	/* Objects out of r->store; when it returns, those that are HAS are durable there, or are
	 * so at the latest when update() makes a ref visible that needs them. */
	int (*put)(struct remote *r, struct remote_item *items, size_t n, struct err *e);
	/* Refs, each by compare-and-swap.  n may be 0: what was put becomes durable. */
	int (*update)(struct remote *r, struct remote_update *updates, size_t n, struct err *e);
};

struct remote {
	const struct remote_ops *ops;
	char *name;             /* as configured; "" when an url was typed */
	char *url;
	struct store *store;    /* borrowed */
	struct config *config;  /* borrowed: keys of the user alone name credentials */
	bool writing;           /* for a push */
	bool partial;           /* set by sync_push(): not all contents of files came along */
	FILE *progress;         /* NULL: silent */
	struct notice notice;
	void *state;            /* the transport's own */
};

struct remote_open {
	const char *name;       /* "" or NULL: none */
	const char *url;
	struct store *store;
	struct config *config;
	bool writing;
	FILE *progress;
	struct notice notice;
};

/* ERR_USAGE or ERR_UNSUPPORTED for an url that no transport takes.  The strings are copied. */
int remote_open(const struct remote_open *o, struct remote **ret, struct err *e) MUST_CHECK;
void remote_close(struct remote *r);
static inline void remote_closep(struct remote **r) { remote_close(*r); }
/* What an url is: no credential in it, no option of a program, a transport that exists. */
int remote_url_check(const char *url, struct err *e) MUST_CHECK;
/* The url as people see it. */

/* ERR_REFUSED for a name that is none, is beneath neither refs/heads nor refs/tags, or a branch that
 * is no commit; ERR_LIMIT for too many.  A name that is there already: ERR_REFUSED at
 * remote_refs_finish(), which sorts. */
int remote_refs_add(struct remote_refs *l, const char *name, const struct object_ref *target,
    struct err *e) MUST_CHECK;
int remote_refs_finish(struct remote_refs *l, struct err *e) MUST_CHECK;
const struct remote_ref *remote_refs_find(const struct remote_refs *l, const char *name);
void remote_refs_free(struct remote_refs *l);

/* The transports; remote.c has the table that says which url is whose. */
extern const struct remote_ops dir_ops, git_ops, hub_ops, static_ops, s3_ops;

#endif
