#include "store/in-place.h"

#include <fcntl.h>
#include <string.h>
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "db/db.h"
#include "store/lease.h"
#include "store/odb-file.h"
#include "store/odb-state.h"

#define IN_PLACE_APPLICATION 0x61696372u /* "aicr" */
#define IN_PLACE_VERSION 1

static const char in_place_schema[] =
    "CREATE TABLE files(id BLOB NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL,"
    " mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL,"
    " PRIMARY KEY(id, path)) WITHOUT ROWID;\n";

/* 1: open, 0: there is none */
static int
in_place_open(struct store *s, bool create, struct err *e)
{
	struct odb_state *o = odb_state(s);
	CLEANUP(cleanup_free) char *path = NULL;
	const struct db_options options = {
		.flags = create ? DB_CREATE : 0,
		.application_id = IN_PLACE_APPLICATION,
		.user_version = IN_PLACE_VERSION,
		.schema = in_place_schema,
		.durable = true,
		.shrinks = true,
		.network = store_filesystem(s)->network,
	};

	if (o->in_place != NULL)
		return 1;
	path = buf_strfmt(e, "%s/in-place.db", store_path(s));
	if (path == NULL)
		return -1;
	if (db_open(path, &options, &o->in_place, e) == 0)
		return 1;
	return e->code == ERR_NOTFOUND ? 0 : -1;
}

static int64_t
in_place_ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

int
in_place_lock(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);
	int rc = o->referring ? 0 : in_place_open(s, false, e);

	if (rc != 1)
		return rc;
	if (db_begin(o->in_place, e) != 0)
		return -1;
	o->referring = true;
	o->referring_since = timestamp_now();
	return 0;
}

int
in_place_flush(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);

	if (!o->referring)
		return 0;
	o->referring = false;
	return db_commit(o->in_place, e);
}

void
in_place_rollback(struct store *s)
{
	struct odb_state *o = odb_state(s);

	if (o->referring)
		db_rollback(o->in_place);
	o->referring = false;
}

static int
in_place_insert(struct db *d, const struct oid *id, const char *path, const struct stat *st,
    struct err *e)
{
	struct db_stmt *q;

	if (db_prepare(d, "INSERT OR REPLACE INTO files(id, path, size, mtime, ctime, inode)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &q, e) != 0)
		return -1;
	db_bind_blob(q, 1, id->b, OID_SIZE);
	db_bind_text(q, 2, path);
	db_bind_int(q, 3, st->st_size);
	db_bind_int(q, 4, in_place_ns(&st->st_mtim));
	db_bind_int(q, 5, in_place_ns(&st->st_ctim));
	db_bind_int(q, 6, (int64_t)st->st_ino);
	return db_step(q, e);
}

int
in_place_add(struct store *s, const struct oid *id, int fd, const char *path, struct err *e)
{
	struct odb_state *o = odb_state(s);
	struct stat st;
	int rc;

	if (path_check(path, e) != 0)
		return -1;
	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", path);
	/* the record outlives a power loss: so must the bytes */
	if (lease_add(s, id, 1, e) != 0 || fd_sync(fd, path, e) != 0 ||
	    in_place_open(s, true, e) != 1 || in_place_lock(s, e) != 0)
		return -1;
	rc = in_place_insert(o->in_place, id, path, &st, e);
	/* others wait for the lock for a second or so at most */
	if (rc == 0 && (o->batch == 0 || timestamp_now() > o->referring_since + 1))
		rc = in_place_flush(s, e);
	if (rc != 0) {
		in_place_rollback(s);
		o->failed = true;
	}
	return rc;
}

/* A row of "SELECT id, path, size, mtime, ctime, inode"; path is copied to *ret_path. */
static int
in_place_row(struct store *s, struct db_stmt *q, struct in_place_file *ret, char **ret_path,
    struct err *e)
{
	const void *id;
	size_t len;
	char *path;

	id = db_blob(q, 0, &len);
	if (len != OID_SIZE || path_check(db_text(q, 1), e) != 0)
		return err_set(e, ERR_CORRUPT, "%s/in-place.db: a row that is none", store_path(s));
	path = buf_strdup(db_text(q, 1), e);
	if (path == NULL)
		return -1;
	memcpy(ret->id.b, id, OID_SIZE);
	ret->path = path;
	ret->size = (uint64_t)db_int(q, 2);
	ret->mtime_ns = db_int(q, 3);
	ret->ctime_ns = db_int(q, 4);
	ret->inode = (uint64_t)db_int(q, 5);
	*ret_path = path;
	return 0;
}

/* The first row after (id, path): 1, 0 at the end, -1.  It must ascend, so that a b-tree
 * with cycles ends. */
static int
in_place_next(struct store *s, struct in_place_file *at, char **path, struct err *e)
{
	CLEANUP(cleanup_free) char *old = *path;
	struct in_place_file f;
	struct db_stmt *q;
	int rc;

	*path = NULL;
	if (db_prepare(odb_state(s)->in_place, "SELECT id, path, size, mtime, ctime, inode FROM files"
	    " WHERE (id, path)>(?1, ?2) ORDER BY id, path LIMIT 1", &q, e) != 0)
		return -1;
	db_bind_blob(q, 1, at->id.b, OID_SIZE);
	db_bind_text(q, 2, old != NULL ? old : "");
	rc = db_step(q, e);
	if (rc != 1)
		return rc;
	rc = in_place_row(s, q, &f, path, e);
	db_reset(q);
	if (rc != 0)
		return -1;
	rc = oid_compare(&f.id, &at->id);
	if (rc < 0 || (rc == 0 && strcmp(f.path, old != NULL ? old : "") <= 0))
		return err_set(e, ERR_CORRUPT, "%s/in-place.db: out of order", store_path(s));
	*at = f;
	return 1;
}

int
in_place_each(struct store *s, in_place_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	struct in_place_file at = {.size = 0};
	int rc = in_place_open(s, false, e);

	if (rc != 1)
		return rc;
	while ((rc = in_place_next(s, &at, &path, e)) == 1)
		if (fn(arg, &at) != 0)
			return 0;
	return rc;
}

/* Opened beneath the work tree, no link on the way: what a store made by others names
 * elsewhere is not there. */
static int
in_place_open_file(struct store *s, const struct in_place_file *f, struct source *ret, struct err *e)
{
	struct source p = SOURCE_INIT;
	enum in_place_state state;
	int fd = fd_open_beneath(store_worktree_fd(s), f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	int rc;

	if (fd < 0)
		return source_absent(e) ? 0 : -1;
	rc = source_take(fd, &p, e, "%s/%s", store_worktree(s), f->path);
	if (rc != 1)
		return rc;
	if (p.size != f->size || in_place_look(s, f, &state, e) != 0) {
		rc = p.size != f->size ? 0 : -1;
		source_close(&p);
		return rc;
	}
	p.steady = state == IN_PLACE_SAME;
	*ret = p;
	return 1;
}

int
in_place_find(struct store *s, const struct oid *id, bool steady, unsigned *nth, struct source *ret,
    struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	struct in_place_file at = {.id = *id};
	int rc = odb_state(s)->alone ? 0 : in_place_open(s, false, e);

	if (rc != 1)
		return rc;
	while ((rc = in_place_next(s, &at, &path, e)) == 1 && oid_equal(&at.id, id)) {
		struct source p = SOURCE_INIT;

		rc = in_place_open_file(s, &at, &p, e);
		if (rc < 0)
			return -1;
		if (rc == 1 && p.steady == steady && (*nth)-- == 0) {
			*ret = p;
			return 1;
		}
		source_close(&p);
	}
	return rc < 0 ? -1 : 0;
}

int
in_place_any(struct store *s, bool *ret, struct err *e)
{
	int rc = odb_state(s)->alone ? 0 : in_place_open(s, false, e);

	*ret = rc == 1;
	return rc < 0 ? -1 : 0;
}

int
in_place_look(struct store *s, const struct in_place_file *f, enum in_place_state *ret, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(store_worktree_fd(s), f->path, O_PATH, 0, e);
	struct stat st;

	if (fd < 0 && !source_absent(e))
		return -1;
	if (fd >= 0 && fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", f->path);
	if (fd < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != f->size)
		*ret = IN_PLACE_LOST;
	else
		*ret = in_place_ns(&st.st_mtim) == f->mtime_ns && in_place_ns(&st.st_ctim) == f->ctime_ns &&
		    st.st_ino == f->inode ? IN_PLACE_SAME : IN_PLACE_TOUCHED;
	return 0;
}

int
in_place_verify(struct store *s, const struct in_place_file *f, enum in_place_state *ret, struct err *e)
{
	CLEANUP(source_close) struct source p = SOURCE_INIT;
	int rc = in_place_open_file(s, f, &p, e);
	struct oid found;
	uint64_t size;

	if (rc < 0 || (rc == 1 && odb_file_hash(p.fd, p.path, &found, &size, e) != 0))
		return -1;
	*ret = rc == 1 && oid_equal(&found, &f->id) ? IN_PLACE_SAME : IN_PLACE_LOST;
	return 0;
}

int
in_place_delete(struct store *s, const struct oid *id, struct err *e)
{
	struct odb_state *o = odb_state(s);
	struct db_stmt *q;

	if (o->in_place == NULL)
		return 0;
	if (db_prepare(o->in_place, "DELETE FROM files WHERE id=?1", &q, e) != 0)
		return -1;
	db_bind_blob(q, 1, id->b, OID_SIZE);
	return db_step(q, e);
}
