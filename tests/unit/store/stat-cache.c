#include "store/stat-cache.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>
#include "unit.h"
#include "store/fixture.h"

static const struct stat_cache_key key = {7, 1234567890123, 0};
static const struct stat_cache_whole whole = {-5, INT64_C(1) << 40, 20, {{{1, 2, 3}}, 1234}};

static void
fill(struct stat_cache_entry *x, size_t n, char names[][16])
{
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], 16, "f%06zu", i);
		x[i] = (struct stat_cache_entry){.name = names[i], .size = i * 1000, .inode = i + 5,
		    .mtime_ns = -1 - (int64_t)i, .ctime_ns = (int64_t)i << 32, .mode = 0100644};
		memset(x[i].id.b, (int)i, OID_SIZE);
	}
}

static void
check_same(const struct stat_cache_entry *a, const struct stat_cache_entry *b)
{
	ck_assert_str_eq(a->name, b->name);
	ck_assert(a->size == b->size && a->inode == b->inode && a->mtime_ns == b->mtime_ns &&
	    a->ctime_ns == b->ctime_ns && a->mode == b->mode && oid_equal(&a->id, &b->id));
}

START_TEST(row_there_and_back)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	CLEANUP(stat_cache_row_free) struct stat_cache_row row = STAT_CACHE_ROW_INIT;
	struct stat_cache_key other = key;
	struct stat_cache_entry x[20];
	char names[20][16];
	struct err e;
	size_t used;

	fill(x, 20, names);
	UNIT_OK(stat_cache_row_encode(&key, &whole, x, 20, &data, &used, &e), &e);
	ck_assert_uint_eq(used, 20);
	UNIT_OK(stat_cache_row_decode(&key, data.data, data.len, &row, &e), &e);
	ck_assert_uint_eq(row.count, 20);
	ck_assert(row.whole.mtime_ns == whole.mtime_ns && row.whole.ctime_ns == whole.ctime_ns &&
	    row.whole.names == whole.names && row.whole.tree.len == whole.tree.len &&
	    oid_equal(&row.whole.tree.id, &whole.tree.id));
	for (size_t i = 0; i < 20; i++)
		check_same(&row.entries[i], &x[i]);
	stat_cache_row_free(&row);
	/* a row of another directory, or another part */
	other.device++;
	UNIT_FAILS(stat_cache_row_decode(&other, data.data, data.len, &row, &e), &e, ERR_FORMAT);
	other = key;
	other.inode++;
	UNIT_FAILS(stat_cache_row_decode(&other, data.data, data.len, &row, &e), &e, ERR_FORMAT);
	other = key;
	other.part++;
	UNIT_FAILS(stat_cache_row_decode(&other, data.data, data.len, &row, &e), &e, ERR_FORMAT);
}
END_TEST

/* Cut at every length, and every byte changed. */
START_TEST(row_damaged)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	struct stat_cache_row row;
	struct stat_cache_entry x[3];
	char names[3][16];
	struct err e;
	size_t used;

	fill(x, 3, names);
	UNIT_OK(stat_cache_row_encode(&key, &whole, x, 3, &data, &used, &e), &e);
	for (size_t n = 0; n < data.len; n++) {
		UNIT_FAILS(stat_cache_row_decode(&key, data.data, n, &row, &e), &e, ERR_FORMAT);
		data.data[n] ^= 0x20;
		UNIT_FAILS(stat_cache_row_decode(&key, data.data, data.len, &row, &e), &e, ERR_FORMAT);
		data.data[n] ^= 0x20;
	}
}
END_TEST

/* Well-formed as to its digest, and wrong. */
START_TEST(row_hostile)
{
	static const char *const names[][2] = {
		{"b", "a"}, {"a", "a"}, {"", "a"}, {"a/b", "c"}, {"/", "c"},
	};
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	struct stat_cache_entry x[2] = {0};
	struct stat_cache_row row;
	struct err e;
	size_t used;

	x[0].name = names[_i][0];
	x[1].name = names[_i][1];
	UNIT_OK(stat_cache_row_encode(&key, &whole, x, 2, &data, &used, &e), &e);
	UNIT_FAILS(stat_cache_row_decode(&key, data.data, data.len, &row, &e), &e, ERR_FORMAT);
}
END_TEST

static struct stat
a_dir(ino_t inode)
{
	return (struct stat){.st_dev = 9, .st_ino = inode};
}

START_TEST(cache_remembers)
{
	enum { COUNT = 100000 }; /* more than one part */
	CLEANUP(stat_cache_dir_free) struct stat_cache_dir d = STAT_CACHE_DIR_INIT;
	struct stat_cache_entry *x = calloc(COUNT, sizeof *x);
	char (*names)[16] = calloc(COUNT, sizeof *names);
	struct stat dir = a_dir(1), other = a_dir(2);
	struct stat_cache *c;
	char path[200];
	size_t at = 0;

	fill(x, COUNT, names);
	snprintf(path, sizeof path, "%s/a/b/cache", unit_dir());
	c = stat_cache_open(path);
	ck_assert_ptr_nonnull(c);
	stat_cache_load(c, &dir, &d);
	ck_assert_uint_eq(d.count, 0);
	stat_cache_store(c, &dir, x, COUNT, NULL);
	stat_cache_store(c, &other, x, 3, NULL);
	stat_cache_close(c);
	c = stat_cache_open(path);
	stat_cache_load(c, &dir, &d);
	ck_assert_uint_eq(d.count, COUNT);
	ck_assert_uint_gt(d.part_count, 1);
	for (size_t i = 0; i < COUNT; i++)
		check_same(&d.entries[i], &x[i]);
	ck_assert_ptr_null(stat_cache_find(&d, "a", &at));
	check_same(stat_cache_find(&d, names[0], &at), &x[0]);
	check_same(stat_cache_find(&d, names[77777], &at), &x[77777]);
	ck_assert_ptr_null(stat_cache_find(&d, "f077777a", &at));
	check_same(stat_cache_find(&d, names[COUNT - 1], &at), &x[COUNT - 1]);
	ck_assert_ptr_null(stat_cache_find(&d, "z", &at));
	/* fewer: the other parts are gone too */
	stat_cache_store(c, &dir, x, 2, NULL);
	stat_cache_dir_free(&d);
	stat_cache_load(c, &dir, &d);
	ck_assert_uint_eq(d.count, 2);
	stat_cache_close(c);
	free(x);
	free(names);
}
END_TEST

/* All names of a directory, for as long as it has the times that it had. */
START_TEST(cache_has_all_names)
{
	enum { COUNT = 100000 }; /* two parts */
	struct stat_cache_entry *x = calloc(COUNT, sizeof *x);
	char (*names)[16] = calloc(COUNT, sizeof *names);
	struct stat dir = a_dir(1), changed;
	struct stat_cache_dir d;
	struct stat_cache *c;
	char path[200];
	sqlite3 *db;

	fill(x, COUNT, names);
	dir.st_mtim.tv_sec = 5;
	dir.st_ctim.tv_nsec = 7;
	snprintf(path, sizeof path, "%s/cache", unit_dir());
	c = stat_cache_open(path);
	stat_cache_store(c, &dir, x, COUNT, &whole.tree);
	for (int i = 0; i < 3; i++) {
		changed = dir;
		changed.st_mtim.tv_sec += i == 1;
		changed.st_ctim.tv_nsec -= i == 2;
		stat_cache_load(c, &changed, &d);
		ck_assert_uint_eq(d.count, COUNT);
		ck_assert(d.whole == (i == 0));
		ck_assert(!d.whole || oid_equal(&d.as_of.tree.id, &whole.tree.id));
		stat_cache_dir_free(&d);
	}
	stat_cache_close(c);
	/* one part is lost: names are */
	strcat(path, "/stat.db");
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "DELETE FROM dirs WHERE part=1", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	*strrchr(path, '/') = '\0';
	c = stat_cache_open(path);
	stat_cache_load(c, &dir, &d);
	ck_assert(d.count > 0 && d.count < COUNT && !d.whole);
	stat_cache_dir_free(&d);
	stat_cache_store(c, &dir, x, 3, NULL);
	stat_cache_load(c, &dir, &d);
	ck_assert(d.count == 3 && !d.whole);
	stat_cache_dir_free(&d);
	stat_cache_close(c);
	free(x);
	free(names);
}
END_TEST

/* Nothing is ever an error. */
START_TEST(cache_in_the_way)
{
	struct stat_cache_entry x[3];
	struct stat dir = a_dir(1);
	struct stat_cache_dir d;
	struct stat_cache *c;
	char path[200], file[220], names[3][16];
	int fd;

	fill(x, 3, names);
	stat_cache_load(NULL, &dir, &d);
	ck_assert_uint_eq(d.count, 0);
	stat_cache_store(NULL, &dir, x, 3, NULL);
	snprintf(path, sizeof path, "%s/cache", unit_dir());
	snprintf(file, sizeof file, "%s/stat.db", path);
	for (int i = 0; i < 3; i++) { /* garbage of several lengths: made anew */
		c = stat_cache_open(path);
		ck_assert_ptr_nonnull(c);
		stat_cache_store(c, &dir, x, 3, NULL);
		stat_cache_close(c);
		fd = open(file, O_WRONLY | O_CLOEXEC);
		ck_assert_int_eq(ftruncate(fd, i == 0 ? 100 : i == 1 ? 17000 : 40000), 0);
		ck_assert_int_eq(pwrite(fd, "garbage garbage", 15, i == 2 ? 16390 : 0), 15);
		close(fd);
		c = stat_cache_open(path);
		if (c != NULL)
			stat_cache_load(c, &dir, &d);
		ck_assert(d.count == 0 || d.count == 3);
		stat_cache_dir_free(&d);
		stat_cache_close(c);
	}
	/* for others to write: not believed */
	c = stat_cache_open(path);
	stat_cache_close(c);
	ck_assert_int_eq(chmod(file, 0620), 0);
	ck_assert_ptr_null(stat_cache_open(path));
	ck_assert_int_eq(chmod(file, 0600), 0);
	ck_assert_int_eq(chmod(path, 0770), 0);
	ck_assert_ptr_null(stat_cache_open(path));
	ck_assert_int_eq(chmod(path, 0700), 0);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(symlink("/dev/null", file), 0);
	ck_assert_ptr_null(stat_cache_open(path));
	ck_assert_ptr_null(stat_cache_open("/proc/nowhere"));
}
END_TEST

START_TEST(entries_that_are_racy)
{
	const struct timespec now = {1000000, 500000000};
	struct stat st = {0};
	static const struct {
		int64_t mtime_ns, ctime_ns; /* before now */
		bool settled;
	} cases[] = {
		{1000000000, 1000000000, true},
		{21000000, 21000000, true},
		{19000000, 1000000000, false},
		{1000000000, 19000000, false},
		{0, 1000000000, false},
		{-1000000000, 1000000000, false}, /* of the future */
		{1500000000, 1000000000, false},  /* whole seconds: a coarse clock */
		{2500000000, 1000000001, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t m = stat_cache_ns(&now) - cases[i].mtime_ns;
		int64_t c = stat_cache_ns(&now) - cases[i].ctime_ns;

		st.st_mtim = (struct timespec){m / 1000000000, m % 1000000000};
		st.st_ctim = (struct timespec){c / 1000000000, c % 1000000000};
		ck_assert_msg(stat_cache_settled(&st, &now) == cases[i].settled, "case %zu", i);
	}
}
END_TEST

START_TEST(same_means_everything)
{
	struct stat st = {.st_size = 5, .st_ino = 6, .st_mode = 0100644, .st_mtim = {7, 8},
	    .st_ctim = {9, 10}}, other;
	const struct stat_cache_entry x = {.size = 5, .inode = 6, .mode = 0100644,
	    .mtime_ns = 7000000008, .ctime_ns = 9000000010};

	ck_assert(stat_cache_same(&x, &st));
	other = st, other.st_size++;
	ck_assert(!stat_cache_same(&x, &other));
	other = st, other.st_ino++;
	ck_assert(!stat_cache_same(&x, &other));
	other = st, other.st_mode ^= 0100;
	ck_assert(!stat_cache_same(&x, &other));
	other = st, other.st_mtim.tv_nsec++;
	ck_assert(!stat_cache_same(&x, &other));
	other = st, other.st_ctim.tv_sec++;
	ck_assert(!stat_cache_same(&x, &other));
}
END_TEST

UNIT_SUITE(stat_cache)
{
	tcase_add_test(tc, row_there_and_back);
	tcase_add_test(tc, row_damaged);
	tcase_add_loop_test(tc, row_hostile, 0, 5);
	tcase_add_test(tc, cache_remembers);
	tcase_add_test(tc, cache_has_all_names);
	tcase_add_test(tc, cache_in_the_way);
	tcase_add_test(tc, entries_that_are_racy);
	tcase_add_test(tc, same_means_everything);
}
