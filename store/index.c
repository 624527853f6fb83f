#include "store/index.h"

#include <string.h>
#include "base/fd.h"
#include "base/path.h"
#include "db/db.h"
#include "object/tree.h"
#include "store/history.h"
#include "store/odb-state.h"
#include "store/odb.h"
#include "store/oid-map.h"
#include "store/refs.h"

#define INDEX_APPLICATION 0x61696369u /* "aici" */
#define INDEX_VERSION 1
#define INDEX_INSIDE_MAX 100000 /* entries of one certificate's trees */
#define INDEX_HITS_MAX 100000

/* commits: those whose whole history is in outputs. */
static const char index_schema[] =
    "CREATE TABLE commits(id BLOB PRIMARY KEY NOT NULL) WITHOUT ROWID;\n"
    "CREATE TABLE outputs(id BLOB NOT NULL, type INTEGER NOT NULL, commit_id BLOB NOT NULL,"
    " path TEXT NOT NULL, cert BLOB NOT NULL, run_ok INTEGER NOT NULL, inside INTEGER NOT NULL,"
    " PRIMARY KEY(id, type, commit_id, path)) WITHOUT ROWID;\n"
    "CREATE INDEX outputs_path ON outputs(path);\n";

static int
index_open_at(const char *path, struct db **ret, struct err *e)
{
	const struct db_options options = {
		.flags = DB_CREATE,
		.application_id = INDEX_APPLICATION,
		.user_version = INDEX_VERSION,
		.schema = index_schema,
	};

	return db_open(path, &options, ret, e);
}

static void
index_remove(struct store *s)
{
	struct odb_state *o = odb_state(s);

	db_close(o->index);
	o->index = NULL;
	if (store_read_only(s))
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

	if (path == NULL)
		return -1;
	if (o->index == NULL && !store_read_only(s) && index_open_at(path, &o->index, e) != 0 &&
	    e->code != ERR_BUSY) {
		index_remove(s);
		if (index_open_at(path, &o->index, e) != 0)
			o->index = NULL;
	}
	if (o->index == NULL && index_open_at(":memory:", &o->index, e) != 0)
		return -1;
	*ret = o->index;
	return 0;
}

struct index_row {
	const struct oid *certificate, *commit;
	const char *path;
	bool run_ok, inside;
};

static int
index_insert(struct db *d, enum object_type type, const struct oid *id, const struct index_row *row,
    struct err *e)
{
	struct db_stmt *st;

	if (db_prepare(d, "INSERT OR IGNORE INTO outputs(id, type, commit_id, path, cert, run_ok, inside)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	db_bind_int(st, 2, type);
	db_bind_blob(st, 3, row->commit->b, OID_SIZE);
	db_bind_text(st, 4, row->path);
	db_bind_blob(st, 5, row->certificate->b, OID_SIZE);
	db_bind_int(st, 6, row->run_ok);
	db_bind_int(st, 7, row->inside);
	return db_step(st, e);
}

struct index_inside {
	struct store *s;
	struct db *d;
	struct index_row row;
	size_t entries;
	struct oid_map seen;
};

/* A tree that is missing or bad is left out: what is found here are hints. */
static int
index_tree(struct index_inside *in, const struct oid *id, int depth, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	bool fresh;

	if (depth > TREE_DEPTH_MAX)
		return 0;
	if (oid_map_add(&in->seen, id, 0, &fresh, e) != 0)
		return -1;
	if (!fresh || odb_read(in->s, id, TREE_BYTES_MAX, &text, NULL) != 0 ||
	    tree_decode(text.data, text.len, &t, NULL) != 0)
		return 0;
	for (size_t i = 0; i < t.count; i++) {
		const struct tree_entry *entry = &t.entries[i];
		enum object_type type = entry->mode == TREE_DIR ? OBJECT_TREE : OBJECT_BLOB;

		if (entry->mode == TREE_LINK)
			continue;
		if (++in->entries > INDEX_INSIDE_MAX)
			return 0;
		if (index_insert(in->d, type, &entry->id, &in->row, e) != 0 ||
		    (type == OBJECT_TREE && index_tree(in, &entry->id, depth + 1, e) != 0))
			return -1;
	}
	return 0;
}

static int
index_outputs(struct store *s, struct db *d, const struct oid *commit, const struct oid *certificate,
    const struct certificate *cert, struct err *e)
{
	struct index_inside in = {.s = s, .d = d, .seen = OID_MAP_INIT,
	    .row = {certificate, commit, NULL, certificate_run_ok(cert), false}};
	int rc = 0;

	for (size_t i = 0; i < cert->event_count && rc == 0; i++) {
		const struct resource *output = &cert->events[i].u.output.output;

		if (cert->events[i].kind != EVENT_OUTPUT_RESOURCE)
			continue;
		in.row.path = output->path;
		in.row.inside = false;
		rc = index_insert(d, output->type, &output->digests.sha256, &in.row, e);
		in.row.inside = true;
		if (rc == 0 && output->type == OBJECT_TREE)
			rc = index_tree(&in, &output->digests.sha256, 1, e);
	}
	oid_map_free(&in.seen);
	return rc;
}

/* 1: this commit and all before it are in the index. */
static int
index_has(struct db *d, const struct oid *id, struct err *e)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(d, "SELECT 1 FROM commits WHERE id=?1", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	rc = db_step(st, e);
	if (rc == 1)
		db_reset(st);
	return rc;
}

static int
index_mark(struct db *d, const struct oid *id, struct err *e)
{
	struct db_stmt *st;

	if (db_prepare(d, "INSERT OR IGNORE INTO commits(id) VALUES(?1)", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	return db_step(st, e);
}

/* Commits to look at, in the order they were found. */
struct index_queue {
	struct store *s;
	struct db *d;
	struct oid *ids;
	size_t count, cap;
	struct oid_map seen;
	bool gap;            /* an object is missing: nothing is marked complete */
	int rc;
	struct err *e;
};

static int
index_enqueue(struct index_queue *q, const struct oid *id)
{
	bool fresh;
	int rc = index_has(q->d, id, q->e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (oid_map_add(&q->seen, id, 0, &fresh, q->e) != 0)
		return -1;
	if (!fresh)
		return 0;
	if (q->count == q->cap) {
		size_t cap = q->cap != 0 ? q->cap * 2 : 64;
		struct oid *ids = reallocarray(q->ids, cap, sizeof *ids);

		if (ids == NULL)
			return err_nomem(q->e);
		q->ids = ids;
		q->cap = cap;
	}
	q->ids[q->count++] = *id;
	return 0;
}

static int
index_commit(struct index_queue *q, const struct oid *id)
{
	CLEANUP(commit_free) struct commit c = {0};
	CLEANUP(certificate_free) struct certificate cert = {0};

	if (history_commit(q->s, id, &c, NULL) != 0) {
		q->gap = true;
		return 0;
	}
	for (size_t i = 0; i < c.parent_count; i++)
		if (index_enqueue(q, &c.parents[i]) != 0)
			return -1;
	if (c.kind != COMMIT_RUN)
		return 0;
	if (history_certificate(q->s, &c.subject.id, &cert, NULL) != 0) {
		q->gap = true;
		return 0;
	}
	return index_outputs(q->s, q->d, id, &c.subject.id, &cert, q->e);
}

static int
index_drain(struct index_queue *q)
{
	for (size_t i = 0; i < q->count; i++)
		if (index_commit(q, &q->ids[i]) != 0)
			return -1;
	for (size_t i = 0; i < q->count && !q->gap; i++)
		if (index_mark(q->d, &q->ids[i], q->e) != 0)
			return -1;
	return 0;
}

static int
index_enqueue_ref(void *arg, const char *name, const struct object_ref *ref)
{
	struct index_queue *q = arg;

	(void)name;
	if (ref->type == OBJECT_COMMIT)
		q->rc = index_enqueue(q, &ref->id);
	return q->rc != 0;
}

/* tip NULL: from every ref.  One transaction: all of it or nothing. */
static int
index_catch_up(struct store *s, struct db *d, const struct oid *tip, struct err *e)
{
	struct index_queue q = {.s = s, .d = d, .seen = OID_MAP_INIT, .e = e};
	int rc;

	if (tip != NULL)
		rc = index_enqueue(&q, tip);
	else
		rc = refs_each(s, "refs/", index_enqueue_ref, &q, e) != 0 ? -1 : q.rc;
	if (rc == 0 && q.count > 0) {
		rc = db_begin(d, e);
		if (rc == 0 && index_drain(&q) != 0) {
			db_rollback(d);
			rc = -1;
		}
		if (rc == 0)
			rc = db_commit(d, e);
	}
	free(q.ids);
	oid_map_free(&q.seen);
	return rc;
}

/* An index that fails in use is thrown away once and made again. */
static int
index_ready(struct store *s, const struct oid *tip, struct db **ret, struct err *e)
{
	if (index_open(s, ret, e) != 0)
		return -1;
	if (index_catch_up(s, *ret, tip, e) == 0)
		return 0;
	if (e->code != ERR_CORRUPT && e->code != ERR_FORMAT)
		return -1;
	index_remove(s);
	return index_open(s, ret, e) != 0 ? -1 : index_catch_up(s, *ret, NULL, e);
}

int
index_add(struct store *s, const struct oid *commit_id, struct err *e)
{
	struct db *d;
	struct err local;

	return index_ready(s, commit_id, &d, e != NULL ? e : &local);
}

int
index_rebuild(struct store *s, struct err *e)
{
	struct db *d;
	struct err local;

	index_remove(s);
	return index_ready(s, NULL, &d, e != NULL ? e : &local);
}

struct index_hits {
	struct index_hit *hits;  /* paths are malloc'd */
	size_t count, cap;
};

static void
index_hits_free(struct index_hits *h)
{
	for (size_t i = 0; i < h->count; i++)
		free((char *)(uintptr_t)h->hits[i].path);
	free(h->hits);
}

/* Rows that cannot be are left out. */
static int
index_hits_add(struct index_hits *h, struct db_stmt *st, struct err *e)
{
	const char *path = db_text(st, 2);
	struct index_hit hit = {.run_ok = db_int(st, 3) != 0};
	const void *commit, *certificate;
	size_t commit_len, certificate_len;

	commit = db_blob(st, 0, &commit_len);
	certificate = db_blob(st, 1, &certificate_len);
	if (commit_len != OID_SIZE || certificate_len != OID_SIZE || path_check(path, NULL) != 0)
		return 0;
	if (h->count == h->cap) {
		size_t cap = h->cap != 0 ? h->cap * 2 : 16;
		struct index_hit *hits = reallocarray(h->hits, cap, sizeof *hits);

		if (hits == NULL)
			return err_nomem(e);
		h->hits = hits;
		h->cap = cap;
	}
	memcpy(hit.commit.b, commit, OID_SIZE);
	memcpy(hit.certificate.b, certificate, OID_SIZE);
	hit.path = buf_strdup(path, e);
	if (hit.path == NULL)
		return -1;
	h->hits[h->count++] = hit;
	return 0;
}

/* All rows first: fn may use the index itself. */
static int
index_tell(struct db_stmt *st, index_each_fn *fn, void *arg, struct err *e)
{
	CLEANUP(index_hits_free) struct index_hits h = {0};
	int rc;

	while ((rc = db_step(st, e)) == 1)
		if (h.count == INDEX_HITS_MAX || index_hits_add(&h, st, e) != 0) {
			db_reset(st);
			if (h.count < INDEX_HITS_MAX)
				return -1;
			break;
		}
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < h.count; i++)
		if (fn(arg, &h.hits[i]) != 0)
			break;
	return 0;
}

int
index_by_output(struct store *s, enum object_type type, const struct oid *id, index_each_fn *fn,
    void *arg, struct err *e)
{
	struct err local;
	struct db_stmt *st;
	struct db *d;

	if (e == NULL)
		e = &local;
	if (index_ready(s, NULL, &d, e) != 0 || db_prepare(d, "SELECT commit_id, cert, path, run_ok"
	    " FROM outputs WHERE id=?1 AND type=?2 ORDER BY commit_id, path", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	db_bind_int(st, 2, type);
	return index_tell(st, fn, arg, e);
}

int
index_by_path(struct store *s, const char *path, index_each_fn *fn, void *arg, struct err *e)
{
	struct err local;
	struct db_stmt *st;
	struct db *d;

	if (e == NULL)
		e = &local;
	if (index_ready(s, NULL, &d, e) != 0 || db_prepare(d, "SELECT commit_id, cert, path, run_ok"
	    " FROM outputs WHERE path=?1 AND inside=0 ORDER BY commit_id", &st, e) != 0)
		return -1;
	db_bind_text(st, 1, path);
	return index_tell(st, fn, arg, e);
}
