#include "store/odb-small.h"

#include <string.h>
#include "base/clock.h"
#include "crypto/hash.h"
#include "store/lease.h"
#include "store/odb-state.h"

#define ODB_SMALL_APPLICATION 0x61696373u /* "aics" */
#define ODB_SMALL_VERSION 1
#define ODB_SMALL_PAGE 65536
#define ODB_SMALL_READING_TICK 64  /* reads between looks at the clock */
#define ODB_SMALL_READING_MS 500
/* Others wait at most about this long for the lock of a batch. */
#define ODB_SMALL_BATCH_MS 1000
/* A commit rewrites the pages of the index of ids that it touched, in a large store
 * many: batches last at least so many times as long as the last commit took. */
#define ODB_SMALL_COMMIT_SHARE 4
/* Keeps the index of about two million objects in memory. */
#define ODB_SMALL_CACHE_KIB 65536
#define ODB_SMALL_IDS_FACTOR 16    /* reading one of all ids is so much cheaper than asking for it */
#define ODB_SMALL_IDS_MAX 2000000  /* in memory, 64 MB */

/* Rows in the order of arrival, found through the index of ids: a new object
 * touches the last page of the table, not a random one. */
static const char odb_small_schema[] =
    "CREATE TABLE objects(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, data BLOB NOT NULL);\n";

/* 1: open, 0: there is none */
static int
odb_small_open(struct store *s, bool create, struct err *e)
{
	struct odb_state *o = odb_state(s);
	CLEANUP(cleanup_free) char *path = NULL;
	struct db_options options = {
		/* never DB_READ_ONLY: what a dead writer left half done has to be
		 * rolled back first; where nothing can be written SQLite sees it */
		.flags = create ? DB_CREATE : 0,
		.page_size = ODB_SMALL_PAGE,
		.application_id = ODB_SMALL_APPLICATION,
		.user_version = ODB_SMALL_VERSION,
		.schema = odb_small_schema,
		.durable = true,
		.shrinks = true,
		.network = store_filesystem(s)->network,
		.cache_kib = ODB_SMALL_CACHE_KIB,
	};
	struct err local;

	if (o->small != NULL)
		return 1;
	if (e == NULL)
		e = &local;
	path = buf_strfmt(e, "%s/objects/small.db", store_path(s));
	if (path == NULL)
		return -1;
	if (db_open(path, &options, &o->small, e) == 0)
		return 1;
	return e->code == ERR_NOTFOUND ? 0 : -1;
}

/* --- reads that share a transaction --- */

static int
odb_small_reading_end(struct odb_state *o, struct err *e)
{
	if (!o->reading_open)
		return 0;
	o->reading_open = false;
	return db_exec(o->small, "COMMIT", e);
}

static int
odb_small_reading_tick(struct odb_state *o, struct err *e)
{
	if (!o->reading || o->transaction)
		return 0;
	if (o->reading_open && ++o->reading_count % ODB_SMALL_READING_TICK == 0 &&
	    clock_ms() - o->reading_ms > ODB_SMALL_READING_MS && odb_small_reading_end(o, e) != 0)
		return -1;
	if (o->reading_open)
		return 0;
	if (db_exec(o->small, "BEGIN", e) != 0)
		return -1;
	o->reading_open = true;
	o->reading_ms = clock_ms();
	return 0;
}

int
odb_small_reading(struct store *s, bool on, struct err *e)
{
	struct odb_state *o = odb_state(s);
	int rc;

	if (on == o->reading)
		return 0;
	rc = odb_small_open(s, false, e);
	if (rc != 1)
		return rc;
	o->reading = on;
	return on ? db_exec(o->small, "PRAGMA cache_size=-65536", e) : odb_small_reading_end(o, e);
}

/* 1: st stands on the row; the caller resets it. */
static int
odb_small_find(struct store *s, const char *sql, const struct oid *id, struct db_stmt **ret,
    struct err *e)
{
	int rc = odb_small_open(s, false, e);

	if (rc != 1)
		return rc;
	if (odb_small_reading_tick(odb_state(s), e) != 0 || db_prepare(odb_state(s)->small, sql, ret, e) != 0)
		return -1;
	db_bind_blob(*ret, 1, id->b, OID_SIZE);
	return db_step(*ret, e);
}

static int
odb_small_corrupt(const struct store *s, const struct oid *id, struct err *e)
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	return err_set(e, ERR_CORRUPT, "%s: object %s in objects/small.db does not have its digest",
	    store_path(s), hex);
}

int
odb_small_raw(struct store *s, const struct oid *id, struct buf *ret, struct err *e)
{
	struct db_stmt *st;
	const void *data;
	size_t len;
	int rc = odb_small_find(s, "SELECT data FROM objects WHERE id=?1", id, &st, e);

	if (rc != 1)
		return rc;
	data = db_blob(st, 0, &len);
	buf_add(ret, data, len);
	db_reset(st);
	return buf_check(ret, e) != 0 ? -1 : 1;
}

int
odb_small_read(struct store *s, const struct oid *id, struct buf *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf raw = BUF_INIT;
	struct oid found;
	int rc = odb_small_raw(s, id, &raw, e);

	if (rc != 1)
		return rc;
	if (oid_from_data(&found, raw.data, raw.len, e) != 0)
		return -1;
	if (!oid_equal(&found, id))
		return odb_small_corrupt(s, id, e);
	if (ret->data == NULL && ret->max == 0) { /* nothing before it: no second copy */
		*ret = raw;
		raw = (struct buf)BUF_INIT;
		return 1;
	}
	buf_add(ret, raw.data, raw.len);
	return buf_check(ret, e) != 0 ? -1 : 1;
}

/* Of the index alone, a few pages; what a row has is on its own page. */
int
odb_small_has(struct store *s, const struct oid *id, struct err *e)
{
	struct db_stmt *st;
	int rc = odb_small_find(s, "SELECT 1 FROM objects WHERE id=?1", id, &st, e);

	if (rc == 1)
		db_reset(st);
	return rc;
}

int
odb_small_size(struct store *s, const struct oid *id, uint64_t *ret, struct err *e)
{
	struct db_stmt *st;
	int rc = odb_small_find(s, "SELECT length(data) FROM objects WHERE id=?1", id, &st, e);

	if (rc != 1)
		return rc;
	*ret = (uint64_t)db_int(st, 0);
	db_reset(st);
	return 1;
}

/* One that is there is read and compared, and replaced by other bytes only. */
static int
odb_small_insert(struct odb_state *o, const struct oid *id, const void *data, size_t len,
    struct err *e)
{
	struct db_stmt *st;

	if (db_prepare(o->small, "INSERT INTO objects(id, data) VALUES(?1, ?2)"
	    " ON CONFLICT(id) DO UPDATE SET data=excluded.data WHERE data IS NOT excluded.data", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	db_bind_blob(st, 2, data, len);
	return db_step(st, e);
}

static int
odb_small_begin(struct odb_state *o, struct err *e)
{
	if (o->transaction)
		return 0;
	if (odb_small_reading_end(o, e) != 0 || db_begin(o->small, e) != 0)
		return -1;
	o->transaction = true;
	o->transaction_ms = clock_ms();
	return 0;
}

/* What was looked up in this transaction, into the lease before it ends. */
static int
odb_small_lease(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);
	size_t count = o->pending.count;

	o->pending.count = 0;
	return lease_add(s, o->pending.ids, count, e);
}

int
odb_small_flush(struct store *s, struct err *e)
{
	struct odb_state *o = odb_state(s);
	int64_t began;

	if (!o->transaction)
		return 0;
	if (odb_small_lease(s, e) != 0) {
		odb_small_rollback(s);
		o->failed = true;
		return -1;
	}
	o->transaction = false;
	began = clock_ms();
	if (db_commit(o->small, e) == 0) {
		o->commit_ms = clock_ms() - began;
		return 0;
	}
	o->failed = true;
	return -1;
}

int
odb_small_lock(struct store *s, struct err *e)
{
	int rc = odb_small_open(s, false, e);

	return rc == 1 ? odb_small_begin(odb_state(s), e) : rc;
}

int
odb_small_delete(struct store *s, const struct oid *id, struct err *e)
{
	struct odb_state *o = odb_state(s);
	struct db_stmt *st;

	if (o->small == NULL)
		return 0;
	if (db_prepare(o->small, "DELETE FROM objects WHERE id=?1", &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, id->b, OID_SIZE);
	return db_step(st, e);
}

int
odb_small_db(struct store *s, struct db **ret, struct err *e)
{
	if (odb_small_open(s, false, e) < 0)
		return -1;
	*ret = odb_state(s)->small;
	return 0;
}

int
odb_small_tick(struct store *s, struct err *e)
{
	const struct odb_state *o = odb_state(s);
	int64_t lasts = ODB_SMALL_BATCH_MS;

	if (!o->transaction)
		return 0;
	if (lasts < o->commit_ms * ODB_SMALL_COMMIT_SHARE)
		lasts = o->commit_ms * ODB_SMALL_COMMIT_SHARE;
	return clock_ms() - o->transaction_ms > lasts ? odb_small_flush(s, e) : 0;
}

/* One number; 0 when there is no database. */
static int
odb_small_number(struct store *s, const char *sql, int64_t *ret, struct err *e)
{
	struct db_stmt *st;
	int rc = odb_small_open(s, false, e);

	*ret = 0;
	if (rc != 1)
		return rc;
	if (db_prepare(odb_state(s)->small, sql, &st, e) != 0 || db_step(st, e) != 1)
		return -1;
	*ret = db_int(st, 0);
	db_reset(st);
	return 0;
}

int
odb_small_version(struct store *s, int64_t *ret, struct err *e)
{
	return odb_small_number(s, "PRAGMA data_version", ret, e);
}

int
odb_small_ids_pay(struct store *s, size_t asked, bool *ret, struct err *e)
{
	int64_t most; /* at least as many as there are */

	if (odb_small_number(s, "SELECT max(n) FROM objects", &most, e) != 0)
		return -1;
	*ret = most <= ODB_SMALL_IDS_MAX && most / ODB_SMALL_IDS_FACTOR <= (int64_t)asked;
	return 0;
}

/* 1: one more in ids, 0: that was the last. */
static int
odb_small_ids_next(struct store *s, struct db_stmt *st, struct buf *ids, struct err *e)
{
	int rc = db_step(st, e);
	const void *id;
	size_t len;

	if (rc != 1)
		return rc;
	id = db_blob(st, 0, &len);
	/* a damaged b-tree must not make it endless */
	if (len != OID_SIZE ||
	    (ids->len > 0 && memcmp(ids->data + ids->len - OID_SIZE, id, OID_SIZE) >= 0)) {
		db_reset(st);
		return err_set(e, ERR_CORRUPT, "%s: objects/small.db has an id that is none, or out of"
		    " order", store_path(s));
	}
	buf_add(ids, id, OID_SIZE);
	return 1;
}

int
odb_small_ids(struct store *s, struct oid_set *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf ids = BUF_INIT;
	struct oid *list;
	struct db_stmt *st;
	size_t count;
	int rc = odb_small_open(s, false, e);

	if (rc < 0 || (rc == 1 &&
	    db_prepare(odb_state(s)->small, "SELECT id FROM objects ORDER BY id", &st, e) != 0))
		return -1;
	while (rc == 1)
		rc = odb_small_ids_next(s, st, &ids, e);
	if (rc != 0 || buf_check(&ids, e) != 0 || buf_reserve(&ids, 1, e) != 0)
		return -1;
	count = ids.len / OID_SIZE;
	list = (struct oid *)buf_steal(&ids, e);
	return list == NULL ? -1 : oid_set_make(ret, list, count, e);
}

int
odb_small_bytes(struct store *s, uint64_t *ret)
{
	struct err ignored;
	int64_t n;

	if (odb_small_number(s, "SELECT coalesce(sum(length(data)), 0) FROM objects", &n, &ignored) != 0)
		return -1;
	*ret = n > 0 ? (uint64_t)n : 0;
	return 0;
}

int
odb_small_check(struct store *s, struct err *e)
{
	struct db_stmt *st;
	const char *answer;
	int rc = odb_small_open(s, false, e);

	if (rc != 1)
		return rc;
	if (db_prepare(odb_state(s)->small, "PRAGMA integrity_check(1)", &st, e) != 0)
		return -1;
	rc = db_step(st, e);
	if (rc != 1)
		return -1;
	answer = db_text(st, 0);
	rc = strcmp(answer, "ok") == 0 ? 0 :
	    err_set(e, ERR_CORRUPT, "%s/objects/small.db: %s", store_path(s), answer);
	db_reset(st);
	return rc;
}

void
odb_small_rollback(struct store *s)
{
	struct odb_state *o = odb_state(s);

	if (o->transaction)
		db_rollback(o->small);
	o->transaction = false;
	o->pending.count = 0;
}

/* 1: there, with these bytes. */
static int
odb_small_same(struct store *s, const struct oid *id, const void *data, size_t len, struct err *e)
{
	struct db_stmt *st;
	const void *old;
	size_t old_len;
	int rc = odb_small_find(s, "SELECT data FROM objects WHERE id=?1", id, &st, e);

	if (rc != 1)
		return rc;
	old = db_blob(st, 0, &old_len);
	rc = old_len == len && memcmp(old, data, len) == 0;
	db_reset(st);
	return rc;
}

int
odb_small_put(struct store *s, const struct oid *id, const void *data, size_t len, struct err *e)
{
	struct odb_state *o = odb_state(s);
	int rc;

	if (store_read_only(s)) {
		rc = odb_small_same(s, id, data, len, e);
		return rc == 1 ? 0 : rc < 0 ? -1 :
		    err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	}
	/* looked up under the write lock: nobody deletes it before it is in the lease */
	if (odb_small_open(s, true, e) != 1 || odb_small_begin(o, e) != 0)
		return -1;
	rc = odb_small_insert(o, id, data, len, e);
	if (rc < 0 || oid_list_add(&o->pending, id, e) != 0) {
		/* the whole transaction may be gone: the batch cannot succeed */
		odb_small_rollback(s);
		o->failed = true;
		return -1;
	}
	return o->batch == 0 ? odb_small_flush(s, e) : odb_small_tick(s, e);
}

/* One row of the walk: 1 to go on, 0 at the end, -1; copied so that fn may use
 * the database. */
static int
odb_small_next(struct store *s, const struct oid *after, bool inclusive, const struct oid *last,
    struct oid *ret_id, uint64_t *ret_size, struct err *e)
{
	struct db_stmt *st;
	const void *id;
	struct oid found;
	uint64_t size = 0;
	size_t len;
	int rc;

	if (db_prepare(odb_state(s)->small, inclusive ?
	    "SELECT id, length(data) FROM objects WHERE id>=?1 AND id<=?2 ORDER BY id LIMIT 1" :
	    "SELECT id, length(data) FROM objects WHERE id>?1 AND id<=?2 ORDER BY id LIMIT 1",
	    &st, e) != 0)
		return -1;
	db_bind_blob(st, 1, after->b, OID_SIZE);
	db_bind_blob(st, 2, last->b, OID_SIZE);
	rc = db_step(st, e);
	if (rc != 1)
		return rc;
	id = db_blob(st, 0, &len);
	if (len == OID_SIZE) {
		memcpy(found.b, id, OID_SIZE);
		size = (uint64_t)db_int(st, 1);
	}
	db_reset(st);
	/* a damaged b-tree must not make the walk turn back */
	if (len != OID_SIZE || oid_compare(&found, last) > 0 ||
	    oid_compare(&found, after) < (inclusive ? 0 : 1))
		return err_set(e, ERR_CORRUPT, "%s: objects/small.db has an id that is none, or out of"
		    " order", store_path(s));
	*ret_id = found;
	*ret_size = size;
	return 1;
}

int
odb_small_each(struct store *s, const struct oid *first, const struct oid *last,
    odb_small_each_fn *fn, void *arg, struct err *e)
{
	struct oid at = *first;
	bool inclusive = true;
	uint64_t size = 0;
	int rc = odb_small_open(s, false, e);

	if (rc != 1)
		return rc;
	while ((rc = odb_small_next(s, &at, inclusive, last, &at, &size, e)) == 1) {
		inclusive = false;
		if (fn(arg, &at, size) != 0)
			return 0;
	}
	return rc;
}

/* The row after *n: no lock is held between two of them. 1, 0 at the end, -1; *ret_stop is
 * what fn says. */
static int
odb_small_row(struct store *s, int64_t *n, odb_small_rows_fn *fn, void *arg, bool *ret_stop,
    struct err *e)
{
	const void *id, *data;
	size_t id_len, len;
	struct db_stmt *st;
	struct oid found;
	int64_t next;
	int rc;

	if (db_prepare(odb_state(s)->small, "SELECT n, id, data FROM objects WHERE n>?1 ORDER BY n LIMIT 1",
	    &st, e) != 0)
		return -1;
	db_bind_int(st, 1, *n);
	rc = db_step(st, e);
	if (rc != 1)
		return rc;
	next = db_int(st, 0);
	id = db_blob(st, 1, &id_len);
	if (id_len != OID_SIZE || next <= *n) { /* a damaged b-tree must not make it endless */
		db_reset(st);
		return err_set(e, ERR_CORRUPT, "%s: objects/small.db has an id that is none, or rows out"
		    " of order", store_path(s));
	}
	memcpy(found.b, id, OID_SIZE);
	data = db_blob(st, 2, &len);
	*ret_stop = fn(arg, &found, data, len) != 0;
	db_reset(st);
	*n = next;
	return 1;
}

int
odb_small_rows(struct store *s, odb_small_rows_fn *fn, void *arg, struct err *e)
{
	int rc = odb_small_open(s, false, e);
	int64_t n = INT64_MIN;
	bool stop = false;

	if (rc != 1)
		return rc;
	while (!stop && (rc = odb_small_row(s, &n, fn, arg, &stop, e)) == 1)
		;
	return rc < 0 ? -1 : 0;
}
