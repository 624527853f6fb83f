#include "store/alternates.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "unit.h"
#include "store/elsewhere.h"
#include "store/fixture.h"
#include "store/fsck.h"
#include "store/in-place.h"
#include "store/ingest.h"
#include "store/odb-state.h"
#include "store/odb.h"
#include "store/runs.h"

/* The configuration and the cache of a user who has none. */
static void
nobody(struct fixture *f)
{
	setenv("HOME", f->path, 1);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HF_HOME");
	unsetenv("HF_HUB_CACHE");
}

static void
make_dirs(struct fixture *f, const char *path)
{
	char copy[512];

	snprintf(copy, sizeof copy, "%s", path);
	for (char *p = copy; p != NULL; p = p != NULL ? strchr(p + 1, '/') : NULL) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdirat(f->dirfd, copy, 0755) != 0)
			ck_assert_int_eq(errno, EEXIST);
		*p = '/';
	}
}

static void
place(struct fixture *f, const char *format, const struct oid *id, const void *data, size_t len)
{
	char hex[OID_HEX_SIZE], path[512];

	oid_hex(id, hex);
	if (strstr(format, "lfs") != NULL)
		snprintf(path, sizeof path, "%s/%.2s/%.2s/%s", format, hex, hex + 2, hex);
	else
		snprintf(path, sizeof path, "%s/%s", format, hex);
	make_dirs(f, path);
	fixture_write(f, path, data, len);
}

static int
places(struct store *s, const struct oid *id)
{
	int n = 0;

	for (;; n++) {
		CLEANUP(source_close) struct source p = SOURCE_INIT;
		struct err e;
		int rc = elsewhere_find(s, id, (unsigned)n, &p, &e);

		ck_assert_int_ge(rc, 0);
		if (rc == 0)
			return n;
		ck_assert_ptr_nonnull(p.path);
	}
}

START_TEST(alternates_places)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(50000, 1);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct fixture f;
	struct oid id;
	uint64_t size;
	struct err e;
	bool may;

	fixture_open(&f);
	nobody(&f);
	UNIT_OK(oid_from_data(&id, data, 50000, &e), &e);
	ck_assert_int_eq(places(f.s, &id), 0);
	UNIT_OK(alternates_size(f.s, 50000, &may, &e), &e);
	ck_assert(!may);
	place(&f, ".git/lfs/objects", &id, data, 50000);
	place(&f, ".cache/huggingface/hub/models--a--b/blobs", &id, data, 50000);
	place(&f, ".cache/huggingface/hub/datasets--a--b/blobs", &id, data, 50000);
	fixture_write(&f, ".cache/huggingface/hub/models--a--b/blobs/README", "x", 1);
	ck_assert_int_eq(places(f.s, &id), 0); /* looked for once a handle */
	fixture_reopen(&f, 0);
	ck_assert_int_eq(places(f.s, &id), 2); /* the hub says one place */
	ck_assert(odb_has(f.s, &id) && !odb_has_own(f.s, &id));
	UNIT_OK(odb_size(f.s, &id, &size, &e), &e);
	ck_assert_uint_eq(size, 50000);
	UNIT_OK(odb_read(f.s, &id, 100000, &back, &e), &e);
	ck_assert(back.len == 50000 && memcmp(back.data, data, 50000) == 0);
	UNIT_OK(odb_export(f.s, &id, f.dirfd, "out", 0644, &e), &e);
	UNIT_OK(alternates_size(f.s, 50000, &may, &e), &e);
	ck_assert(may);
	UNIT_OK(alternates_size(f.s, 50001, &may, &e), &e);
	ck_assert(!may);
	fixture_close(&f);
}
END_TEST

/* Wrong bytes are never handed out as the object. */
START_TEST(alternates_are_verified)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(50000, 1);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	nobody(&f);
	UNIT_OK(oid_from_data(&id, data, 50000, &e), &e);
	data[7] ^= 1;
	place(&f, ".git/lfs/objects", &id, data, 50000);
	fixture_reopen(&f, 0);
	ck_assert(odb_has(f.s, &id) && !odb_intact(f.s, &id));
	UNIT_FAILS(odb_read(f.s, &id, 100000, &back, &e), &e, ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(e.msg, "lfs"));
	ck_assert_uint_eq(back.len, 0);
	UNIT_FAILS(odb_export(f.s, &id, f.dirfd, "out", 0644, &e), &e, ERR_CORRUPT);
	ck_assert_int_ne(faccessat(f.dirfd, "out", F_OK, 0), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(alternates_other_stores)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(50000, 1);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct fixture f, other;
	struct oid large, small;
	char text[400];
	struct err e;

	fixture_open(&other);
	UNIT_OK(odb_put(other.s, data, 50000, &large, &e), &e);
	UNIT_OK(odb_put(other.s, "small", 5, &small, &e), &e);
	fixture_open(&f);
	nobody(&f);
	/* a repository cannot name what lies outside of it */
	snprintf(text, sizeof text, "[core]\n\tformatversion = 1\n[store]\n\talternate = %s\n", other.path);
	fixture_write(&f, ".aicert/config", text, strlen(text));
	fixture_reopen(&f, 0);
	ck_assert(!odb_has(f.s, &large));
	/* its user can */
	make_dirs(&f, ".config/aicert/config");
	snprintf(text, sizeof text, "[store]\n\talternate = %s\n\talternate = /nowhere\n", other.path);
	fixture_write(&f, ".config/aicert/config", text, strlen(text));
	fixture_reopen(&f, 0);
	ck_assert(odb_has(f.s, &large) && odb_has(f.s, &small));
	UNIT_OK(odb_read(f.s, &small, 100, &back, &e), &e);
	ck_assert_str_eq(buf_str(&back), "small");
	/* off */
	snprintf(text + strlen(text), 100, "\talternates = off\n");
	fixture_write(&f, ".config/aicert/config", text, strlen(text));
	fixture_reopen(&f, 0);
	ck_assert(!odb_has(f.s, &large) && !odb_has(f.s, &small));
	fixture_close(&f);
	fixture_close(&other);
}
END_TEST

static struct in_place_file seen;
static char seen_path[256];

static int
see(void *arg, const struct in_place_file *file)
{
	int *count = arg;

	seen = *file;
	snprintf(seen_path, sizeof seen_path, "%s", file->path);
	(*count)++;
	return 0;
}

START_TEST(in_place_files)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(50000, 1);
	enum in_place_state state;
	struct fixture f;
	struct oid id;
	struct err e;
	int fd, count = 0;

	fixture_open(&f);
	nobody(&f);
	UNIT_OK(oid_from_data(&id, data, 50000, &e), &e);
	UNIT_OK(in_place_each(f.s, see, &count, &e), &e);
	ck_assert_int_eq(count, 0);
	fixture_write(&f, "file", data, 50000);
	fd = openat(f.dirfd, "file", O_RDONLY | O_CLOEXEC);
	UNIT_FAILS(in_place_add(f.s, &id, fd, "../file", &e), &e, ERR_FORMAT);
	UNIT_FAILS(in_place_add(f.s, &id, fd, "/file", &e), &e, ERR_FORMAT);
	UNIT_OK(in_place_add(f.s, &id, fd, "file", &e), &e);
	UNIT_OK(in_place_add(f.s, &id, fd, "file", &e), &e);
	close(fd);
	UNIT_OK(in_place_each(f.s, see, &count, &e), &e);
	ck_assert_int_eq(count, 1);
	ck_assert_str_eq(seen_path, "file");
	seen.path = seen_path;
	ck_assert(oid_equal(&seen.id, &id) && seen.size == 50000);
	UNIT_OK(in_place_look(f.s, &seen, &state, &e), &e);
	ck_assert_int_eq(state, IN_PLACE_SAME);
	ck_assert(odb_intact(f.s, &id) && !odb_has_own(f.s, &id));
	/* other times: read */
	fixture_write(&f, "file", data, 50000);
	seen.mtime_ns ^= 1;
	UNIT_OK(in_place_look(f.s, &seen, &state, &e), &e);
	ck_assert_int_eq(state, IN_PLACE_TOUCHED);
	UNIT_OK(in_place_verify(f.s, &seen, &state, &e), &e);
	ck_assert_int_eq(state, IN_PLACE_SAME);
	data[0] ^= 1;
	fixture_write(&f, "file", data, 50000);
	UNIT_OK(in_place_verify(f.s, &seen, &state, &e), &e);
	ck_assert_int_eq(state, IN_PLACE_LOST);
	ck_assert(odb_has(f.s, &id) && !odb_intact(f.s, &id));
	fixture_write(&f, "file", data, 49999);
	UNIT_OK(in_place_look(f.s, &seen, &state, &e), &e);
	ck_assert_int_eq(state, IN_PLACE_LOST);
	ck_assert(!odb_has(f.s, &id));
	/* a link in its place is not followed */
	fixture_write(&f, "elsewhere", data, 50000);
	ck_assert_int_eq(unlinkat(f.dirfd, "file", 0), 0);
	ck_assert_int_eq(symlinkat("elsewhere", f.dirfd, "file"), 0);
	UNIT_OK(in_place_look(f.s, &seen, &state, &e), &e);
	ck_assert_int_eq(state, IN_PLACE_LOST);
	ck_assert(!odb_has(f.s, &id));
	UNIT_OK(in_place_lock(f.s, &e), &e);
	UNIT_OK(in_place_delete(f.s, &id, &e), &e);
	in_place_rollback(f.s);
	count = 0;
	UNIT_OK(in_place_each(f.s, see, &count, &e), &e);
	ck_assert_int_eq(count, 1);
	UNIT_OK(in_place_lock(f.s, &e), &e);
	UNIT_OK(in_place_delete(f.s, &id, &e), &e);
	UNIT_OK(in_place_flush(f.s, &e), &e);
	count = 0;
	UNIT_OK(in_place_each(f.s, see, &count, &e), &e);
	ck_assert_int_eq(count, 0);
	fixture_close(&f);
}
END_TEST

/* A batch that is given up leaves no record. */
START_TEST(in_place_batch)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(50000, 1);
	struct fixture f;
	struct oid id;
	struct err e;
	int fd;

	fixture_open(&f);
	nobody(&f);
	UNIT_OK(oid_from_data(&id, data, 50000, &e), &e);
	fixture_write(&f, "file", data, 50000);
	fd = openat(f.dirfd, "file", O_RDONLY | O_CLOEXEC);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(in_place_add(f.s, &id, fd, "file", &e), &e);
	odb_batch_abort(f.s);
	ck_assert(!odb_has(f.s, &id));
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(in_place_add(f.s, &id, fd, "file", &e), &e);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	close(fd);
	fixture_reopen(&f, 0);
	ck_assert(odb_intact(f.s, &id));
	/* garbage in its place is no reference, and no crash */
	fixture_write(&f, ".aicert/in-place.db", "garbage", 7);
	fixture_reopen(&f, 0);
	ck_assert(!odb_has(f.s, &id));
	fixture_close(&f);
}
END_TEST

/* What a put does in each mode. */
START_TEST(alternates_in_puts)
{
	static const struct {
		enum ingest_mode mode;
		bool alternate, own;
	} cases[] = {
		{INGEST_AUTO, true, false}, {INGEST_AUTO, false, true}, {INGEST_COPY, true, true},
		{INGEST_COPY, false, true}, {INGEST_REFERENCE, false, false}, {INGEST_REFERENCE, true, false},
	};
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(50000, 1);
	const struct ingest_options o = {.mode = cases[_i].mode, .threads = 2};
	struct ingest_item item = {.path = "file", .worktree = true};
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	nobody(&f);
	UNIT_OK(oid_from_data(&id, data, 50000, &e), &e);
	if (cases[_i].alternate)
		place(&f, ".git/lfs/objects", &id, data, 50000);
	fixture_reopen(&f, 0);
	fixture_write(&f, "file", data, 50000);
	item.dirfd = f.dirfd;
	for (int again = 0; again < 2; again++) {
		item.done = false;
		UNIT_OK(ingest_items(f.s, &o, &item, 1, &e), &e);
		ck_assert(oid_equal(&item.result.id, &id));
		ck_assert(odb_intact(f.s, &id));
		ck_assert(odb_has_own(f.s, &id) == cases[_i].own);
	}
	fixture_close(&f);
}
END_TEST

/* A place that holds the object: the hub's cache, git-lfs, the work tree, another store
 * (small and large). */
static void
hold(struct fixture *f, int place_, const struct oid *id, const unsigned char *data, size_t len)
{
	char other[200];
	struct store *s;
	struct oid put;
	struct err e;
	bool created;
	int fd;

	if (place_ == 0) {
		place(f, ".cache/huggingface/hub/models--a--b/blobs", id, data, len);
	} else if (place_ == 1) {
		place(f, ".git/lfs/objects", id, data, len);
	} else if (place_ == 2) {
		fixture_write(f, "file", data, len);
		fd = openat(f->dirfd, "file", O_RDONLY | O_CLOEXEC);
		UNIT_OK(in_place_add(f->s, id, fd, "file", &e), &e);
		close(fd);
	} else {
		ck_assert_int_eq(mkdirat(f->dirfd, "other", 0755), 0);
		snprintf(other, sizeof other, "%s/other", f->path);
		UNIT_OK(store_init(other, &created, &e), &e);
		snprintf(other, sizeof other, "%s/other/.aicert", f->path);
		UNIT_OK(store_open(other, 0, &s, &e), &e);
		UNIT_OK(odb_put(s, data, len, &put, &e), &e);
		store_close(s);
		snprintf(other, sizeof other, "[core]\n\tformatversion = 1\n[store]\n\talternate = other\n");
		fixture_write(f, ".aicert/config", other, strlen(other));
	}
}

static void
no_damage(void *arg, enum fsck_severity severity, const char *message)
{
	(void)arg;
	ck_assert_msg(severity != FSCK_DAMAGE, "%s", message);
}

/* Without descriptors nothing is known, and what is not known is not lost. */
START_TEST(alternates_without_descriptors)
{
	const size_t len = _i == 4 ? 100 : 50000;
	const struct fsck_options o = {.report = no_damage, .threads = 1};
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 1);
	struct rlimit before, few;
	struct object_ref ref = {.type = OBJECT_BLOB};
	struct fsck_result r;
	struct fixture f;
	unsigned asked = 0, failed = 0;
	struct err e;
	bool there;

	fixture_open(&f);
	nobody(&f);
	UNIT_OK(oid_from_data(&ref.id, data, len, &e), &e);
	hold(&f, _i, &ref.id, data, len);
	fixture_reopen(&f, 0);
	runs_set_ref(&f, "refs/tags/t", &ref);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	for (rlim_t max = 3; max < 40; max++) {
		struct store *s;
		bool whole;

		few.rlim_cur = max;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		if (store_open(f.store, STORE_READ_ONLY, &s, &e) == 0) {
			for (int again = 0; again < 2; again++) {
				there = true;
				whole = odb_find(s, &ref.id, &there, &e) == 0;
				ck_assert_msg(there, "lost with %d descriptors", (int)max);
				asked += whole;
				failed += !whole;
			}
			if (fsck_run(s, &o, &r, &e) == 0)
				ck_assert(!r.damage);
			store_close(s);
		}
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	}
	ck_assert_msg(asked > 10 && failed > 0, "%u, %u", asked, failed);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(alternates)
{
	tcase_add_test(tc, alternates_places);
	tcase_add_test(tc, alternates_are_verified);
	tcase_add_test(tc, alternates_other_stores);
	tcase_add_test(tc, in_place_files);
	tcase_add_test(tc, in_place_batch);
	tcase_add_loop_test(tc, alternates_without_descriptors, 0, 5);
	tcase_add_loop_test(tc, alternates_in_puts, 0, 6);
}
