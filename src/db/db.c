#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

#define DB_BUSY_MS 60000
#define DB_PAGE_MIN 512
#define DB_CACHE_KIB 2000
#define DB_JOURNAL_KEPT (4 * 1024 * 1024)

struct db_stmt {
	struct db *db;
	struct db_stmt *next;
	sqlite3_stmt *st;
	const char *sql; /* borrowed: a literal */
};

struct db {
	sqlite3 *sq;
	char *path;
	struct db_stmt *statements;
};

static int
db_fail(struct db *d, int rc, struct err *e)
{
	const char *why = d->sq != NULL ? sqlite3_errmsg(d->sq) : sqlite3_errstr(rc);

	if (rc == SQLITE_READONLY_ROLLBACK)
		return err_set(e, ERR_DENIED, "%s: its last writer died; open it once with permission"
		    " to write, so that it can be put right", d->path);
	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return err_nomem(e);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_BUSY, "%s: in use by another process; try again", d->path);
	case SQLITE_NOTADB:
		return err_set(e, ERR_FORMAT, "%s: not a database", d->path);
	case SQLITE_CORRUPT:
		return err_set(e, ERR_CORRUPT, "%s: damaged: %s", d->path, why);
	case SQLITE_TOOBIG:
		return err_set(e, ERR_LIMIT, "%s: a value is longer than %d bytes", d->path, DB_VALUE_MAX);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH: /* the system's no, not ours; also of a file that could only be read */
		err_set(e, ERR_IO, "%s: %s", d->path, why);
		if (e != NULL)
			e->sys = EACCES;
		return -1;
	default:
		err_set(e, ERR_IO, "%s: %s", d->path, why);
		if (e != NULL && d->sq != NULL)
			e->sys = sqlite3_system_errno(d->sq);
		return -1;
	}
}

/*
 * A rollback journal can end in the name of a "super-journal", which SQLite
 * deletes after the rollback: in a hostile directory that is any file of the
 * user.  We never write one (it takes several attached databases).
 */
static int
db_check_journal(const char *path, bool *ret_hot, struct err *e)
{
	static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	CLEANUP(cleanup_free) char *name = buf_strfmt(e, "%s-journal", path);
	CLEANUP(cleanup_close) int fd = -1;
	unsigned char head[sizeof magic], tail[sizeof magic];
	struct stat st;

	*ret_hot = false;
	if (name == NULL)
		return -1;
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot look at the journal", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s: not a regular file", name);
	if (st.st_size < (off_t)sizeof magic)
		return 0;
	if (pread(fd, tail, sizeof tail, st.st_size - (off_t)sizeof tail) != (ssize_t)sizeof tail ||
	    pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return err_sys(e, "%s: cannot read", name);
	*ret_hot = memcmp(head, magic, sizeof magic) == 0;
	if (memcmp(tail, magic, sizeof magic) == 0)
		return err_set(e, ERR_DENIED, "%s: names another file to delete; not written by"
		    " aicert: remove it if you trust the database without it", name);
	return 0;
}

static int
db_check_path(const char *path, const struct db_options *o, struct err *e)
{
	struct stat st;
	bool hot;

	if (strcmp(path, ":memory:") == 0)
		return 0;
	if (lstat(path, &st) != 0) {
		if (errno != ENOENT)
			return err_sys(e, "%s: cannot look at it", path);
		return o->flags & DB_CREATE ? 0 :
		    err_set(e, ERR_NOTFOUND, "%s: no such file", path);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s: not a regular file", path);
	if (st.st_size == 0 && (o->flags & DB_CREATE) == 0)
		return err_set(e, ERR_NOTFOUND, "%s: empty", path);
	if (db_check_journal(path, &hot, e) != 0)
		return -1;
	/* SQLite takes less than a page for an empty database and would write over it */
	if (st.st_size > 0 && st.st_size < DB_PAGE_MIN && !hot)
		return err_set(e, ERR_FORMAT, "%s: not a database, it is too short", path);
	return 0;
}

/* What SQLite advises for files of others, and bounds. */
static int
db_harden(struct db *d, const struct db_options *o, struct err *e)
{
	static const int on[] = {SQLITE_DBCONFIG_DEFENSIVE};
	static const int off[] = {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
	    SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof on / sizeof *on && rc == SQLITE_OK; i++)
		rc = sqlite3_db_config(d->sq, on[i], 1, NULL);
	for (size_t i = 0; i < sizeof off / sizeof *off && rc == SQLITE_OK; i++)
		rc = sqlite3_db_config(d->sq, off[i], 0, NULL);
	if (rc != SQLITE_OK)
		return db_fail(d, rc, e);
	sqlite3_limit(d->sq, SQLITE_LIMIT_LENGTH, DB_VALUE_MAX);
	sqlite3_limit(d->sq, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_extended_result_codes(d->sq, 1);
	rc = sqlite3_busy_timeout(d->sq, o->busy_ms != 0 ? o->busy_ms : DB_BUSY_MS);
	if (rc != SQLITE_OK)
		return db_fail(d, rc, e);
	return db_exec(d, "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;", e);
}

static int
db_query_int(struct db *d, const char *sql, int64_t *ret, struct err *e)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(d->sq, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return db_fail(d, rc, e);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	if (sqlite3_finalize(st) != SQLITE_OK || rc != SQLITE_ROW)
		return db_fail(d, rc, e);
	return 0;
}

/* The file's schema, one statement a line, equals ours byte for byte: then no
 * view, trigger, default, check or generated column of a stranger can run. */
static int
db_check_schema(struct db *d, const struct db_options *o, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(d->sq, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
	    " ORDER BY rowid LIMIT 64", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return db_fail(d, rc, e);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		const unsigned char *sql = sqlite3_column_text(st, 0);

		buf_addf(&text, "%s;\n", sql != NULL ? (const char *)sql : "");
	}
	if (sqlite3_finalize(st) != SQLITE_OK || rc != SQLITE_DONE)
		return db_fail(d, rc, e);
	if (buf_check(&text, e) != 0)
		return -1;
	if (strcmp(buf_str(&text), o->schema) != 0)
		return err_set(e, ERR_FORMAT, "%s: its tables are not what this program makes", d->path);
	return 0;
}

static int
db_check_identity(struct db *d, const struct db_options *o, struct err *e)
{
	int64_t application = 0, version = 0;

	if (db_query_int(d, "PRAGMA application_id", &application, e) != 0 ||
	    db_query_int(d, "PRAGMA user_version", &version, e) != 0)
		return -1;
	if ((uint32_t)application != o->application_id)
		return err_set(e, ERR_FORMAT, "%s: a database of another program"
		    " (application id 0x%08x, expected 0x%08x)", d->path, (uint32_t)application,
		    o->application_id);
	if (version != o->user_version)
		return err_set(e, ERR_UNSUPPORTED, "%s: has version %lld, this program reads version %d",
		    d->path, (long long)version, o->user_version);
	return db_check_schema(d, o, e);
}

/* Under the write lock: another process may have been first. */
static int
db_create_locked(struct db *d, const struct db_options *o, struct err *e)
{
	char pragmas[128];
	int64_t pages = 0;

	if (db_query_int(d, "SELECT count(*) FROM sqlite_schema", &pages, e) != 0)
		return -1;
	if (pages != 0)
		return 0;
	snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
	    (int)o->application_id, o->user_version);
	if (db_exec(d, pragmas, e) != 0)
		return -1;
	return db_exec(d, o->schema, e);
}

static int
db_create(struct db *d, const struct db_options *o, struct err *e)
{
	char pragma[64];

	if (o->page_size != 0) {
		snprintf(pragma, sizeof pragma, "PRAGMA page_size=%d", o->page_size);
		if (db_exec(d, pragma, e) != 0)
			return -1;
	}
	if (o->shrinks && db_exec(d, "PRAGMA auto_vacuum=INCREMENTAL", e) != 0)
		return -1;
	if (db_begin(d, e) != 0)
		return -1;
	if (db_create_locked(d, o, e) != 0) {
		db_rollback(d);
		return -1;
	}
	return db_commit(d, e);
}

/*
 * Rollback journal kept between transactions: its header is overwritten and
 * synced at commit, so a commit is durable without a sync of the directory
 * (which DELETE mode needs and synchronous=FULL does not do).  On a network file
 * system it is cut to nothing, which is synced too: another machine sees a length
 * of nothing when it opens the journal, but may still have the old header in its
 * cache and take the journal for one that is to be rolled back.
 */
static int
db_set_journal(struct db *d, const struct db_options *o, struct err *e)
{
	char pragmas[160];

	if (o->flags & DB_READ_ONLY)
		return 0;
	snprintf(pragmas, sizeof pragmas, "PRAGMA journal_mode=%s;"
	    " PRAGMA journal_size_limit=%d; PRAGMA synchronous=%s;",
	    o->network ? "TRUNCATE" : "PERSIST", DB_JOURNAL_KEPT, o->durable ? "FULL" : "OFF");
	return db_exec(d, pragmas, e);
}

/* Once the page size is known: SQLite counts in pages of the size of before. */
static int
db_set_cache(struct db *d, const struct db_options *o, struct err *e)
{
	char pragma[64];

	snprintf(pragma, sizeof pragma, "PRAGMA cache_size=%d",
	    o->cache_kib != 0 ? -o->cache_kib : -DB_CACHE_KIB);
	return db_exec(d, pragma, e);
}

/* Its maker has written the first page, for the mode of auto_vacuum, and nothing in it yet. */
static bool
db_is_blank(struct db *d)
{
	int64_t application = -1;
	struct err ignored;

	return db_query_int(d, "PRAGMA application_id", &application, &ignored) == 0 && application == 0;
}

static int
db_setup(struct db *d, const struct db_options *o, struct err *e)
{
	int64_t tables = 0;

	if (db_harden(d, o, e) != 0 || db_set_journal(d, o, e) != 0 ||
	    db_query_int(d, "SELECT count(*) FROM sqlite_schema", &tables, e) != 0)
		return -1;
	if (tables == 0 && (o->flags & DB_CREATE) != 0 && db_create(d, o, e) != 0)
		return -1;
	if (tables == 0 && (o->flags & DB_CREATE) == 0 && db_is_blank(d))
		return err_set(e, ERR_NOTFOUND, "%s: empty", d->path);
	return db_check_identity(d, o, e) != 0 ? -1 : db_set_cache(d, o, e);
}

int
db_open(const char *path, const struct db_options *o, struct db **ret, struct err *e)
{
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
	struct db *d;
	int rc;

	if (o->flags & DB_READ_ONLY)
		flags |= SQLITE_OPEN_READONLY;
	else
		flags |= SQLITE_OPEN_READWRITE | (o->flags & DB_CREATE ? SQLITE_OPEN_CREATE : 0);
	if (db_check_path(path, o, e) != 0)
		return -1;
	d = calloc(1, sizeof *d);
	if (d == NULL || (d->path = strdup(path)) == NULL) {
		free(d);
		return err_nomem(e);
	}
	rc = sqlite3_open_v2(path, &d->sq, flags, NULL);
	if (rc != SQLITE_OK ? db_fail(d, rc, e) != 0 : db_setup(d, o, e) != 0) {
		db_close(d);
		return -1;
	}
	*ret = d;
	return 0;
}

void
db_close(struct db *d)
{
	if (d == NULL)
		return;
	while (d->statements != NULL) {
		struct db_stmt *st = d->statements;

		d->statements = st->next;
		sqlite3_finalize(st->st);
		free(st);
	}
	sqlite3_close(d->sq);
	free(d->path);
	free(d);
}

int
db_exec(struct db *d, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(d->sq, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fail(d, rc, e);
}

int
db_prepare(struct db *d, const char *sql, struct db_stmt **ret, struct err *e)
{
	struct db_stmt *st;
	int rc;

	for (st = d->statements; st != NULL; st = st->next)
		if (st->sql == sql || strcmp(st->sql, sql) == 0) {
			db_reset(st);
			*ret = st;
			return 0;
		}
	st = calloc(1, sizeof *st);
	if (st == NULL)
		return err_nomem(e);
	rc = sqlite3_prepare_v3(d->sq, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->st, NULL);
	if (rc != SQLITE_OK) {
		free(st);
		return db_fail(d, rc, e);
	}
	st->db = d;
	st->sql = sql;
	st->next = d->statements;
	d->statements = st;
	*ret = st;
	return 0;
}

/* A bind that fails leaves NULL there, which the schema's NOT NULL refuses. */
void
db_bind_blob(struct db_stmt *st, int i, const void *data, size_t len)
{
	sqlite3_bind_blob64(st->st, i, data != NULL ? data : "", len, SQLITE_STATIC);
}

void
db_bind_int(struct db_stmt *st, int i, int64_t n)
{
	sqlite3_bind_int64(st->st, i, n);
}

void
db_bind_text(struct db_stmt *st, int i, const char *text)
{
	sqlite3_bind_text(st->st, i, text, -1, SQLITE_STATIC);
}

int
db_step(struct db_stmt *st, struct err *e)
{
	int rc = sqlite3_step(st->st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_fail(st->db, rc, e);
	db_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

void
db_reset(struct db_stmt *st)
{
	sqlite3_reset(st->st);
	sqlite3_clear_bindings(st->st);
}

const void *
db_blob(struct db_stmt *st, int column, size_t *ret_len)
{
	const void *data = sqlite3_column_blob(st->st, column);

	*ret_len = (size_t)sqlite3_column_bytes(st->st, column);
	return data != NULL ? data : "";
}

int64_t
db_int(struct db_stmt *st, int column)
{
	return sqlite3_column_int64(st->st, column);
}

const char *
db_text(struct db_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st->st, column);

	return text != NULL ? (const char *)text : "";
}

int
db_begin(struct db *d, struct err *e)
{
	return db_exec(d, "BEGIN IMMEDIATE", e);
}

int
db_commit(struct db *d, struct err *e)
{
	if (db_exec(d, "COMMIT", e) == 0)
		return 0;
	db_rollback(d);
	return -1;
}

void
db_rollback(struct db *d)
{
	if (!sqlite3_get_autocommit(d->sq))
		sqlite3_exec(d->sq, "ROLLBACK", NULL, NULL, NULL);
}
