/*
 * SQLite, only here.  Files may be hostile: opened DEFENSIVE, trusted_schema
 * off, cell_size_check on, mmap off.  Statements are prepared once a handle
 * and kept.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

struct db;
struct db_stmt;

#define DB_READ_ONLY 1u
#define DB_CREATE 2u

struct db_options {
	unsigned flags;
	int page_size;          /* for a new file; 0: SQLite's default */
	uint32_t application_id;/* a file with another one is refused; set on creation */
	int user_version;       /* schema version: other: ERR_UNSUPPORTED; set on creation */
	const char *schema;     /* run on creation, and compared with what the file holds: written
	                         * as SQLite keeps it, "CREATE TABLE name(...);\n" a statement */
	bool shrinks;           /* a new file can be cut by PRAGMA incremental_vacuum */
	bool network;           /* its file system is one: the journal is cut instead of overwritten */
	bool durable;           /* synchronous=FULL, else OFF: a cache */
	int busy_ms;            /* how long a lock is waited for; 0: a minute */
	int cache_kib;          /* pages kept in memory; 0: about 2 MiB */
};

/* Longest value that is read or written. */
#define DB_VALUE_MAX (16 * 1024 * 1024)

/*
 * path: absolute, no symlink in it; ":memory:" for a private one.  Without
 * DB_CREATE a file that is absent or empty is ERR_NOTFOUND.  ERR_FORMAT: not
 * such a database (garbage, another application id or schema); ERR_CORRUPT:
 * damaged pages; ERR_BUSY: locked for longer than a minute.
 */
int db_open(const char *path, const struct db_options *o, struct db **ret, struct err *e) MUST_CHECK;
void db_close(struct db *d);
int db_exec(struct db *d, const char *sql, struct err *e) MUST_CHECK;
/* Cached by text (a string literal). */
int db_prepare(struct db *d, const char *sql, struct db_stmt **ret, struct err *e) MUST_CHECK;
void db_bind_blob(struct db_stmt *st, int i, const void *data, size_t len); /* borrowed until reset */
void db_bind_int(struct db_stmt *st, int i, int64_t n);
void db_bind_text(struct db_stmt *st, int i, const char *text);
/* 1: a row, 0: done, -1: error. Reset after done or error. */
int db_step(struct db_stmt *st, struct err *e) MUST_CHECK;
void db_reset(struct db_stmt *st);
const void *db_blob(struct db_stmt *st, int column, size_t *ret_len);
int64_t db_int(struct db_stmt *st, int column);
const char *db_text(struct db_stmt *st, int column);
int db_begin(struct db *d, struct err *e) MUST_CHECK;    /* BEGIN IMMEDIATE */
int db_commit(struct db *d, struct err *e) MUST_CHECK;
void db_rollback(struct db *d);

#endif
