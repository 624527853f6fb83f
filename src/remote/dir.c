/* A store on this machine, or on a file system that others write too. */
#include "remote/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/interrupt.h"
#include "base/path.h"
#include "store/odb.h"
#include "store/part.h"
#include "store/refs.h"

#define DIR_BATCH 2000

struct dir {
	struct store *store;    /* NULL: not there yet */
	char *path;             /* of the store */
	bool bare;              /* nobody works in it */
};

static void
dir_close(struct remote *r)
{
	struct dir *d = r->state;

	store_close(d->store);
	free(d->path);
	free(d);
	r->state = NULL;
}

/* *ret: where the store is, malloc'd: the directory itself, or .aicert in it. */
static int
dir_locate(const char *url, char **ret, bool *ret_bare, struct err *e)
{
	const char *path = strncmp(url, "file://", 7) == 0 ? url + 7 : url;
	CLEANUP(cleanup_free) char *inside = buf_strfmt(e, "%s/" STORE_NAME, path);
	struct stat st;

	if (inside == NULL)
		return -1;
	if (path != url && (*path != '/' || strchr(path, '%') != NULL))
		return err_set(e, ERR_USAGE, "%s: give a plain absolute path: file:///DIR", url);
	*ret_bare = lstat(inside, &st) != 0;
	if (strcmp(path_base(path), STORE_NAME) == 0)
		*ret_bare = false;
	*ret = buf_strdup(lstat(inside, &st) == 0 ? inside : path, e);
	return *ret != NULL ? 0 : -1;
}

/* An empty directory counts as none: the first push makes a store of it. */
static bool
dir_absent(const char *path)
{
	CLEANUP(cleanup_free) char *config = buf_strfmt(NULL, "%s/config", path);
	struct stat st;

	return lstat(path, &st) != 0 ? errno == ENOENT :
	    config != NULL && S_ISDIR(st.st_mode) && lstat(config, &st) != 0 && errno == ENOENT;
}

static int
dir_open(struct remote *r, struct err *e)
{
	struct dir *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_nomem(e);
	r->state = d;
	if (dir_locate(r->url, &d->path, &d->bare, e) != 0)
		return -1;
	if (dir_absent(d->path))
		return r->writing ? 0 : err_set(e, ERR_NOTFOUND, "%s: no store there", d->path);
	return store_open(d->path, r->writing ? 0 : STORE_READ_ONLY, &d->store, e);
}

static int
dir_make(struct dir *d, struct err *e)
{
	bool created;

	if (d->store != NULL)
		return 0;
	return store_init_bare(d->path, &created, e) != 0 ? -1 : store_open(d->path, 0, &d->store, e);
}

struct dir_lister {
	struct remote_refs *refs;
	int rc;
	struct err *e;
};

static int
dir_ref(void *arg, const char *name, const struct object_ref *ref)
{
	struct dir_lister *l = arg;

	l->rc = remote_refs_add(l->refs, name, ref, l->e);
	return l->rc;
}

static int
dir_refs(struct remote *r, struct remote_refs *ret, struct err *e)
{
	struct dir *d = r->state;
	struct dir_lister l = {ret, 0, e};

	if (d->store == NULL)
		return 0;
	if (refs_each(d->store, "refs/heads/", dir_ref, &l, e) != 0 || l.rc != 0 ||
	    refs_each(d->store, "refs/tags/", dir_ref, &l, e) != 0 || l.rc != 0 ||
	    refs_head(d->store, &ret->head, e) != 0)
		return -1;
	return remote_refs_finish(ret, e);
}

/* First relied on, then looked for (rule 12 of store/FORMAT.md). */
static int
dir_missing(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct dir *d = r->state;

	for (size_t i = 0; i < n; i++) {
		bool there = false;

		if (d->store != NULL && (odb_keep(d->store, &items[i].ref.id, 1, e) != 0 ||
		    odb_find_own(d->store, &items[i].ref.id, &there, e) != 0))
			return -1;
		items[i].state = there ? REMOTE_HAS : REMOTE_LACKS;
	}
	return 0;
}

static int
dir_read(struct remote *r, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	struct dir *d = r->state;

	return odb_read_raw(d->store, id, max, ret, e);
}

/* One way or the other. */
struct dir_way {
	struct remote *r;
	struct store *from, *to;
	struct progress progress;
};

static int
dir_copy(struct dir_way *w, const struct remote_item *item, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	char hex[OID_HEX_SIZE];
	struct part_source source = {.what = hex, .progress = &w->progress};

	oid_hex(&item->ref.id, hex);
	if (odb_open(w->from, &item->ref.id, &fd, &source.size, e) != 0)
		return -1;
	source.fd = fd;
	if (item->exact ? source.size != item->size : source.size > item->size)
		return err_set(e, ERR_REFUSED, "object %s has %llu bytes, %llu were promised", hex,
		    (unsigned long long)source.size, (unsigned long long)item->size);
	return part_copy(w->to, &item->ref.id, &source, e);
}

/* The other side as a whole, not one object. */
static bool
dir_fatal(const struct err *e)
{
	return e->code == ERR_CANCELLED || e->code == ERR_NOMEM || e->code == ERR_DENIED ||
	    (e->code == ERR_IO && (e->sys == ENOSPC || e->sys == EDQUOT || e->sys == EROFS));
}

static int
dir_move(struct dir_way *w, struct remote_item *item, struct err *e)
{
	char hex[OID_HEX_SIZE];

	if (dir_copy(w, item, e) == 0) {
		item->state = REMOTE_HAS;
		return 0;
	}
	if (dir_fatal(e))
		return -1;
	item->state = e->code == ERR_NOTFOUND ? REMOTE_LACKS : REMOTE_FAILED;
	oid_hex(&item->ref.id, hex);
	if (item->state == REMOTE_FAILED)
		notice_say(&w->r->notice, "object %s: %s", hex, e->msg);
	return 0;
}

static int
dir_move_all(struct dir_way *w, struct remote_item *items, size_t n, struct err *e)
{
	uint64_t total = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		total += items[i].exact ? items[i].size : 0;
	progress_start(&w->progress, w->r->progress, w->to == w->r->store ? "fetching" : "sending", total);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (i % DIR_BATCH == 0)
			rc = odb_batch_begin(w->to, e);
		if (rc == 0 && (interrupt_check(e) != 0 || dir_move(w, &items[i], e) != 0)) {
			odb_batch_abort(w->to);
			rc = -1;
		}
		if (rc == 0 && (i % DIR_BATCH == DIR_BATCH - 1 || i == n - 1))
			rc = odb_batch_end(w->to, e);
	}
	progress_end(&w->progress);
	return rc;
}

static int
dir_get(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct dir_way w = {.r = r, .from = ((struct dir *)r->state)->store, .to = r->store};

	return dir_move_all(&w, items, n, e);
}

static int
dir_put(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct dir *d = r->state;
	struct dir_way w = {.r = r, .from = r->store};

	if (dir_make(d, e) != 0)
		return -1;
	w.to = d->store;
	return dir_move_all(&w, items, n, e);
}

/* In a store that somebody works in the current branch is his. */
static int
dir_check_branch(const struct dir *d, const char *name, struct err *e)
{
	CLEANUP(cleanup_free) char *head = NULL;

	if (d->bare)
		return 0;
	if (refs_head(d->store, &head, e) != 0)
		return -1;
	if (head != NULL && strcmp(head, name) == 0)
		return err_set(e, ERR_DENIED, "%s: %s is the current branch of whoever works there: it is"
		    " not moved under their feet (pull there, or push to a directory of its own)",
		    d->path, name);
	return 0;
}

static int
dir_update_one(const struct dir *d, const struct remote_update *u, struct err *e)
{
	const struct refs_change change = {
		.name = u->name, .old = u->has_old ? &u->old : NULL,
		.new_ = u->has_new ? &u->new_ : NULL, .author = "push <push@localhost>",
		.message = u->has_new ? "push" : "delete by push",
	};

	if (u->has_old && u->has_new && u->old.type == u->new_.type && oid_equal(&u->old.id, &u->new_.id))
		return 0;
	return dir_check_branch(d, u->name, e) != 0 ? -1 : refs_update(d->store, &change, e);
}

/* What is missing there from now on is no damage: before a ref says otherwise. */
static int
dir_partial(const struct remote *r, const struct dir *d, struct err *e)
{
	CLEANUP(config_closep) struct config *c = NULL;

	if (!r->partial || store_partial(d->store))
		return 0;
	return config_open(d->store, &c, e) != 0 ? -1 : config_set(c, false, "store.partial", "true", e);
}

static int
dir_update(struct remote *r, struct remote_update *updates, size_t n, struct err *e)
{
	struct dir *d = r->state;

	if (dir_make(d, e) != 0 || dir_partial(r, d, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct remote_update *u = &updates[i];

		if (dir_update_one(d, u, e) == 0) {
			u->state = REMOTE_HAS;
			continue;
		}
		if (dir_fatal(e) && e->code != ERR_DENIED)
			return -1;
		u->state = e->code == ERR_CONFLICT || e->code == ERR_NOTFOUND ? REMOTE_LACKS : REMOTE_FAILED;
		if (u->state == REMOTE_FAILED)
			notice_say(&r->notice, "%s: %s", u->name, e->msg);
	}
	return 0;
}

const struct remote_ops dir_ops = {
	.name = "dir", .open = dir_open, .close = dir_close, .refs = dir_refs, .missing = dir_missing,
	.read = dir_read, .get = dir_get, .put = dir_put, .update = dir_update,
};
