/*
 * Small objects: rows of objects/small.db.  For odb*.c and fsck.c only.
 * Look-ups return 1 when found, 0 when absent, -1 on error.
 */
#ifndef STORE_ODB_SMALL_H
#define STORE_ODB_SMALL_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "db/db.h"
#include "object/oid.h"
#include "store/oid-set.h"
#include "store/store.h"

/*
 * Longest object kept as a row: two of them fit one 64 KiB page with their
 * headers and the pointer array, so that no page is less than about half full.
 */
#define ODB_SMALL_MAX 32512

/* Appends the bytes as they are stored. */
int odb_small_raw(struct store *s, const struct oid *id, struct buf *ret, struct err *e) MUST_CHECK;
/* Appends the bytes, digest verified (ERR_CORRUPT). */
int odb_small_read(struct store *s, const struct oid *id, struct buf *ret, struct err *e) MUST_CHECK;
/* 1, 0, or -1. */
int odb_small_has(struct store *s, const struct oid *id, struct err *e) MUST_CHECK;
int odb_small_size(struct store *s, const struct oid *id, uint64_t *ret, struct err *e) MUST_CHECK;
/* Durable on return, or at the end of the batch. A row with other bytes is replaced. */
int odb_small_put(struct store *s, const struct oid *id, const void *data, size_t len,
    struct err *e) MUST_CHECK;
/* Ids from first to last (both included) in ascending order; fn returns non-zero to stop. */
typedef int odb_small_each_fn(void *arg, const struct oid *id, uint64_t size);
int odb_small_each(struct store *s, const struct oid *first, const struct oid *last,
    odb_small_each_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* Changes when another process, or another handle, changed the database. */
int odb_small_version(struct store *s, int64_t *ret, struct err *e) MUST_CHECK;
/* Whether reading all ids takes less time than asking for so many of them one by one, and
 * has room in memory. */
int odb_small_ids_pay(struct store *s, size_t asked, bool *ret, struct err *e) MUST_CHECK;
int odb_small_ids(struct store *s, struct oid_set *ret, struct err *e) MUST_CHECK;
/* Commits when the batch has lasted long enough: for who waits between puts. */
int odb_small_tick(struct store *s, struct err *e) MUST_CHECK;
/* All of them with their bytes as they are stored, in the order of arrival: pages are read
 * one after the other.  One that is moved by odb_compact_run() may be told twice. fn must not
 * change the store; non-zero: stop. */
typedef int odb_small_rows_fn(void *arg, const struct oid *id, const void *data, size_t len);
int odb_small_rows(struct store *s, odb_small_rows_fn *fn, void *arg, struct err *e) MUST_CHECK;
/* odb_reading() */
int odb_small_reading(struct store *s, bool on, struct err *e) MUST_CHECK;
/* Commits what the batch has so far, so that others need not wait for long work. */
int odb_small_flush(struct store *s, struct err *e) MUST_CHECK;
/* Begins a transaction: nobody else writes until odb_small_flush(). */
int odb_small_lock(struct store *s, struct err *e) MUST_CHECK;
/* Within it; absent is success.  For gc alone. */
int odb_small_delete(struct store *s, const struct oid *id, struct err *e) MUST_CHECK;
/* The database, for what is done to the file as a whole: NULL when there is none. */
int odb_small_db(struct store *s, struct db **ret, struct err *e) MUST_CHECK;
void odb_small_rollback(struct store *s);
/* What all of them have together. */
int odb_small_bytes(struct store *s, uint64_t *ret) MUST_CHECK;
/* The database's own structure: ERR_CORRUPT says what is wrong. */
int odb_small_check(struct store *s, struct err *e) MUST_CHECK;

#endif
