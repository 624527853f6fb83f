#include "store/odb-compact.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "unit.h"
#include "store/fixture.h"
#include "store/odb-small.h"
#include "store/odb.h"

#define ROWS 1600
#define ROW 4000

static off_t
length(struct fixture *f)
{
	struct stat st;

	ck_assert_int_eq(fstatat(f->dirfd, ".aicert/objects/small.db", &st, 0), 0);
	return st.st_size;
}

static void
fill(struct fixture *f, struct oid ids[ROWS])
{
	struct err e;

	UNIT_OK(odb_batch_begin(f->s, &e), &e);
	for (unsigned i = 0; i < ROWS; i++) {
		CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(ROW, i);

		UNIT_OK(odb_put(f->s, data, ROW, &ids[i], &e), &e);
	}
	UNIT_OK(odb_batch_end(f->s, &e), &e);
}

/* All but every nth. */
static void
thin(struct fixture *f, const struct oid ids[ROWS], unsigned n)
{
	struct err e;

	UNIT_OK(odb_small_lock(f->s, &e), &e);
	for (unsigned i = 0; i < ROWS; i++)
		if (i % n != 0)
			UNIT_OK(odb_small_delete(f->s, &ids[i], &e), &e);
	UNIT_OK(odb_small_flush(f->s, &e), &e);
}

/* 2: every page half empty; 3: more so; ROWS: nearly all pages free. */
static const unsigned keeps[] = {2, 3, 10, ROWS};

START_TEST(odb_compact_shrinks)
{
	static struct oid ids[ROWS];
	unsigned n = keeps[_i];
	off_t before, after;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	fill(&f, ids);
	before = length(&f);
	thin(&f, ids, n);
	UNIT_OK(odb_compact_run(f.s, true, &e), &e);
	after = length(&f);
	ck_assert_msg(after < before / (off_t)n * 12 / 10 + 5 * 65536, "%u: %lld of %lld", n,
	    (long long)after, (long long)before);
	for (unsigned i = 0; i < ROWS; i++) {
		if (i % n == 0)
			ck_assert(odb_intact(f.s, &ids[i]));
		else
			ck_assert(!odb_has(f.s, &ids[i]));
	}
	UNIT_OK(odb_small_check(f.s, &e), &e);
	/* nothing to do: nothing is done */
	UNIT_OK(odb_compact_run(f.s, true, &e), &e);
	ck_assert_int_eq(length(&f), after);
	/* and it goes on as before */
	fixture_reopen(&f, 0);
	fill(&f, ids);
	for (unsigned i = 0; i < ROWS; i++)
		ck_assert(odb_intact(f.s, &ids[i]));
	fixture_close(&f);
}
END_TEST

START_TEST(odb_compact_nothing)
{
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_compact_run(f.s, true, &e), &e); /* there is no file */
	UNIT_OK(odb_put(f.s, "x", 1, &id, &e), &e);
	UNIT_OK(odb_compact_run(f.s, true, &e), &e);
	UNIT_OK(odb_compact_run(f.s, false, &e), &e);
	ck_assert(odb_intact(f.s, &id));
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(odb_compact)
{
	tcase_add_loop_test(tc, odb_compact_shrinks, 0, sizeof keeps / sizeof *keeps);
	tcase_add_test(tc, odb_compact_nothing);
}
