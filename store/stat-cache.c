#include "store/stat-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "db/db.h"
#include "store/config.h"

#define STAT_CACHE_APPLICATION 0x61696374u /* "aict" */
#define STAT_CACHE_VERSION 1
#define STAT_CACHE_PAGE 16384
#define STAT_CACHE_BUSY_MS 200          /* a cache is not worth more waiting */
#define STAT_CACHE_PARTS_MAX 4096
#define STAT_CACHE_FLUSH (8u * 1024 * 1024)
#define STAT_CACHE_HOLD_MS 200          /* a transaction, so that others get their turn */
#define STAT_CACHE_DAY 86400
#define STAT_CACHE_KEEP_DAYS 60         /* of a directory that nobody measured again */
#define STAT_CACHE_REFRESH_DAYS 7
/* How coarse file times may be: the kernel's tick; FAT and HFS count seconds. */
#define STAT_CACHE_TICK_NS 20000000
#define STAT_CACHE_COARSE_NS 2000000000

static const char stat_cache_schema[] =
    "CREATE TABLE dirs(n INTEGER PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL,"
    " part INTEGER NOT NULL, day INTEGER NOT NULL, data BLOB NOT NULL,"
    " UNIQUE(device, inode, part));\n"
    "CREATE INDEX dirs_day ON dirs(day);\n";

struct stat_cache {
	struct db *db;
	bool reading;       /* in a transaction: every look-up by itself would cost more */
	bool writing;       /* in a transaction */
	int64_t since_ms;   /* when it was begun */
	size_t unwritten;   /* bytes in it */
};

int64_t
stat_cache_ns(const struct timespec *t)
{
	int64_t ns;

	if (__builtin_mul_overflow((int64_t)t->tv_sec, INT64_C(1000000000), &ns) ||
	    __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
		return INT64_MAX;
	return ns;
}

bool
stat_cache_same(const struct stat_cache_entry *x, const struct stat *st)
{
	return x->size == (uint64_t)st->st_size && x->inode == st->st_ino && x->mode == st->st_mode &&
	    x->mtime_ns == stat_cache_ns(&st->st_mtim) && x->ctime_ns == stat_cache_ns(&st->st_ctim);
}

static bool
stat_cache_before(const struct timespec *changed, int64_t moment)
{
	int64_t coarse = changed->tv_nsec == 0 ? STAT_CACHE_COARSE_NS : STAT_CACHE_TICK_NS;

	return moment > coarse && stat_cache_ns(changed) < moment - coarse;
}

bool
stat_cache_settled(const struct stat *st, const struct timespec *reading_began)
{
	int64_t moment = stat_cache_ns(reading_began);

	return stat_cache_before(&st->st_mtim, moment) && stat_cache_before(&st->st_ctim, moment);
}

static int64_t
stat_cache_today(void)
{
	return (int64_t)time(NULL) / STAT_CACHE_DAY;
}

/* Ours, and for nobody else to write: what it says of a file is believed. */
static bool
stat_cache_private(const char *path, mode_t type)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT && type == S_IFREG;
	return (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

static struct db *
stat_cache_open_db(const char *path, const char *journal)
{
	const struct db_options options = {
		.flags = DB_CREATE,
		.page_size = STAT_CACHE_PAGE,
		.application_id = STAT_CACHE_APPLICATION,
		.user_version = STAT_CACHE_VERSION,
		.schema = stat_cache_schema,
		.busy_ms = STAT_CACHE_BUSY_MS,
	};
	struct db *db;
	struct err e;

	for (int i = 0; i < 2; i++) {
		if (!stat_cache_private(path, S_IFREG) || !stat_cache_private(journal, S_IFREG))
			return NULL;
		if (db_open(path, &options, &db, &e) == 0)
			return db;
		/* damage, another version: made anew */
		if (e.code != ERR_FORMAT && e.code != ERR_CORRUPT && e.code != ERR_UNSUPPORTED &&
		    e.code != ERR_DENIED)
			return NULL;
		unlink(journal);
		unlink(path);
	}
	return NULL;
}

struct stat_cache *
stat_cache_open(const char *dir)
{
	struct err ignored;
	CLEANUP(cleanup_free) char *path = buf_strfmt(&ignored, "%s/stat.db", dir);
	CLEANUP(cleanup_free) char *journal = buf_strfmt(&ignored, "%s/stat.db-journal", dir);
	struct stat_cache *c;
	mode_t mask;

	if (path == NULL || journal == NULL || config_dir_make(dir, &ignored) != 0 ||
	    !stat_cache_private(dir, S_IFDIR))
		return NULL;
	c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	mask = umask(077);
	c->db = stat_cache_open_db(path, journal);
	umask(mask);
	if (c->db != NULL)
		return c;
	free(c);
	return NULL;
}

/* Not believed any more, and not written. */
static void
stat_cache_give_up(struct stat_cache *c)
{
	if (c->writing || c->reading)
		db_rollback(c->db);
	c->writing = c->reading = false;
	db_close(c->db);
	c->db = NULL;
}

static void
stat_cache_flush(struct stat_cache *c)
{
	struct err ignored;

	if (c->db == NULL || (!c->writing && !c->reading))
		return;
	if (db_commit(c->db, &ignored) != 0)
		stat_cache_give_up(c);
	c->writing = c->reading = false;
	c->unwritten = 0;
}

static int
stat_cache_begin_reading(struct stat_cache *c, struct err *e)
{
	if ((c->reading || c->writing) && clock_ms() - c->since_ms > STAT_CACHE_HOLD_MS)
		stat_cache_flush(c);
	if (c->db == NULL)
		return err_set(e, ERR_IO, "stat cache: given up");
	if (c->reading || c->writing)
		return 0;
	if (db_exec(c->db, "BEGIN", e) != 0)
		return -1;
	c->reading = true;
	c->since_ms = clock_ms();
	return 0;
}

static int
stat_cache_begin(struct stat_cache *c, struct err *e)
{
	struct db_stmt *st;

	if (c->writing)
		return 0;
	stat_cache_flush(c);
	if (c->db == NULL)
		return err_set(e, ERR_IO, "stat cache: given up");
	if (db_begin(c->db, e) != 0)
		return -1;
	c->writing = true;
	c->since_ms = clock_ms();
	if (db_prepare(c->db, "DELETE FROM dirs WHERE day<?1", &st, e) != 0)
		return -1;
	db_bind_int(st, 1, stat_cache_today() - STAT_CACHE_KEEP_DAYS);
	return db_step(st, e);
}

void
stat_cache_close(struct stat_cache *c)
{
	if (c == NULL)
		return;
	stat_cache_flush(c);
	db_close(c->db);
	free(c);
}

static void
stat_cache_bind(struct db_stmt *st, const struct stat_cache_key *key)
{
	db_bind_int(st, 1, (int64_t)key->device);
	db_bind_int(st, 2, (int64_t)key->inode);
	db_bind_int(st, 3, key->part);
}

/* 1: read, 0: there is none, -1. */
static int
stat_cache_read_part(struct stat_cache *c, const struct stat_cache_key *key, struct buf *ret,
    int64_t *ret_day, struct err *e)
{
	struct db_stmt *st;
	const void *data;
	size_t len;
	int rc;

	if (stat_cache_begin_reading(c, e) != 0)
		return -1;
	if (db_prepare(c->db, "SELECT data, day FROM dirs WHERE device=?1 AND inode=?2 AND part=?3",
	    &st, e) != 0)
		return -1;
	stat_cache_bind(st, key);
	rc = db_step(st, e);
	if (rc != 1)
		return rc;
	data = db_blob(st, 0, &len);
	buf_add(ret, data, len);
	*ret_day = db_int(st, 1);
	db_reset(st);
	return buf_check(ret, e) != 0 ? -1 : 1;
}

/* What nobody measures is thrown away after a while; this one was. */
static int
stat_cache_touch(struct stat_cache *c, const struct stat_cache_key *key, struct err *e)
{
	struct db_stmt *st;

	if (stat_cache_begin(c, e) != 0 || db_prepare(c->db, "UPDATE dirs SET day=?4"
	    " WHERE device=?1 AND inode=?2 AND part=?3", &st, e) != 0)
		return -1;
	stat_cache_bind(st, key);
	db_bind_int(st, 4, stat_cache_today());
	return db_step(st, e);
}

static int
stat_cache_append(struct stat_cache_dir *d, const struct stat_cache_row *row, struct buf *data,
    struct err *e)
{
	struct stat_cache_entry *entries = reallocarray(d->entries, d->count + row->count,
	    sizeof *entries);
	struct buf *parts;

	if (entries == NULL)
		return err_nomem(e);
	d->entries = entries;
	parts = reallocarray(d->parts, d->part_count + 1, sizeof *parts);
	if (parts == NULL)
		return err_nomem(e);
	d->parts = parts;
	d->parts[d->part_count++] = *data;
	*data = (struct buf)BUF_INIT;
	memcpy(d->entries + d->count, row->entries, row->count * sizeof *entries);
	d->count += row->count;
	return 0;
}

static bool
stat_cache_whole_same(const struct stat_cache_whole *a, const struct stat_cache_whole *b)
{
	return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->names == b->names &&
	    oid_equal(&a->tree.id, &b->tree.id) && a->tree.len == b->tree.len;
}

static struct stat_cache_whole
stat_cache_whole_of(const struct stat *dir, size_t names, const struct stat_cache_tree *tree)
{
	return (struct stat_cache_whole){stat_cache_ns(&dir->st_mtim), stat_cache_ns(&dir->st_ctim), names,
	    *tree};
}

/* 1: one part more in d, 0: that was all; what does not parse is not there. */
static int
stat_cache_load_part(struct stat_cache *c, const struct stat_cache_key *key,
    struct stat_cache_dir *d, struct err *e)
{
	CLEANUP(stat_cache_row_free) struct stat_cache_row row = STAT_CACHE_ROW_INIT;
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	int64_t day = 0;
	int rc = stat_cache_read_part(c, key, &data, &day, e);

	if (rc != 1)
		return rc;
	if (day < stat_cache_today() - STAT_CACHE_REFRESH_DAYS && stat_cache_touch(c, key, e) != 0)
		return -1;
	if (stat_cache_row_decode(key, data.data, data.len, &row, e) != 0 || row.count == 0 ||
	    (d->count > 0 && (strcmp(d->entries[d->count - 1].name, row.entries[0].name) >= 0 ||
	    !stat_cache_whole_same(&d->as_of, &row.whole))))
		return 0;
	d->as_of = row.whole;
	return stat_cache_append(d, &row, &data, e) == 0 ? 1 : -1;
}

void
stat_cache_load(struct stat_cache *c, const struct stat *dir, struct stat_cache_dir *ret)
{
	struct stat_cache_key key = {dir->st_dev, dir->st_ino, 0};
	struct stat_cache_dir d = STAT_CACHE_DIR_INIT;
	struct stat_cache_whole now;
	struct err ignored;
	int rc = 1;

	for (; c != NULL && c->db != NULL && rc == 1 && key.part < STAT_CACHE_PARTS_MAX; key.part++)
		rc = stat_cache_load_part(c, &key, &d, &ignored);
	if (rc < 0) {
		if (c->db != NULL)
			stat_cache_give_up(c);
		stat_cache_dir_free(&d);
	}
	now = stat_cache_whole_of(dir, d.count, &d.as_of.tree);
	d.whole = d.count > 0 && stat_cache_whole_same(&d.as_of, &now);
	*ret = d;
}

const struct stat_cache_entry *
stat_cache_find(const struct stat_cache_dir *d, const char *name, size_t *at)
{
	for (; *at < d->count; ++*at) {
		int order = strcmp(d->entries[*at].name, name);

		if (order == 0)
			return &d->entries[(*at)++];
		if (order > 0)
			break;
	}
	return NULL;
}

void
stat_cache_dir_free(struct stat_cache_dir *d)
{
	for (size_t i = 0; i < d->part_count; i++)
		buf_free(&d->parts[i]);
	free(d->parts);
	free(d->entries);
	*d = (struct stat_cache_dir)STAT_CACHE_DIR_INIT;
}

static int
stat_cache_write_part(struct stat_cache *c, const struct stat_cache_key *key,
    const struct buf *data, struct err *e)
{
	struct db_stmt *st;

	if (db_prepare(c->db, "INSERT INTO dirs(device, inode, part, day, data)"
	    " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(device, inode, part)"
	    " DO UPDATE SET day=excluded.day, data=excluded.data", &st, e) != 0)
		return -1;
	stat_cache_bind(st, key);
	db_bind_int(st, 4, stat_cache_today());
	db_bind_blob(st, 5, data->data, data->len);
	c->unwritten += data->len;
	return db_step(st, e);
}

static int
stat_cache_write(struct stat_cache *c, const struct stat *dir,
    const struct stat_cache_entry *entries, size_t n, const struct stat_cache_tree *tree,
    struct err *e)
{
	struct stat_cache_whole as_of = {0};
	struct stat_cache_key key = {dir->st_dev, dir->st_ino, 0};
	struct db_stmt *st;

	if (tree != NULL)
		as_of = stat_cache_whole_of(dir, n, tree);
	if (stat_cache_begin(c, e) != 0)
		return -1;
	for (size_t done = 0; done < n && key.part < STAT_CACHE_PARTS_MAX; key.part++) {
		CLEANUP(buf_free) struct buf data = BUF_INIT;
		size_t used = 0;

		if (stat_cache_row_encode(&key, &as_of, entries + done, n - done, &data, &used, e) != 0 ||
		    stat_cache_write_part(c, &key, &data, e) != 0)
			return -1;
		done += used;
	}
	if (db_prepare(c->db, "DELETE FROM dirs WHERE device=?1 AND inode=?2 AND part>=?3", &st, e) != 0)
		return -1;
	stat_cache_bind(st, &key);
	return db_step(st, e);
}

void
stat_cache_store(struct stat_cache *c, const struct stat *dir,
    const struct stat_cache_entry *entries, size_t n, const struct stat_cache_tree *tree)
{
	struct err ignored;

	if (c == NULL || c->db == NULL)
		return;
	if (stat_cache_write(c, dir, entries, n, tree, &ignored) != 0 && c->db != NULL)
		stat_cache_give_up(c);
	else if (c->unwritten > STAT_CACHE_FLUSH)
		stat_cache_flush(c);
}
