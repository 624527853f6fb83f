#include "store/odb.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include "unit.h"
#include "base/fd.h"
#include "store/fixture.h"
#include "store/odb-file.h"
#include "store/odb-small.h"

static const size_t sizes[] = {0, 1, 5, ODB_SMALL_MAX - 1, ODB_SMALL_MAX, ODB_SMALL_MAX + 1, 65536,
    262143, 262144, 262145, 1000000};
#define SIZES ((int)(sizeof sizes / sizeof *sizes))

static bool
is_file(struct fixture *f, const struct oid *id)
{
	uint64_t size;
	struct err e;

	return odb_file_size(f->s, id, &size, &e) == 1;
}

START_TEST(odb_round_trip)
{
	size_t len = sizes[_i];
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 7);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct oid id, expected, again;
	struct fixture f;
	struct err e;
	uint64_t size;

	fixture_open(&f);
	UNIT_OK(oid_from_data(&expected, data, len, &e), &e);
	ck_assert(!odb_has(f.s, &expected));
	UNIT_OK(odb_put(f.s, data, len, &id, &e), &e);
	ck_assert(oid_equal(&id, &expected));
	ck_assert_int_eq(is_file(&f, &id), len > ODB_SMALL_MAX);
	fixture_reopen(&f, 0);
	ck_assert(odb_has(f.s, &id));
	UNIT_OK(odb_size(f.s, &id, &size, &e), &e);
	ck_assert_uint_eq(size, len);
	UNIT_OK(odb_read(f.s, &id, len, &back, &e), &e);
	ck_assert_uint_eq(back.len, len);
	ck_assert(len == 0 || memcmp(back.data, data, len) == 0);
	if (len > 0)
		UNIT_FAILS(odb_read(f.s, &id, len - 1, &back, &e), &e, ERR_LIMIT);
	ck_assert_uint_eq(back.len, len);
	UNIT_OK(odb_put(f.s, data, len, &again, &e), &e);
	ck_assert(oid_equal(&id, &again));
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_put_fd_round_trip)
{
	size_t len = sizes[_i];
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 8);
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct oid id, expected, hashed;
	struct fixture f;
	struct err e;
	uint64_t size, hashed_size;

	fixture_open(&f);
	fixture_write(&f, "in", data, len);
	UNIT_OK(oid_from_data(&expected, data, len, &e), &e);
	fd = openat(f.dirfd, "in", O_RDONLY | O_CLOEXEC);
	UNIT_OK(odb_put_fd(f.s, fd, "in", &expected, &id, &size, &e), &e);
	ck_assert(oid_equal(&id, &expected));
	ck_assert_uint_eq(size, len);
	ck_assert_int_eq(is_file(&f, &id), len > ODB_SMALL_MAX);
	UNIT_OK(odb_read(f.s, &id, len, &back, &e), &e);
	ck_assert(back.len == len && (len == 0 || memcmp(back.data, data, len) == 0));
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	UNIT_OK(odb_hash_fd(fd, "in", &hashed, &hashed_size, &e), &e);
	ck_assert(oid_equal(&hashed, &id) && hashed_size == len);
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fixture_close(&f);
}
END_TEST

/* From a pipe: no size beforehand. From the middle of a file: from there on. */
START_TEST(odb_put_fd_pipe_and_offset)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(200000, 9);
	CLEANUP(cleanup_close) int fd = -1;
	struct oid id, expected;
	struct fixture f;
	struct err e;
	uint64_t size;
	int ends[2];
	pid_t pid;

	fixture_open(&f);
	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(fd_write_all(ends[1], data, 200000, "pipe", &e) == 0 ? 0 : 1);
	}
	close(ends[1]);
	UNIT_OK(odb_put_fd(f.s, ends[0], "pipe", NULL, &id, &size, &e), &e);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	UNIT_OK(oid_from_data(&expected, data, 200000, &e), &e);
	ck_assert(size == 200000 && oid_equal(&id, &expected));
	fixture_write(&f, "in", data, 200000);
	fd = openat(f.dirfd, "in", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(lseek(fd, 150000, SEEK_SET), 150000);
	UNIT_OK(odb_put_fd(f.s, fd, "in", NULL, &id, &size, &e), &e);
	UNIT_OK(oid_from_data(&expected, data + 150000, 50000, &e), &e);
	ck_assert(size == 50000 && oid_equal(&id, &expected));
	fixture_close(&f);
}
END_TEST

START_TEST(odb_put_fd_wrong_digest_keeps_nothing)
{
	size_t len = _i == 0 ? 100 : 100000;
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 10);
	CLEANUP(cleanup_close) int fd = -1;
	struct oid id, expected, other;
	struct fixture f;
	struct err e;
	uint64_t size;

	fixture_open(&f);
	fixture_write(&f, "in", data, len);
	UNIT_OK(oid_from_data(&expected, data, len, &e), &e);
	other = expected;
	other.b[31] ^= 1;
	fd = openat(f.dirfd, "in", O_RDONLY | O_CLOEXEC);
	UNIT_FAILS(odb_put_fd(f.s, fd, "in", &other, &id, &size, &e), &e, ERR_REFUSED);
	ck_assert(!odb_has(f.s, &expected) && !odb_has(f.s, &other));
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fixture_close(&f);
}
END_TEST

/* A writer that appends, overwrites or cuts all the time: either refused, or
 * what is stored is what its id says. */
START_TEST(odb_put_fd_of_a_changing_file)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(3000000, 11);
	struct fixture f;
	struct err e;
	int refused = 0;
	pid_t pid;

	fixture_open(&f);
	fixture_write(&f, "in", data, 3000000);
	pid = fork();
	if (pid == 0) {
		int fd = openat(f.dirfd, "in", O_RDWR | O_CLOEXEC);

		for (unsigned i = 0;; i++)
			if (pwrite(fd, data + i % 1000, 4096, (off_t)(i * 4099 % 2990000)) != 4096)
				_exit(1);
	}
	/* on a busy machine the writer may not have begun yet */
	for (int i = 0; i < 5 || (refused == 0 && i < 500); i++) {
		CLEANUP(cleanup_close) int fd = openat(f.dirfd, "in", O_RDONLY | O_CLOEXEC);
		struct oid id;
		uint64_t size;

		if (odb_put_fd(f.s, fd, "in", NULL, &id, &size, &e) != 0) {
			ck_assert_int_eq(e.code, ERR_CONFLICT);
			refused++;
		} else {
			UNIT_OK(odb_stream(f.s, &id, NULL, NULL, &e), &e);
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_gt(refused, 0);
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_absent)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct fixture f;
	struct oid id;
	struct err e;
	uint64_t size;
	int fd;

	fixture_open(&f);
	memset(&id, 0x5a, sizeof id);
	for (int i = 0; i < 2; i++) { /* without small.db, then with it */
		ck_assert(!odb_has(f.s, &id));
		UNIT_FAILS(odb_size(f.s, &id, &size, &e), &e, ERR_NOTFOUND);
		ck_assert_ptr_nonnull(strstr(e.msg, "5a5a5a5a"));
		UNIT_FAILS(odb_read(f.s, &id, 10, &b, &e), &e, ERR_NOTFOUND);
		UNIT_FAILS(odb_stream(f.s, &id, NULL, NULL, &e), &e, ERR_NOTFOUND);
		UNIT_FAILS(odb_open(f.s, &id, &fd, &size, &e), &e, ERR_NOTFOUND);
		UNIT_FAILS(odb_export(f.s, &id, f.dirfd, "out", 0644, &e), &e, ERR_NOTFOUND);
		if (i == 0) {
			struct oid other;

			UNIT_OK(odb_put(f.s, "x", 1, &other, &e), &e);
		}
	}
	ck_assert_int_eq(fixture_count(f.dirfd, "."), 1);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_large_objects_are_read_only_files)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(100000, 12);
	char name[ODB_FILE_NAME_SIZE], path[100];
	struct fixture f;
	struct stat st;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, data, 100000, &id, &e), &e);
	odb_file_name(&id, name);
	snprintf(path, sizeof path, "objects/%s", name);
	ck_assert_int_eq(fstatat(store_dirfd(f.s), path, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0444);
	ck_assert_uint_eq((uint64_t)st.st_size, 100000);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_open_gives_a_fixed_descriptor)
{
	size_t len = _i == 0 ? 1000 : 100000;
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 13);
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct fixture f;
	struct oid id;
	struct err e;
	uint64_t size;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, data, len, &id, &e), &e);
	UNIT_OK(odb_open(f.s, &id, &fd, &size, &e), &e);
	ck_assert_uint_eq(size, len);
	UNIT_OK(fd_read_all(fd, len, &back, "object", &e), &e);
	ck_assert(back.len == len && memcmp(back.data, data, len) == 0);
	ck_assert_int_lt(write(fd, "x", 1), 0);
	ck_assert_int_ne(ftruncate(fd, 0), 0);
	fixture_close(&f);
}
END_TEST

static void
adopt_one(size_t len, bool linked)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 14);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct oid id, expected;
	struct fixture f;
	struct err e;
	uint64_t size;

	fixture_open(&f);
	UNIT_OK(oid_from_data(&expected, data, len, &e), &e);
	for (int i = 0; i < 2; i++) { /* the second time it is there already */
		fixture_write(&f, "out", data, len);
		if (linked)
			ck_assert_int_eq(linkat(f.dirfd, "out", f.dirfd, i == 0 ? "a" : "b", 0), 0);
		UNIT_OK(odb_adopt(f.s, f.dirfd, "out", &id, &size, &e), &e);
		ck_assert(oid_equal(&id, &expected) && size == len);
		ck_assert_int_ne(faccessat(f.dirfd, "out", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	}
	if (linked)
		fixture_write(&f, "a", "other", 5); /* must not be the store's own file */
	UNIT_OK(odb_read(f.s, &id, len, &back, &e), &e);
	ck_assert(back.len == len && memcmp(back.data, data, len) == 0);
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fixture_close(&f);
}

START_TEST(odb_adopt_moves)
{
	adopt_one(sizes[_i] == 0 ? 2 : sizes[_i], false);
	adopt_one(sizes[_i] == 0 ? 2 : sizes[_i], true);
}
END_TEST

START_TEST(odb_adopt_takes_ownership)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(100000, 15);
	char name[ODB_FILE_NAME_SIZE], path[100];
	struct fixture f;
	struct stat st;
	struct oid id;
	struct err e;
	uint64_t size;

	if (geteuid() != 0)
		return; /* only root has files of others to adopt */
	fixture_open(&f);
	fixture_write(&f, "out", data, 100000);
	ck_assert_int_eq(fchownat(f.dirfd, "out", 12345, 12345, 0), 0);
	ck_assert_int_eq(fchmodat(f.dirfd, "out", 0666, 0), 0);
	UNIT_OK(odb_adopt(f.s, f.dirfd, "out", &id, &size, &e), &e);
	odb_file_name(&id, name);
	snprintf(path, sizeof path, "objects/%s", name);
	ck_assert_int_eq(fstatat(store_dirfd(f.s), path, &st, 0), 0);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0444);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_adopt_refuses)
{
	struct fixture f;
	struct oid id;
	struct err e;
	uint64_t size;

	fixture_open(&f);
	ck_assert_int_eq(mkdirat(f.dirfd, "dir", 0755), 0);
	UNIT_FAILS(odb_adopt(f.s, f.dirfd, "dir", &id, &size, &e), &e, ERR_DENIED);
	ck_assert_int_eq(symlinkat("/etc/passwd", f.dirfd, "link"), 0);
	UNIT_FAILS(odb_adopt(f.s, f.dirfd, "link", &id, &size, &e), &e, ERR_DENIED);
	ck_assert_int_eq(mkfifoat(f.dirfd, "fifo", 0644), 0);
	UNIT_FAILS(odb_adopt(f.s, f.dirfd, "fifo", &id, &size, &e), &e, ERR_DENIED);
	UNIT_FAILS(odb_adopt(f.s, f.dirfd, "none", &id, &size, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_export_writes_and_never_replaces)
{
	size_t len = _i % 2 == 0 ? 1000 : 100000;
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, 16);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	static const unsigned modes[] = {0444, 0555, 0644, 0755};
	struct fixture f;
	struct stat st;
	struct oid id;
	struct err e;

	fixture_open(&f);
	ck_assert_int_eq(mkdirat(f.dirfd, "d", 0755), 0);
	UNIT_OK(odb_put(f.s, data, len, &id, &e), &e);
	for (size_t i = 0; i < 4; i++) {
		char name[16];

		snprintf(name, sizeof name, "d/out%zu", i);
		UNIT_OK(odb_export(f.s, &id, f.dirfd, name, modes[i], &e), &e);
		fixture_read(f.dirfd, name, &back);
		ck_assert(back.len == len && memcmp(back.data, data, len) == 0);
		ck_assert_int_eq(fstatat(f.dirfd, name, &st, 0), 0);
		ck_assert_uint_eq(st.st_mode & 07777, modes[i]);
		ck_assert_uint_eq(st.st_nlink, 1);
		UNIT_FAILS(odb_export(f.s, &id, f.dirfd, name, 0644, &e), &e, ERR_EXISTS);
	}
	ck_assert_int_eq(symlinkat("/nonexistent", f.dirfd, "d/link"), 0);
	UNIT_FAILS(odb_export(f.s, &id, f.dirfd, "d/link", 0644, &e), &e, ERR_EXISTS);
	ck_assert_int_eq(fixture_count(f.dirfd, "d"), 5);
	fixture_close(&f);
}
END_TEST

/* Whoever writes the store's own file later does not write the copy. */
START_TEST(odb_export_is_a_private_copy)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(100000, 17);
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	char name[ODB_FILE_NAME_SIZE], path[100];
	struct fixture f;
	struct stat ours, theirs;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, data, 100000, &id, &e), &e);
	UNIT_OK(odb_export(f.s, &id, f.dirfd, "in", 0444, &e), &e);
	odb_file_name(&id, name);
	snprintf(path, sizeof path, "objects/%s", name);
	ck_assert_int_eq(fstatat(store_dirfd(f.s), path, &theirs, 0), 0);
	ck_assert_int_eq(fstatat(f.dirfd, "in", &ours, 0), 0);
	ck_assert(ours.st_ino != theirs.st_ino);
	ck_assert_uint_eq(theirs.st_nlink, 1);
	ck_assert_int_eq(fchmodat(store_dirfd(f.s), path, 0644, 0), 0);
	fd = openat(store_dirfd(f.s), path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "changed", 7, 50), 7);
	fixture_read(f.dirfd, "in", &back);
	ck_assert(back.len == 100000 && memcmp(back.data, data, 100000) == 0);
	ck_assert_int_eq(fstatat(f.dirfd, "in", &ours, 0), 0);
	ck_assert_uint_eq(ours.st_mode & 07777, 0444);
	fixture_close(&f);
}
END_TEST

struct seen {
	struct oid ids[64];
	uint64_t sizes[64];
	int count, stop_at;
};

static int
collect(void *arg, const struct oid *id, uint64_t size)
{
	struct seen *seen = arg;

	seen->ids[seen->count] = *id;
	seen->sizes[seen->count++] = size;
	return seen->count == seen->stop_at;
}

START_TEST(odb_each_tells_all_once)
{
	struct seen seen = {.count = 0};
	struct oid ids[20];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_each(f.s, collect, &seen, &e), &e);
	ck_assert_int_eq(seen.count, 0);
	for (unsigned i = 0; i < 20; i++) {
		size_t len = i % 2 == 0 ? 100 + i : 50000 + i;
		CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, i);

		UNIT_OK(odb_put(f.s, data, len, &ids[i], &e), &e);
	}
	UNIT_OK(odb_each(f.s, collect, &seen, &e), &e);
	ck_assert_int_eq(seen.count, 20);
	for (unsigned i = 0; i < 20; i++) {
		int found = 0;

		for (int k = 0; k < 20; k++)
			if (oid_equal(&seen.ids[k], &ids[i])) {
				found++;
				ck_assert_uint_eq(seen.sizes[k], i % 2 == 0 ? 100 + i : 50000 + i);
			}
		ck_assert_int_eq(found, 1);
	}
	seen = (struct seen){.stop_at = 3};
	UNIT_OK(odb_each(f.s, collect, &seen, &e), &e);
	ck_assert_int_eq(seen.count, 3);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_prefixes)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(50000, 1);
	char hex[OID_HEX_SIZE], prefix[OID_HEX_SIZE];
	struct oid ids[2], found;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "small", 5, &ids[0], &e), &e);
	UNIT_OK(odb_put(f.s, large, 50000, &ids[1], &e), &e);
	for (int i = 0; i < 2; i++) {
		oid_hex(&ids[i], hex);
		for (size_t n = 7; n <= 64; n++) {
			snprintf(prefix, sizeof prefix, "%.*s", (int)n, hex);
			UNIT_OK(odb_prefix(f.s, prefix, &found, &e), &e);
			ck_assert(oid_equal(&found, &ids[i]));
		}
		prefix[63] ^= 1; /* '0' and '1', 'e' and 'd', ... stay hexadecimal or are refused */
		ck_assert_int_ne(odb_prefix(f.s, prefix, &found, &e), 0);
		snprintf(prefix, sizeof prefix, "%.6s", hex);
		UNIT_FAILS(odb_prefix(f.s, prefix, &found, &e), &e, ERR_USAGE);
	}
	UNIT_FAILS(odb_prefix(f.s, "ABCDEF0", &found, &e), &e, ERR_USAGE);
	UNIT_FAILS(odb_prefix(f.s, "../../x", &found, &e), &e, ERR_USAGE);
	UNIT_FAILS(odb_prefix(f.s, "0000000", &found, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

/* Two ids that share 7 digits cannot be found in a test: rows and files of
 * invented names do for the ambiguity. */
START_TEST(odb_prefix_ambiguous_lists)
{
	struct oid a, b, found;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	memset(&a, 0xab, sizeof a);
	b = a;
	b.b[31] = 0;
	UNIT_OK(odb_small_put(f.s, &a, "a", 1, &e), &e);
	UNIT_OK(odb_small_put(f.s, &b, "b", 1, &e), &e);
	UNIT_FAILS(odb_prefix(f.s, "abababab", &found, &e), &e, ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(e.msg, "abababababababab"));
	fixture_close(&f);
}
END_TEST

START_TEST(odb_read_only)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(50000, 1);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct oid small_id, large_id, id;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "small", 5, &small_id, &e), &e);
	UNIT_OK(odb_put(f.s, large, 50000, &large_id, &e), &e);
	fixture_reopen(&f, STORE_READ_ONLY);
	ck_assert(store_read_only(f.s));
	UNIT_OK(odb_read(f.s, &small_id, 5, &back, &e), &e);
	UNIT_OK(odb_read(f.s, &large_id, 50000, &back, &e), &e);
	/* what is there needs no writing */
	UNIT_OK(odb_put(f.s, "small", 5, &id, &e), &e);
	UNIT_OK(odb_put(f.s, large, 50000, &id, &e), &e);
	UNIT_FAILS(odb_put(f.s, "other", 5, &id, &e), &e, ERR_DENIED);
	UNIT_FAILS(odb_put(f.s, large, 49999, &id, &e), &e, ERR_DENIED);
	UNIT_FAILS(odb_batch_begin(f.s, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(odb)
{
	tcase_add_loop_test(tc, odb_round_trip, 0, SIZES);
	tcase_add_loop_test(tc, odb_put_fd_round_trip, 0, SIZES);
	tcase_add_test(tc, odb_put_fd_pipe_and_offset);
	tcase_add_loop_test(tc, odb_put_fd_wrong_digest_keeps_nothing, 0, 2);
	tcase_add_test(tc, odb_put_fd_of_a_changing_file);
	tcase_add_test(tc, odb_absent);
	tcase_add_test(tc, odb_large_objects_are_read_only_files);
	tcase_add_loop_test(tc, odb_open_gives_a_fixed_descriptor, 0, 2);
	tcase_add_loop_test(tc, odb_adopt_moves, 0, SIZES);
	tcase_add_test(tc, odb_adopt_takes_ownership);
	tcase_add_test(tc, odb_adopt_refuses);
	tcase_add_loop_test(tc, odb_export_writes_and_never_replaces, 0, 2);
	tcase_add_test(tc, odb_export_is_a_private_copy);
	tcase_add_test(tc, odb_each_tells_all_once);
	tcase_add_test(tc, odb_prefixes);
	tcase_add_test(tc, odb_prefix_ambiguous_lists);
	tcase_add_test(tc, odb_read_only);
}
