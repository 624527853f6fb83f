#include "serve/ledger.h"

#include <pthread.h>
#include <string.h>
#include "db/db.h"

#define LEDGER_APPLICATION 0x41435344   /* "ACSD" */
#define LEDGER_VERSION 1

static const char ledger_schema[] =
    "CREATE TABLE owner(principal TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY(principal, id))"
    " WITHOUT ROWID;\n"
    "CREATE TABLE reach(id BLOB NOT NULL PRIMARY KEY, mark INTEGER NOT NULL) WITHOUT ROWID;\n"
    "CREATE TABLE run(id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, state TEXT NOT NULL,"
    " created INTEGER NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL,"
    " log INTEGER NOT NULL, dropped INTEGER NOT NULL, certificate BLOB, size INTEGER NOT NULL,"
    " error INTEGER NOT NULL, detail TEXT NOT NULL, request BLOB);\n";

struct ledger {
	pthread_mutex_t lock;
	struct db *db;
	bool closed;            /* marks are there that should not be */
};

int
ledger_open(const char *path, struct ledger **ret, struct err *e)
{
	const struct db_options o = {
		.flags = DB_CREATE, .application_id = LEDGER_APPLICATION, .user_version = LEDGER_VERSION,
		.schema = ledger_schema, .durable = true,
	};
	struct ledger *l = calloc(1, sizeof *l);

	if (l == NULL)
		return err_nomem(e);
	if (db_open(path, &o, &l->db, e) != 0) {
		free(l);
		return -1;
	}
	pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return 0;
}

void
ledger_close(struct ledger *l)
{
	if (l == NULL)
		return;
	db_close(l->db);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* A statement without rows. */
static int
ledger_do(struct db_stmt *st, struct err *e)
{
	int rc = db_step(st, e);

	db_reset(st);
	return rc < 0 ? -1 : 0;
}

typedef int ledger_work(struct db *db, const void *arg, struct err *e);

/* One transaction. */
static int
ledger_change(struct ledger *l, ledger_work *work, const void *arg, struct err *e)
{
	int rc;

	pthread_mutex_lock(&l->lock);
	rc = db_begin(l->db, e);
	if (rc == 0) {
		rc = work(l->db, arg, e);
		if (rc == 0)
			rc = db_commit(l->db, e);
		if (rc != 0)
			db_rollback(l->db);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

struct ledger_ids {
	const char *principal;
	const struct oid *ids;
	size_t n;
};

static int
ledger_own_work(struct db *db, const void *arg, struct err *e)
{
	const struct ledger_ids *w = arg;
	struct db_stmt *st;

	if (db_prepare(db, "INSERT OR IGNORE INTO owner(principal, id) VALUES(?1, ?2)", &st, e) != 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		db_bind_text(st, 1, w->principal);
		db_bind_blob(st, 2, w->ids[i].b, OID_SIZE);
		if (ledger_do(st, e) != 0)
			return -1;
	}
	return 0;
}

int
ledger_own(struct ledger *l, const char *principal, const struct oid *ids, size_t n, struct err *e)
{
	const struct ledger_ids w = {.principal = principal, .ids = ids, .n = n};

	return ledger_change(l, ledger_own_work, &w, e);
}

int
ledger_owns(struct ledger *l, const char *principal, const struct oid *id, struct err *e)
{
	struct db_stmt *st;
	int rc = -1;

	pthread_mutex_lock(&l->lock);
	if (db_prepare(l->db, "SELECT 1 FROM owner WHERE principal = ?1 AND id = ?2", &st, e) == 0) {
		db_bind_text(st, 1, principal);
		db_bind_blob(st, 2, id->b, OID_SIZE);
		rc = db_step(st, e);
		db_reset(st);
	}
	pthread_mutex_unlock(&l->lock);
	return rc;
}

/* reach.mark: an enum ledger_reach, and bits for what was proved. */
#define LEDGER_REACH_BITS 3
#define LEDGER_PROVED(reach) ((int64_t)(reach) << 2)

struct ledger_marks {
	int64_t mark;
	struct ledger_item *items;
	size_t n;
};

/* 0: none */
static int
ledger_read_mark(struct db *db, const struct oid *id, int64_t *ret, struct err *e)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(db, "SELECT mark FROM reach WHERE id = ?1", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	rc = db_step(st, e);
	if (rc >= 0)
		*ret = rc == 0 ? 0 : db_int(st, 0);
	db_reset(st);
	return rc < 0 ? -1 : 0;
}

static int
ledger_reach_work(struct db *db, const void *arg, struct err *e)
{
	const struct ledger_marks *w = arg;
	struct db_stmt *st;

	if (db_prepare(db, "INSERT INTO reach(id, mark) VALUES(?1, ?2) ON CONFLICT(id)"
	    " DO UPDATE SET mark = max(mark & 3, ?2 & 3) | ((mark | ?2) & ~3)", &st, e) != 0)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		struct ledger_item *item = &w->items[i];

		if (ledger_read_mark(db, &item->id, &item->before, e) != 0)
			return -1;
		db_bind_blob(st, 1, item->id.b, OID_SIZE);
		db_bind_int(st, 2, w->mark | (item->proved ? LEDGER_PROVED(w->mark) : 0));
		if (ledger_do(st, e) != 0)
			return -1;
	}
	return 0;
}

int
ledger_reach_add(struct ledger *l, enum ledger_reach reach, struct ledger_item *items, size_t n,
    struct err *e)
{
	const struct ledger_marks w = {.mark = reach, .items = items, .n = n};

	return ledger_change(l, ledger_reach_work, &w, e);
}

/* Backwards: an id that is there twice had its first mark before the first. */
static int
ledger_undo_work(struct db *db, const void *arg, struct err *e)
{
	const struct ledger_marks *w = arg;
	struct db_stmt *set, *drop, *st;

	if (db_prepare(db, "UPDATE reach SET mark = ?2 WHERE id = ?1", &set, e) != 0 ||
	    db_prepare(db, "DELETE FROM reach WHERE id = ?1", &drop, e) != 0)
		return -1;
	for (size_t i = w->n; i > 0; i--) {
		const struct ledger_item *item = &w->items[i - 1];

		st = item->before != 0 ? set : drop;
		db_bind_blob(st, 1, item->id.b, OID_SIZE);
		if (item->before != 0)
			db_bind_int(st, 2, item->before);
		if (ledger_do(st, e) != 0)
			return -1;
	}
	return 0;
}

static void
ledger_set_closed(struct ledger *l, bool closed)
{
	pthread_mutex_lock(&l->lock);
	l->closed = closed;
	pthread_mutex_unlock(&l->lock);
}

void
ledger_reach_undo(struct ledger *l, const struct ledger_item *items, size_t n)
{
	const struct ledger_marks w = {.items = (struct ledger_item *)(uintptr_t)items, .n = n};
	struct err ignored;

	if (ledger_change(l, ledger_undo_work, &w, &ignored) != 0)
		ledger_set_closed(l, true);
}

void
ledger_reach_close(struct ledger *l)
{
	ledger_set_closed(l, true);
}

bool
ledger_reach_closed(struct ledger *l)
{
	bool closed;

	pthread_mutex_lock(&l->lock);
	closed = l->closed;
	pthread_mutex_unlock(&l->lock);
	return closed;
}

static enum ledger_reach
ledger_reach_of(int64_t bits)
{
	return (bits & LEDGER_PUBLIC) != 0 ? LEDGER_PUBLIC :
	    (bits & LEDGER_REF) != 0 ? LEDGER_REF : LEDGER_NONE;
}

int
ledger_mark(struct ledger *l, const struct oid *id, struct ledger_mark *ret, struct err *e)
{
	int64_t mark = 0;
	int rc;

	pthread_mutex_lock(&l->lock);
	rc = ledger_read_mark(l->db, id, &mark, e);
	pthread_mutex_unlock(&l->lock);
	if (rc != 0)
		return -1;
	ret->reach = ledger_reach_of(mark & LEDGER_REACH_BITS);
	ret->proved = ledger_reach_of(mark >> 2);
	return 0;
}

int
ledger_reach(struct ledger *l, const struct oid *id, enum ledger_reach *ret, struct err *e)
{
	struct ledger_mark mark;

	if (ledger_mark(l, id, &mark, e) != 0)
		return -1;
	*ret = ledger_reach_closed(l) ? LEDGER_NONE : mark.reach;
	return 0;
}

static int
ledger_replace_work(struct db *db, const void *arg, struct err *e)
{
	const struct ledger_marks *w = arg;

	return db_exec(db, "DELETE FROM reach", e) != 0 || ledger_reach_work(db, &w[0], e) != 0 ? -1 :
	    ledger_reach_work(db, &w[1], e);
}

int
ledger_reach_replace(struct ledger *l, struct ledger_item *refs, size_t ref_count,
    struct ledger_item *public_, size_t public_count, struct err *e)
{
	const struct ledger_marks w[2] = {
		{.mark = LEDGER_REF, .items = refs, .n = ref_count},
		{.mark = LEDGER_PUBLIC, .items = public_, .n = public_count},
	};

	if (ledger_change(l, ledger_replace_work, w, e) != 0)
		return -1;
	ledger_set_closed(l, false);
	return 0;
}

static int
ledger_put_work(struct db *db, const void *arg, struct err *e)
{
	const struct ledger_run *r = arg;
	struct db_stmt *st;

	if (db_prepare(db, "INSERT OR REPLACE INTO run(id, owner, state, created, started, finished,"
	    " log, dropped, certificate, size, error, detail, request)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)", &st, e) != 0)
		return -1;
	db_bind_text(st, 1, r->id);
	db_bind_text(st, 2, r->owner);
	db_bind_text(st, 3, r->state);
	db_bind_int(st, 4, r->created);
	db_bind_int(st, 5, r->started);
	db_bind_int(st, 6, r->finished);
	db_bind_int(st, 7, (int64_t)r->log);
	db_bind_int(st, 8, (int64_t)r->log_dropped);
	db_bind_blob(st, 9, r->certificate.b, r->has_certificate ? OID_SIZE : 0);
	db_bind_int(st, 10, (int64_t)r->certificate_size);
	db_bind_int(st, 11, (int64_t)r->error);
	db_bind_text(st, 12, r->detail);
	db_bind_blob(st, 13, r->request.data, r->request.len);
	return ledger_do(st, e);
}

int
ledger_run_put(struct ledger *l, const struct ledger_run *r, struct err *e)
{
	return ledger_change(l, ledger_put_work, r, e);
}

static int
ledger_delete_work(struct db *db, const void *arg, struct err *e)
{
	struct db_stmt *st;

	if (db_prepare(db, "DELETE FROM run WHERE id = ?1", &st, e) != 0)
		return -1;
	db_bind_text(st, 1, arg);
	return ledger_do(st, e);
}

int
ledger_run_delete(struct ledger *l, const char *id, struct err *e)
{
	return ledger_change(l, ledger_delete_work, id, e);
}

static void
ledger_text(struct db_stmt *st, int column, char *ret, size_t cap)
{
	const char *text = db_text(st, column);

	snprintf(ret, cap, "%s", text != NULL ? text : "");
}

static int
ledger_row(struct db_stmt *st, struct ledger_run *r, struct err *e)
{
	int64_t code = db_int(st, 10);
	const void *blob;
	size_t len;

	ledger_text(st, 0, r->id, sizeof r->id);
	ledger_text(st, 1, r->owner, sizeof r->owner);
	ledger_text(st, 2, r->state, sizeof r->state);
	r->created = db_int(st, 3);
	r->started = db_int(st, 4);
	r->finished = db_int(st, 5);
	r->log = (uint64_t)db_int(st, 6);
	r->log_dropped = (uint64_t)db_int(st, 7);
	blob = db_blob(st, 8, &len);
	r->has_certificate = len == OID_SIZE;
	if (r->has_certificate)
		memcpy(r->certificate.b, blob, OID_SIZE);
	r->certificate_size = (uint64_t)db_int(st, 9);
	r->error = code >= 0 && code < ERR_CODES_ ? (enum err_code)code : ERR_INTERNAL;
	ledger_text(st, 11, r->detail, sizeof r->detail);
	blob = db_blob(st, 12, &len);
	buf_add(&r->request, blob, len);
	return buf_check(&r->request, e);
}

/* Under the lock. */
static int
ledger_read_runs(struct ledger *l, struct ledger_run *runs, size_t max, size_t *ret_n,
    struct err *e)
{
	struct db_stmt *st;
	size_t n = 0;
	int rc;

	if (db_prepare(l->db, "SELECT id, owner, state, created, started, finished, log, dropped,"
	    " certificate, size, error, detail, request FROM run ORDER BY created, rowid LIMIT ?1",
	    &st, e) != 0)
		return -1;
	db_bind_int(st, 1, (int64_t)max);
	while ((rc = db_step(st, e)) == 1 && n < max)
		if ((rc = ledger_row(st, &runs[n++], e)) != 0)
			break;
	db_reset(st);
	*ret_n = n;
	return rc < 0 ? -1 : 0;
}

int
ledger_runs(struct ledger *l, size_t max, struct ledger_run **ret, size_t *ret_n, struct err *e)
{
	struct ledger_run *runs = calloc(max, sizeof *runs);
	size_t n = 0;
	int rc;

	if (runs == NULL)
		return err_nomem(e);
	pthread_mutex_lock(&l->lock);
	rc = ledger_read_runs(l, runs, max, &n, e);
	pthread_mutex_unlock(&l->lock);
	if (rc != 0) {
		ledger_runs_free(runs, n);
		return -1;
	}
	*ret = runs;
	*ret_n = n;
	return 0;
}

void
ledger_runs_free(struct ledger_run *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_free(&r[i].request);
	free(r);
}
