/* Damage of every kind to what is stored, and writers that race or die. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include "unit.h"
#include "base/fd.h"
#include "store/fixture.h"
#include "store/fsck.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb-state.h"
#include "store/odb.h"

#define LARGE 33000

static void
overwrite(struct fixture *f, const char *name, const unsigned char *data, size_t len)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct err e;

	ck_assert_int_eq(fchmodat(store_dirfd(f->s), name, 0644, 0), 0);
	fd = openat(store_dirfd(f->s), name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(fd_write_all(fd, data, len, name, &e), &e);
}

/* Every way to read it says ERR_CORRUPT and leaves nothing behind. */
static void
all_reads_fail(struct fixture *f, const struct oid *id)
{
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct err e;

	UNIT_FAILS(odb_read(f->s, id, LARGE + 10, &back, &e), &e, ERR_CORRUPT);
	ck_assert_uint_eq(back.len, 0);
	UNIT_FAILS(odb_stream(f->s, id, NULL, NULL, &e), &e, ERR_CORRUPT);
	UNIT_FAILS(odb_export(f->s, id, f->dirfd, "out", 0644, &e), &e, ERR_CORRUPT);
	UNIT_FAILS(odb_export(f->s, id, f->dirfd, "out", 0444, &e), &e, ERR_CORRUPT);
	ck_assert_int_eq(fixture_count(f->dirfd, "."), 1);
}

START_TEST(odb_durable_large_damage)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(LARGE, 20);
	char name[ODB_FILE_NAME_SIZE], path[100];
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, data, LARGE, &id, &e), &e);
	odb_file_name(&id, name);
	snprintf(path, sizeof path, "objects/%s", name);
	/* all lengths near the ends, and then in steps */
	for (size_t len = 0; len < LARGE; len += len < 300 || len > LARGE - 300 ? 1 : 511) {
		overwrite(&f, path, data, len);
		all_reads_fail(&f, &id);
	}
	for (size_t at = 0; at < LARGE; at += at < 300 || at > LARGE - 300 ? 1 : 509) {
		data[at] ^= (unsigned char)(1u << at % 8);
		overwrite(&f, path, data, LARGE);
		all_reads_fail(&f, &id);
		data[at] ^= (unsigned char)(1u << at % 8);
	}
	overwrite(&f, path, data, LARGE);
	UNIT_OK(odb_stream(f.s, &id, NULL, NULL, &e), &e);
	fixture_close(&f);
}
END_TEST

/* A file that was cut short is put right by the next put of the same bytes. */
START_TEST(odb_durable_put_heals)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(LARGE, 21);
	CLEANUP(cleanup_close) int fd = -1;
	char name[ODB_FILE_NAME_SIZE], path[100];
	struct fixture f;
	struct oid id;
	struct err e;
	uint64_t size;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, data, LARGE, &id, &e), &e);
	odb_file_name(&id, name);
	snprintf(path, sizeof path, "objects/%s", name);
	overwrite(&f, path, data, 100);
	UNIT_OK(odb_put(f.s, data, LARGE, &id, &e), &e);
	UNIT_OK(odb_stream(f.s, &id, NULL, NULL, &e), &e);
	overwrite(&f, path, data, 0);
	fixture_write(&f, "in", data, LARGE);
	fd = openat(f.dirfd, "in", O_RDONLY | O_CLOEXEC);
	UNIT_OK(odb_put_fd(f.s, fd, "in", NULL, &id, &size, &e), &e);
	UNIT_OK(odb_stream(f.s, &id, NULL, NULL, &e), &e);
	fixture_close(&f);
}
END_TEST

static void
put_adopted(struct fixture *f, const unsigned char *data, struct oid *ret)
{
	struct err e;
	uint64_t size;

	fixture_write(f, "in", data, LARGE);
	UNIT_OK(odb_adopt(f->s, f->dirfd, "in", ret, &size, &e), &e);
	ck_assert_uint_eq(size, LARGE);
}

static void
put_file(struct fixture *f, const unsigned char *data, struct oid *ret)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct err e;
	uint64_t size;

	fixture_write(f, "in", data, LARGE);
	fd = openat(f->dirfd, "in", O_RDONLY | O_CLOEXEC);
	UNIT_OK(odb_put_fd(f->s, fd, "in", NULL, ret, &size, &e), &e);
}

static void
put_memory(struct fixture *f, const unsigned char *data, struct oid *ret)
{
	struct err e;

	UNIT_OK(odb_put(f->s, data, LARGE, ret, &e), &e);
}

/* Wrong bytes of the right length, and what is no file: every put puts it right. */
START_TEST(odb_durable_every_put_heals)
{
	static void (*const puts[])(struct fixture *, const unsigned char *, struct oid *) = {
		put_memory, put_file, put_adopted};
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(LARGE, 24);
	CLEANUP(cleanup_free) unsigned char *wrong = fixture_bytes(LARGE, 25);
	char name[ODB_FILE_NAME_SIZE], path[100];
	struct fixture f;
	struct oid id;
	struct stat st;
	struct err e;

	fixture_open(&f);
	put_memory(&f, data, &id);
	odb_file_name(&id, name);
	snprintf(path, sizeof path, "objects/%s", name);
	overwrite(&f, path, wrong, LARGE);
	ck_assert(odb_has(f.s, &id) && !odb_intact(f.s, &id));
	puts[_i](&f, data, &id);
	ck_assert(odb_intact(f.s, &id));
	ck_assert_int_eq(unlinkat(store_dirfd(f.s), path, 0), 0);
	ck_assert_int_eq(symlinkat("/dev/null", store_dirfd(f.s), path), 0);
	puts[_i](&f, data, &id);
	UNIT_OK(odb_stream(f.s, &id, NULL, NULL, &e), &e);
	ck_assert_int_eq(fstatat(store_dirfd(f.s), path, &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	/* read-only, damage is no success */
	overwrite(&f, path, wrong, LARGE);
	fixture_reopen(&f, STORE_READ_ONLY);
	UNIT_FAILS(odb_put(f.s, data, LARGE, &id, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

/* A directory of objects that is a link: nothing is written or believed behind it. */
START_TEST(odb_durable_linked_directory)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(LARGE, 26);
	char name[ODB_FILE_NAME_SIZE], dir[16], target[200], hex[OID_HEX_SIZE];
	struct oid id, found;
	struct fixture f;
	uint64_t size;
	struct err e;
	int rc;

	fixture_open(&f);
	put_memory(&f, data, &id);
	odb_file_name(&id, name);
	snprintf(dir, sizeof dir, "objects/%.2s", name);
	snprintf(target, sizeof target, "%s/out", f.path);
	ck_assert_int_eq(mkdirat(f.dirfd, "out", 0755), 0);
	/* once empty, once with the good bytes under the right name */
	for (int i = 0; i < 2; i++) {
		if (i == 1) {
			char copy[100];

			snprintf(copy, sizeof copy, "out/%s", name + 3);
			fixture_write(&f, copy, data, LARGE);
		}
		UNIT_OK(fd_remove_tree(store_dirfd(f.s), dir, &e), &e);
		ck_assert_int_eq(symlinkat(target, store_dirfd(f.s), dir), 0);
		ck_assert(!odb_has(f.s, &id) && !odb_intact(f.s, &id));
		UNIT_FAILS(odb_size(f.s, &id, &size, &e), &e, ERR_CORRUPT);
		oid_hex(&id, hex);
		UNIT_FAILS(odb_prefix(f.s, hex, &found, &e), &e, ERR_NOTFOUND);
		fixture_write(&f, "in", data, LARGE);
		rc = _i == 0 ? odb_put(f.s, data, LARGE, &found, &e) :
		    odb_adopt(f.s, f.dirfd, "in", &found, &size, &e);
		ck_assert_int_eq(rc, -1);
		ck_assert_int_eq(e.code, ERR_DENIED);
		ck_assert_int_eq(fixture_count(f.dirfd, "out"), i);
		ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	}
	/* the link gone, all is well again */
	ck_assert_int_eq(unlinkat(store_dirfd(f.s), dir, 0), 0);
	put_memory(&f, data, &id);
	ck_assert(odb_intact(f.s, &id));
	fixture_close(&f);
}
END_TEST

/* Every length and every byte of a row, through SQLite itself. */
START_TEST(odb_durable_small_damage)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(300, 22);
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, data, 300, &id, &e), &e);
	for (size_t len = 0; len < 300; len++) {
		UNIT_OK(odb_small_put(f.s, &id, data, len, &e), &e);
		UNIT_FAILS(odb_read(f.s, &id, 300, &back, &e), &e, ERR_CORRUPT);
		ck_assert_uint_eq(back.len, 0);
	}
	for (size_t at = 0; at < 300; at++) {
		data[at] ^= (unsigned char)(1u << at % 8);
		UNIT_OK(odb_small_put(f.s, &id, data, 300, &e), &e);
		all_reads_fail(&f, &id);
		data[at] ^= (unsigned char)(1u << at % 8);
	}
	UNIT_OK(odb_put(f.s, data, 300, &id, &e), &e); /* heals */
	UNIT_OK(odb_read(f.s, &id, 300, &back, &e), &e);
	fixture_close(&f);
}
END_TEST

/* Every byte of the database file: either an error, or exactly the right bytes. */
START_TEST(odb_durable_database_damage)
{
	CLEANUP(buf_free) struct buf file = BUF_INIT;
	struct oid ids[4];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	for (unsigned i = 0; i < 4; i++) {
		CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(200 + i, i);

		UNIT_OK(odb_put(f.s, data, 200 + i, &ids[i], &e), &e);
	}
	fixture_reopen(&f, 0);
	fixture_read(store_dirfd(f.s), "objects/small.db", &file);
	for (size_t at = 0; at < file.len; at++) {
		/* what is not zero, and samples of the empty space */
		if (file.data[at] == 0 && at % 997 != 0)
			continue;
		file.data[at] ^= 0x55;
		overwrite(&f, "objects/small.db", file.data, file.len);
		file.data[at] ^= 0x55;
		fixture_reopen(&f, 0);
		for (unsigned i = 0; i < 4; i++) {
			CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(200 + i, i);
			CLEANUP(buf_free) struct buf back = BUF_INIT;

			if (odb_read(f.s, &ids[i], 1000, &back, &e) == 0)
				ck_assert(back.len == 200 + i && memcmp(back.data, data, back.len) == 0);
			else
				ck_assert_uint_eq(back.len, 0);
		}
	}
	fixture_close(&f);
}
END_TEST

static void
put_text(struct fixture *f, const char *name, const char *text)
{
	char path[100];

	snprintf(path, sizeof path, ".aicert/%s", name);
	fixture_write(f, path, text, strlen(text));
}

START_TEST(odb_durable_hostile_database)
{
	CLEANUP(buf_free) struct buf back = BUF_INIT;
	CLEANUP(buf_free) struct buf file = BUF_INIT;
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "x", 1, &id, &e), &e);
	fixture_reopen(&f, 0);
	fixture_read(store_dirfd(f.s), "objects/small.db", &file);
	put_text(&f, "objects/small.db", "this is not a database, whatever its name may say; it is longer"
	    " than the header of one, which has a hundred bytes");
	UNIT_FAILS(odb_read(f.s, &id, 10, &back, &e), &e, ERR_FORMAT);
	ck_assert(!odb_has(f.s, &id));
	UNIT_FAILS(odb_put(f.s, "y", 1, &id, &e), &e, ERR_FORMAT);
	/* another program's database: the application id is at 68 */
	file.data[71] ^= 1;
	overwrite(&f, "objects/small.db", file.data, file.len);
	UNIT_FAILS(odb_read(f.s, &id, 10, &back, &e), &e, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.msg, "another program"));
	file.data[71] ^= 1;
	/* a newer one: the user version is at 60 */
	file.data[63] = 2;
	overwrite(&f, "objects/small.db", file.data, file.len);
	UNIT_FAILS(odb_read(f.s, &id, 10, &back, &e), &e, ERR_UNSUPPORTED);
	ck_assert_int_eq(unlinkat(store_dirfd(f.s), "objects/small.db", 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", store_dirfd(f.s), "objects/small.db"), 0);
	UNIT_FAILS(odb_put(f.s, "y", 1, &id, &e), &e, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.msg, "not a regular file"));
	fixture_close(&f);
}
END_TEST

START_TEST(odb_durable_empty_database)
{
	struct fixture f;
	struct oid id;
	struct err e;

	/* what a crash in the middle of the very first put leaves */
	fixture_open(&f);
	put_text(&f, "objects/small.db", "");
	memset(&id, 1, sizeof id);
	ck_assert(!odb_has(f.s, &id));
	UNIT_OK(odb_put(f.s, "x", 1, &id, &e), &e);
	ck_assert(odb_has(f.s, &id));
	fixture_close(&f);
}
END_TEST

START_TEST(odb_durable_batches)
{
	CLEANUP(store_closep) struct store *other = NULL;
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(LARGE, 23);
	struct oid a, b, c;
	struct fixture f;
	uint64_t size;
	struct err e;
	int fd;

	fixture_open(&f);
	UNIT_OK(store_open(f.store, 0, &other, &e), &e);
	UNIT_FAILS(odb_batch_end(f.s, &e), &e, ERR_INTERNAL);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_put(f.s, "a", 1, &a, &e), &e);
	ck_assert(odb_has(f.s, &a));
	ck_assert(!odb_has(other, &a));
	UNIT_OK(odb_batch_begin(f.s, &e), &e); /* nested */
	UNIT_OK(odb_put(f.s, "b", 1, &b, &e), &e);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	ck_assert(!odb_has(other, &b));
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	ck_assert(odb_has(other, &a) && odb_has(other, &b));
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_put(f.s, "c", 1, &c, &e), &e);
	odb_batch_abort(f.s);
	ck_assert(!odb_has(f.s, &c) && !odb_has(other, &c));
	odb_batch_abort(f.s); /* harmless */
	/* a large one that is read lets others have their turn; one that is there does not: a commit
	 * for each, of a thousand trees say, would write the index of ids a thousand times */
	fixture_write(&f, "large", large, LARGE);
	fd = openat(f.dirfd, "large", O_RDONLY | O_CLOEXEC);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_put(f.s, "c", 1, &c, &e), &e);
	UNIT_OK(odb_put(f.s, large, LARGE - 1, &a, &e), &e);
	ck_assert(!odb_has(other, &c));
	UNIT_OK(odb_put_fd(f.s, fd, "large", NULL, &a, &size, &e), &e);
	UNIT_OK(odb_put(other, "d", 1, &b, &e), &e);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	ck_assert(odb_has(other, &c) && odb_has(other, &a));
	close(fd);
	fixture_close(&f);
}
END_TEST

START_TEST(odb_durable_inner_abort_spoils_the_batch)
{
	struct fixture f;
	struct oid a;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_OK(odb_put(f.s, "a", 1, &a, &e), &e);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	odb_batch_abort(f.s);
	UNIT_FAILS(odb_batch_end(f.s, &e), &e, ERR_IO);
	ck_assert(!odb_has(f.s, &a));
	UNIT_OK(odb_batch_begin(f.s, &e), &e); /* the next one is fresh */
	UNIT_OK(odb_put(f.s, "a", 1, &a, &e), &e);
	UNIT_OK(odb_batch_end(f.s, &e), &e);
	ck_assert(odb_has(f.s, &a));
	fixture_close(&f);
}
END_TEST

/* Six processes put the same and different things, small and large, at once. */
static int
racer(const char *path, unsigned self)
{
	struct store *s;
	struct err e;

	if (store_open(path, 0, &s, &e) != 0)
		return 1;
	for (unsigned i = 0; i < 30; i++) {
		size_t len = i % 3 == 0 ? 40000 + i : 50 + i;
		CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, i % 2 == 0 ? i : i * 100 + self);
		struct oid id;

		if (odb_put(s, data, len, &id, &e) != 0 || odb_stream(s, &id, NULL, NULL, &e) != 0) {
			fprintf(stderr, "%s\n", e.msg);
			return 2;
		}
	}
	store_close(s);
	return 0;
}

static int
count_object(void *arg, const struct oid *id, uint64_t size)
{
	(void)id;
	(void)size;
	++*(int *)arg;
	return 0;
}

static void
no_damage(void *arg, enum fsck_severity severity, const char *message)
{
	(void)arg;
	ck_assert_msg(severity != FSCK_DAMAGE, "%s", message);
}

static void
fsck_clean(struct fixture *f)
{
	struct err e;
	const struct fsck_options o = {.report = no_damage};
	struct fsck_result r = {.damage = true};

	UNIT_OK(fsck_run(f->s, &o, &r, &e), &e);
	ck_assert(!r.damage);
}

START_TEST(odb_durable_races)
{
	struct fixture f;
	struct err e;
	int count = 0;

	fixture_open(&f);
	for (unsigned i = 0; i < 6; i++)
		if (fork() == 0)
			_exit(racer(f.store, i));
	for (int i = 0; i < 6; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
	}
	UNIT_OK(odb_each(f.s, count_object, &count, &e), &e);
	ck_assert_int_eq(count, 15 + 15 * 6);
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fsck_clean(&f);
	fixture_close(&f);
}
END_TEST

/* A writer that tells each id once it is durable, and is killed somewhere. */
static void
writer(const char *path, unsigned seed, int out)
{
	struct store *s;
	struct err e;

	if (store_open(path, 0, &s, &e) != 0)
		_exit(1);
	for (unsigned i = 0;; i++) {
		size_t len = i % 3 == 0 ? 40000 : 500;
		unsigned char *data = fixture_bytes(len, seed * 10000 + i);
		struct oid id;

		if (odb_put(s, data, len, &id, &e) != 0 || write(out, id.b, OID_SIZE) != OID_SIZE)
			_exit(1);
		free(data);
	}
}

START_TEST(odb_durable_kill)
{
	struct fixture f;
	struct err e;
	struct oid id;
	int told = 0;

	fixture_open(&f);
	for (unsigned round = 0; round < 20; round++) {
		int ends[2];
		pid_t pid;

		ck_assert_int_eq(pipe(ends), 0);
		pid = fork();
		if (pid == 0) {
			close(ends[0]);
			writer(f.store, round, ends[1]);
		}
		close(ends[1]);
		/* somewhere after so many objects, at whatever point it is then */
		for (unsigned i = 0; i <= round % 7; i++)
			ck_assert_int_eq(read(ends[0], id.b, OID_SIZE), OID_SIZE);
		usleep(round * 137 % 1500);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		fixture_reopen(&f, round % 2 == 0 ? STORE_READ_ONLY : 0);
		do {
			UNIT_OK(odb_stream(f.s, &id, NULL, NULL, &e), &e);
			told++;
		} while (read(ends[0], id.b, OID_SIZE) == OID_SIZE);
		close(ends[0]);
		fsck_clean(&f);
	}
	ck_assert_int_ge(told, 20);
	fixture_reopen(&f, 0);
	UNIT_OK(odb_put(f.s, "and on it goes", 14, &id, &e), &e);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(odb_durable)
{
	tcase_add_test(tc, odb_durable_large_damage);
	tcase_add_test(tc, odb_durable_put_heals);
	tcase_add_loop_test(tc, odb_durable_every_put_heals, 0, 3);
	tcase_add_loop_test(tc, odb_durable_linked_directory, 0, 2);
	tcase_add_test(tc, odb_durable_small_damage);
	tcase_add_test(tc, odb_durable_database_damage);
	tcase_add_test(tc, odb_durable_hostile_database);
	tcase_add_test(tc, odb_durable_empty_database);
	tcase_add_test(tc, odb_durable_batches);
	tcase_add_test(tc, odb_durable_inner_abort_spoils_the_batch);
	tcase_add_test(tc, odb_durable_races);
	tcase_add_test(tc, odb_durable_kill);
}
