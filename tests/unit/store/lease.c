#include "store/lease.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include "unit.h"
#include "base/atomic-file.h"
#include "base/dir-walk.h"
#include "base/fd.h"
#include "store/fixture.h"
#include "store/lease-set.h"
#include "store/odb.h"

/* The one lease there is, with its bytes; false when there is none. */
static bool
the_lease(struct fixture *f, struct buf *ret, char name[64])
{
	struct dir_walk w = DIR_WALK_INIT;
	char path[100];
	struct err e;
	int found = 0;

	UNIT_OK(dir_walk_list(f->dirfd, ".aicert/tmp", 1000, &w, &e), &e);
	for (size_t i = 0; i < w.count; i++)
		if (strncmp(w.names[i], LEASE_PREFIX, strlen(LEASE_PREFIX)) == 0) {
			snprintf(name, 64, "%s", w.names[i]);
			found++;
		}
	dir_walk_free(&w);
	ck_assert_int_le(found, 1);
	if (found == 0)
		return false;
	snprintf(path, sizeof path, ".aicert/tmp/%s", name);
	fixture_read(f->dirfd, path, ret);
	return true;
}

static bool
holds(const struct buf *lease, const struct oid *id)
{
	ck_assert_uint_ge(lease->len, LEASE_HEAD_SIZE);
	ck_assert_uint_eq((lease->len - LEASE_HEAD_SIZE) % OID_SIZE, 0);
	for (size_t at = LEASE_HEAD_SIZE; at < lease->len; at += OID_SIZE)
		if (memcmp(lease->data + at, id->b, OID_SIZE) == 0)
			return true;
	return false;
}

static bool
leased(struct fixture *f, const struct oid *id)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char name[64];

	return the_lease(f, &text, name) && holds(&text, id);
}

/* Rule 12: every way to rely on an object puts its id into the lease. */
START_TEST(lease_of_every_put)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(50000, 1);
	CLEANUP(cleanup_close) int fd = -1;
	struct oid small, file, streamed, adopted, kept;
	struct fixture f;
	uint64_t size;
	struct err e;

	fixture_open(&f);
	ck_assert(!leased(&f, &(struct oid){0}));
	for (int again = 0; again < 2; again++) {
		UNIT_OK(odb_put(f.s, "small", 5, &small, &e), &e);
		ck_assert(leased(&f, &small));
		UNIT_OK(odb_put(f.s, large, 50000, &file, &e), &e);
		ck_assert(leased(&f, &file));
		fixture_write(&f, "stream", large, 40000);
		fd = openat(f.dirfd, "stream", O_RDONLY | O_CLOEXEC);
		UNIT_OK(odb_put_fd(f.s, fd, "stream", NULL, &streamed, &size, &e), &e);
		close(fd);
		fd = -1;
		ck_assert(leased(&f, &streamed));
		fixture_write(&f, "adopt", large, 45000);
		UNIT_OK(odb_adopt(f.s, f.dirfd, "adopt", &adopted, &size, &e), &e);
		ck_assert(leased(&f, &adopted));
		memset(&kept, 7, sizeof kept);
		UNIT_OK(odb_keep(f.s, &kept, 1, &e), &e);
		ck_assert(leased(&f, &kept));
		/* gone with its owner; the next one has to write it all again */
		fixture_reopen(&f, 0);
		ck_assert(!leased(&f, &small));
	}
	fixture_close(&f);
}
END_TEST

START_TEST(lease_of_a_batch)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid id[100];
	struct fixture f;
	char name[64];
	struct err e;

	fixture_open(&f);
	for (int again = 0; again < 2; again++) {
		UNIT_OK(odb_batch_begin(f.s, &e), &e);
		for (int i = 0; i < 100; i++)
			UNIT_OK(odb_put(f.s, &i, sizeof i, &id[i], &e), &e);
		UNIT_OK(odb_batch_end(f.s, &e), &e);
		buf_reset(&text);
		ck_assert(the_lease(&f, &text, name));
		for (int i = 0; i < 100; i++)
			ck_assert(holds(&text, &id[i]));
		/* what was written a moment ago is not written again */
		ck_assert_uint_le(text.len, LEASE_HEAD_SIZE + 110 * OID_SIZE);
	}
	/* of what was given up nothing is relied on */
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_put(f.s, "dropped", 7, &id[0], &e), &e);
	odb_batch_abort(f.s);
	ck_assert(!leased(&f, &id[0]));
	fixture_close(&f);
}
END_TEST

START_TEST(lease_says_its_owner)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_close) int fd = -1;
	char name[64], path[100], pid[32];
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "x", 1, &id, &e), &e);
	ck_assert(the_lease(&f, &text, name));
	snprintf(pid, sizeof pid, "%ld ", (long)getpid());
	ck_assert_int_eq(memcmp(text.data, pid, strlen(pid)), 0);
	ck_assert_int_eq(text.data[LEASE_HEAD_SIZE - 1], '\n');
	snprintf(path, sizeof path, ".aicert/tmp/%s", name);
	fd = openat(f.dirfd, path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(flock(fd, LOCK_SH | LOCK_NB), 0);
	fixture_close(&f);
	ck_assert_int_eq(flock(fd, LOCK_SH | LOCK_NB), 0);
}
END_TEST

/* Rule 15: it is left to a gc that runs. */
START_TEST(lease_left_to_gc)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock gc = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char name[64], path[100];
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "x", 1, &id, &e), &e);
	UNIT_OK(atomic_file_lock(&gc, store_dirfd(f.s), LEASE_GC, 0, &e), &e);
	store_close(f.s);
	f.s = NULL;
	ck_assert(leased(&f, &id));
	ck_assert(the_lease(&f, &text, name));
	ck_assert_int_eq(unlinkat(f.dirfd, strcat(strcpy(path, ".aicert/tmp/"), name), 0), 0);
	/* a lock that nobody holds is no gc */
	atomic_file_unlock(&gc);
	fixture_write(&f, ".aicert/gc.lock", "1 nowhere\n", 10);
	UNIT_OK(store_open(f.store, 0, &f.s, &e), &e);
	UNIT_OK(odb_put(f.s, "y", 1, &id, &e), &e);
	store_close(f.s);
	f.s = NULL;
	ck_assert(!leased(&f, &id));
	close(f.dirfd);
}
END_TEST

START_TEST(lease_shared)
{
	struct fixture f;
	struct store *other;
	struct lease *l;
	struct oid a, b;
	struct err e;

	fixture_open(&f);
	UNIT_OK(lease_open(f.s, &l, &e), &e);
	UNIT_OK(store_open(f.store, 0, &other, &e), &e);
	lease_join(f.s, l);
	lease_join(other, l);
	UNIT_OK(odb_put(f.s, "a", 1, &a, &e), &e);
	UNIT_OK(odb_put(other, "b", 1, &b, &e), &e);
	ck_assert(leased(&f, &a) && leased(&f, &b));
	store_close(other);
	fixture_close(&f);
	f.dirfd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert(leased(&f, &a) && leased(&f, &b));
	lease_close(l);
	ck_assert(!leased(&f, &a));
	close(f.dirfd);
}
END_TEST

START_TEST(lease_refused)
{
	struct oid id = {{1}};
	struct fixture f;
	struct err e;
	int fd;

	fixture_open(&f);
	/* nothing of a read-only handle */
	fixture_reopen(&f, STORE_READ_ONLY);
	UNIT_OK(odb_keep(f.s, &id, 1, &e), &e);
	ck_assert(!leased(&f, &id));
	UNIT_FAILS(lease_create(f.s, "x", &fd, &e), &e, ERR_DENIED);
	/* a gate that is none */
	fixture_reopen(&f, 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", f.dirfd, ".aicert/gate"), 0);
	UNIT_FAILS(odb_keep(f.s, &id, 1, &e), &e, ERR_IO);
	UNIT_FAILS(odb_put(f.s, "x", 1, &id, &e), &e, ERR_IO);
	ck_assert(!odb_has(f.s, &id));
	ck_assert_int_eq(unlinkat(f.dirfd, ".aicert/gate", 0), 0);
	ck_assert_int_eq(mkfifoat(f.dirfd, ".aicert/gate", 0600), 0);
	UNIT_FAILS(odb_keep(f.s, &id, 1, &e), &e, ERR_FORMAT);
	ck_assert_int_eq(unlinkat(f.dirfd, ".aicert/gate", 0), 0);
	UNIT_OK(odb_keep(f.s, &id, 1, &e), &e);
	fixture_close(&f);
}
END_TEST

/* A file of tmp/ is flocked from its making on. */
START_TEST(lease_creates_locked)
{
	CLEANUP(cleanup_close) int again = -1;
	struct fixture f;
	struct err e;
	int fd;

	fixture_open(&f);
	UNIT_OK(lease_create(f.s, "object-1", &fd, &e), &e);
	again = openat(store_tmp_fd(f.s), "object-1", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ne(flock(again, LOCK_EX | LOCK_NB), 0);
	close(fd);
	ck_assert_int_eq(flock(again, LOCK_EX | LOCK_NB), 0);
	UNIT_FAILS(lease_create(f.s, "object-1", &fd, &e), &e, ERR_IO);
	fixture_close(&f);
}
END_TEST

static int
tell(void *arg, const struct oid *id, struct err *e)
{
	unsigned char *seen = arg;

	(void)e;
	seen[id->b[0] << 8 | id->b[1]] = 1;
	return 0;
}

/* A daemon is asked about the same objects for months. */
START_TEST(lease_does_not_grow_for_ever)
{
	enum { IDS = 50000, ROUNDS = 30 };
	CLEANUP(lease_set_free) struct lease_set set = {0};
	CLEANUP(cleanup_free) struct oid *ids = calloc(IDS, sizeof *ids);
	CLEANUP(cleanup_free) unsigned char *seen = calloc(65536, 1);
	CLEANUP(buf_free) struct buf first = BUF_INIT, last = BUF_INIT;
	char name[64], later[64];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	set.s = f.s;
	for (int i = 0; i < IDS; i++) {
		ids[i].b[0] = (unsigned char)(i >> 8);
		ids[i].b[1] = (unsigned char)i;
	}
	UNIT_OK(odb_keep(f.s, ids, 1, &e), &e);
	ck_assert(the_lease(&f, &first, name));
	UNIT_OK(lease_set_begin(&set, &e), &e);
	for (int round = 0; round < ROUNDS; round++) {
		UNIT_OK(odb_keep(f.s, ids, IDS, &e), &e);
		UNIT_OK(lease_set_read(&set, tell, seen, &e), &e);
	}
	ck_assert(the_lease(&f, &last, later));
	ck_assert_str_ne(name, later);
	ck_assert_uint_lt(last.len, 18u * 1024 * 1024);
	ck_assert_int_eq(memcmp(first.data, last.data, LEASE_HEAD_SIZE), 0);
	for (int i = 0; i < IDS; i++)
		ck_assert(seen[i] == 1);
	memset(seen, 0, 65536);
	lease_set_free(&set);
	UNIT_OK(lease_set_begin(&set, &e), &e);
	UNIT_OK(lease_set_read(&set, tell, seen, &e), &e);
	for (int i = 0; i < IDS; i++)
		ck_assert(seen[i] == 1);
	ck_assert(lease_set_oldest(&set) < INT64_MAX);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(lease)
{
	tcase_add_test(tc, lease_of_every_put);
	tcase_add_test(tc, lease_of_a_batch);
	tcase_add_test(tc, lease_says_its_owner);
	tcase_add_test(tc, lease_left_to_gc);
	tcase_add_test(tc, lease_shared);
	tcase_add_test(tc, lease_refused);
	tcase_add_test(tc, lease_creates_locked);
	tcase_add_test(tc, lease_does_not_grow_for_ever);
}
