#include "store/index.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "object/oid-list.h"
#include "store/index-db.h"
#include "store/odb-state.h"
#include "store/refs.h"

#define INDEX_APPLICATION 0x61696369u /* "aici" */
#define INDEX_VERSION 2

/*
 * commits: those whose whole history is in, as far as it could be read.  A chain
 * is a line of first parents; all other ways from a commit to its parents are
 * links.  edges: key is the beginning of an id, n a commit or a tree.  gaps:
 * commits and certificates that could not be read.
 */
static const char index_schema[] =
    "CREATE TABLE commits(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, chain INTEGER NOT NULL,"
    " pos INTEGER NOT NULL, cert BLOB);\n"
    "CREATE UNIQUE INDEX commits_place ON commits(chain, pos);\n"
    "CREATE TABLE links(chain INTEGER NOT NULL, pos INTEGER NOT NULL, to_chain INTEGER NOT NULL,"
    " to_pos INTEGER NOT NULL, PRIMARY KEY(chain, pos, to_chain, to_pos)) WITHOUT ROWID;\n"
    "CREATE TABLE edges(key INTEGER NOT NULL, role INTEGER NOT NULL, n INTEGER NOT NULL,"
    " PRIMARY KEY(key, role, n)) WITHOUT ROWID;\n"
    "CREATE TABLE trees(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, there INTEGER NOT NULL);\n"
    "CREATE INDEX trees_absent ON trees(n) WHERE there=0;\n"
    "CREATE TABLE gaps(id BLOB PRIMARY KEY NOT NULL, intact INTEGER NOT NULL) WITHOUT ROWID;\n";

static int
index_open_at(const char *path, bool create, struct db **ret, struct err *e)
{
	const struct db_options options = {
		.flags = create ? DB_CREATE : 0,
		.application_id = INDEX_APPLICATION,
		.user_version = INDEX_VERSION,
		.schema = index_schema,
		.durable = true,
	};
	struct db *d;

	if (db_open(path, &options, &d, e) != 0)
		return -1;
	if (db_exec(d, "PRAGMA cache_size=-65536", e) != 0) {
		db_close(d);
		return -1;
	}
	*ret = d;
	return 0;
}

/* A store that was opened to be read has its cache kept up to date all the same. */
static bool
index_writable(struct store *s)
{
	return faccessat(store_dirfd(s), ".", W_OK, AT_EACCESS) == 0;
}

static void
index_close(struct store *s)
{
	struct odb_state *o = odb_state(s);

	db_close(o->index);
	o->index = NULL;
}

static void
index_remove(struct store *s)
{
	index_close(s);
	if (!index_writable(s))
		return;
	unlinkat(store_dirfd(s), "index.db", 0);
	unlinkat(store_dirfd(s), "index.db-journal", 0);
}

/* Whatever is wrong with the file: it is thrown away and made again, or, where
 * nothing can be written, made in memory. */
static int
index_open(struct store *s, struct db **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/index.db", store_path(s));
	struct odb_state *o = odb_state(s);
	bool create = index_writable(s);

	if (path == NULL)
		return -1;
	if (o->index == NULL && index_open_at(path, create, &o->index, e) != 0 && create &&
	    e->code != ERR_BUSY) {
		index_remove(s);
		if (index_open_at(path, true, &o->index, e) != 0)
			o->index = NULL;
	}
	if (o->index == NULL && index_open_at(":memory:", true, &o->index, e) != 0)
		return -1;
	*ret = o->index;
	return 0;
}

struct index_tips {
	struct db *d;
	struct oid_list lacks;  /* of the index */
	int rc;
	struct err *e;
};

static int
index_tip(struct index_tips *t, const struct object_ref *ref)
{
	struct index_place place;
	int rc;

	if (ref->type != OBJECT_COMMIT)
		return 0;
	rc = index_has(t->d, &ref->id, &place, t->e);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return oid_list_add(&t->lacks, &ref->id, t->e);
}

static int
index_tip_of_ref(void *arg, const char *name, const struct object_ref *ref)
{
	struct index_tips *t = arg;

	(void)name;
	t->rc = index_tip(t, ref);
	return t->rc != 0;
}

static int
index_tips(struct store *s, struct index_tips *t)
{
	struct object_ref head;

	if (refs_each(s, "refs/", index_tip_of_ref, t, t->e) != 0 || t->rc != 0)
		return -1;
	if (refs_read(s, "HEAD", &head, t->e) != 0)
		return t->e->code == ERR_NOTFOUND ? 0 : -1;
	return index_tip(t, &head); /* it may be detached */
}

/* only: this commit alone; NULL: every ref and HEAD. */
static int
index_catch_up(struct store *s, struct db *d, const struct oid *only, bool *ret_stale,
    bool *ret_complete, struct err *e)
{
	struct index_tips tips = {.d = d, .e = e};
	const struct object_ref ref = {OBJECT_COMMIT, only != NULL ? *only : (struct oid){{0}}};
	int rc = only != NULL ? index_tip(&tips, &ref) : index_tips(s, &tips);

	if (rc == 0 && tips.lacks.count > 0)
		rc = index_build(s, d, tips.lacks.ids, tips.lacks.count, e);
	oid_list_free(&tips.lacks);
	return rc != 0 ? -1 : index_gaps(s, d, ret_stale, ret_complete, e);
}

int
index_ready(struct store *s, const struct oid *only, struct db **ret, bool *ret_complete,
    struct err *e)
{
	bool stale = false;

	if (index_open(s, ret, e) != 0)
		return -1;
	if (index_catch_up(s, *ret, only, &stale, ret_complete, e) == 0) {
		if (!stale)
			return 0;
	} else if (e->code == ERR_DENIED || e->code == ERR_IO) { /* a file that cannot be written */
		index_close(s);
		if (index_open_at(":memory:", true, &odb_state(s)->index, e) != 0)
			return -1;
		*ret = odb_state(s)->index;
		return index_catch_up(s, *ret, only, &stale, ret_complete, e);
	} else if (e->code != ERR_CORRUPT && e->code != ERR_FORMAT) {
		return -1;
	}
	index_remove(s);
	if (index_open(s, ret, e) != 0)
		return -1;
	return index_catch_up(s, *ret, NULL, &stale, ret_complete, e);
}

int
index_add(struct store *s, const struct oid *commit_id, struct err *e)
{
	bool complete;
	struct db *d;
	struct err local;

	return index_ready(s, commit_id, &d, &complete, e != NULL ? e : &local);
}

int
index_rebuild(struct store *s, struct err *e)
{
	bool complete;
	struct db *d;
	struct err local;

	index_remove(s);
	return index_ready(s, NULL, &d, &complete, e != NULL ? e : &local);
}

int
index_check(struct store *s, struct err *e)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(e, "%s/index.db", store_path(s));
	struct db_stmt *st;
	struct db *d;
	int rc;

	if (path == NULL)
		return -1;
	if (index_open_at(path, false, &d, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	rc = db_prepare(d, "PRAGMA integrity_check(1)", &st, e) != 0 ? -1 : db_step(st, e);
	if (rc == 1)
		rc = strcmp(db_text(st, 0), "ok") == 0 ? 0 :
		    err_set(e, ERR_CORRUPT, "%s: %s", path, db_text(st, 0));
	db_close(d);
	return rc != 0 ? -1 : 0;
}

void
index_discard(struct store *s)
{
	index_remove(s);
}
