#include "store/odb-compact.h"

#include <stdlib.h>
#include "base/interrupt.h"
#include "db/db.h"
#include "store/odb-small.h"

#define ODB_COMPACT_PAGES 128           /* cut in one transaction, 8 MiB */
#define ODB_COMPACT_ROWS 512            /* renumbered in one transaction, at most 16 MiB */
#define ODB_COMPACT_FULL_PERCENT 70     /* emptier pages are packed anew */
#define ODB_COMPACT_INCREMENTAL 2

static int
odb_compact_number(struct db *d, const char *sql, int64_t *ret, struct err *e)
{
	struct db_stmt *st;
	int rc;

	if (db_prepare(d, sql, &st, e) != 0)
		return -1;
	rc = db_step(st, e);
	if (rc < 0)
		return -1;
	*ret = rc == 1 ? db_int(st, 0) : 0;
	db_reset(st);
	return 0;
}

/* Pages that are used are much larger than what is in them. */
static int
odb_compact_sparse(struct db *d, bool *ret, struct err *e)
{
	int64_t size, pages, unused, bytes;

	if (odb_compact_number(d, "PRAGMA page_size", &size, e) != 0 ||
	    odb_compact_number(d, "PRAGMA page_count", &pages, e) != 0 ||
	    odb_compact_number(d, "PRAGMA freelist_count", &unused, e) != 0 ||
	    odb_compact_number(d, "SELECT coalesce(sum(length(data)+48), 0) FROM objects", &bytes, e) != 0)
		return -1;
	/* a page or two are never full */
	*ret = pages - unused > 4 && bytes / ODB_COMPACT_FULL_PERCENT * 100 < (pages - unused - 4) * size;
	return 0;
}

/* The numbers of a few rows beyond *at, as many as fit one transaction. */
static int
odb_compact_pick(struct db *d, int64_t at, int64_t last, int64_t *ret, size_t *ret_count, struct err *e)
{
	struct db_stmt *st;
	size_t n = 0;
	int rc;

	if (db_prepare(d, "SELECT n FROM objects WHERE n>?1 AND n<=?2 ORDER BY n LIMIT 512", &st, e) != 0)
		return -1;
	db_bind_int(st, 1, at);
	db_bind_int(st, 2, last);
	while ((rc = db_step(st, e)) == 1 && n < ODB_COMPACT_ROWS)
		ret[n++] = db_int(st, 0);
	if (rc == 1)
		db_reset(st);
	*ret_count = n;
	return rc < 0 ? -1 : 0;
}

static int
odb_compact_move(struct db *d, const int64_t *rows, size_t count, int64_t *next, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		struct db_stmt *st;

		if (db_prepare(d, "UPDATE objects SET n=?1 WHERE n=?2", &st, e) != 0)
			return -1;
		db_bind_int(st, 1, ++*next);
		db_bind_int(st, 2, rows[i]);
		if (db_step(st, e) != 0)
			return -1;
	}
	return 0;
}

/* One transaction; *ret_more is false when nothing was left to do. */
static int
odb_compact_slice(struct db *d, int64_t *at, int64_t last, bool *ret_more, struct err *e)
{
	CLEANUP(cleanup_free) int64_t *rows = calloc(ODB_COMPACT_ROWS, sizeof *rows);
	size_t count = 0;
	int64_t next;

	if (rows == NULL)
		return err_nomem(e);
	if (db_begin(d, e) != 0)
		return -1;
	if (odb_compact_number(d, "SELECT coalesce(max(n), 0) FROM objects", &next, e) != 0 ||
	    odb_compact_pick(d, *at, last, rows, &count, e) != 0 ||
	    odb_compact_move(d, rows, count, &next, e) != 0) {
		db_rollback(d);
		return -1;
	}
	if (db_commit(d, e) != 0)
		return -1;
	if (count > 0)
		*at = rows[count - 1];
	*ret_more = count > 0;
	return 0;
}

/* New numbers, beyond all others: the rows are packed into new pages in their order. */
static int
odb_compact_pack(struct db *d, struct err *e)
{
	int64_t at = INT64_MIN, last;
	bool more = true;

	if (odb_compact_number(d, "SELECT coalesce(max(n), 0) FROM objects", &last, e) != 0)
		return -1;
	if (last > INT64_MAX / 2) /* not ours: we count from 1 */
		return 0;
	while (more)
		if (interrupt_check(e) != 0 || odb_compact_slice(d, &at, last, &more, e) != 0)
			return -1;
	return 0;
}

static int
odb_compact_cut(struct db *d, struct err *e)
{
	int64_t unused, was = INT64_MAX;
	char pragma[64];

	snprintf(pragma, sizeof pragma, "PRAGMA incremental_vacuum(%d)", ODB_COMPACT_PAGES);
	for (;;) {
		if (odb_compact_number(d, "PRAGMA freelist_count", &unused, e) != 0)
			return -1;
		if (unused == 0 || unused >= was) /* another may fill them */
			return 0;
		was = unused;
		if (interrupt_check(e) != 0 || db_exec(d, pragma, e) != 0)
			return -1;
	}
}

int
odb_compact_run(struct store *s, bool looked, struct err *e)
{
	struct db *d = NULL;
	bool sparse = false;
	int64_t mode;

	if (odb_small_db(s, &d, e) != 0)
		return -1;
	if (d == NULL)
		return 0;
	if (odb_compact_number(d, "PRAGMA auto_vacuum", &mode, e) != 0)
		return -1;
	if (mode != ODB_COMPACT_INCREMENTAL)
		return 0;
	if (looked && odb_compact_sparse(d, &sparse, e) != 0)
		return -1;
	if (sparse && odb_compact_pack(d, e) != 0)
		return -1;
	return odb_compact_cut(d, e);
}
