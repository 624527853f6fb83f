#include "db/db.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "unit.h"
#include "base/fd.h"

static const char schema[] = "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB NOT NULL);\n"
    "CREATE INDEX t_v ON t(v);\n";

static const struct db_options options = {.flags = DB_CREATE, .page_size = 4096,
    .application_id = 0xfedcba98u, .user_version = 3, .schema = schema, .durable = true};

/* A fresh name each time; static storage, one at a time. */
static const char *
fresh(char ret[128])
{
	static int n;

	snprintf(ret, 128, "%s/t%d-%ld.db", unit_dir(), n++, (long)getpid());
	return ret;
}

static void
foreign(const char *path, const char *sql)
{
	sqlite3 *sq;

	ck_assert_int_eq(sqlite3_open(path, &sq), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(sq, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(sq), SQLITE_OK);
}

static void
insert(struct db *d, int64_t id, const void *data, size_t len)
{
	struct db_stmt *st;
	struct err e;

	UNIT_OK(db_prepare(d, "INSERT INTO t(id, v) VALUES(?1, ?2)", &st, &e), &e);
	db_bind_int(st, 1, id);
	db_bind_blob(st, 2, data, len);
	UNIT_OK(db_step(st, &e), &e);
}

static int64_t
count(struct db *d)
{
	struct db_stmt *st;
	struct err e;
	int64_t n;

	UNIT_OK(db_prepare(d, "SELECT count(*) FROM t", &st, &e), &e);
	ck_assert_int_eq(db_step(st, &e), 1);
	n = db_int(st, 0);
	ck_assert_int_eq(db_step(st, &e), 0);
	return n;
}

START_TEST(db_round_trip)
{
	struct db_options read_only = options;
	struct db_stmt *st, *same;
	const void *data;
	struct db *d;
	struct err e;
	char path[128];
	size_t len;

	UNIT_OK(db_open(fresh(path), &options, &d, &e), &e);
	insert(d, 1, "a\0b", 3);
	insert(d, 2, "", 0);
	db_close(d);
	read_only.flags = DB_READ_ONLY;
	UNIT_OK(db_open(path, &read_only, &d, &e), &e);
	UNIT_OK(db_prepare(d, "SELECT v FROM t WHERE id=?1", &st, &e), &e);
	UNIT_OK(db_prepare(d, "SELECT v FROM t WHERE id=?1", &same, &e), &e);
	ck_assert_ptr_eq(st, same);
	db_bind_int(st, 1, 1);
	ck_assert_int_eq(db_step(st, &e), 1);
	data = db_blob(st, 0, &len);
	ck_assert(len == 3 && memcmp(data, "a\0b", 3) == 0);
	db_reset(st);
	db_bind_int(st, 1, 2);
	ck_assert_int_eq(db_step(st, &e), 1);
	ck_assert_ptr_nonnull(db_blob(st, 0, &len));
	ck_assert_uint_eq(len, 0);
	db_reset(st);
	UNIT_FAILS(db_exec(d, "DELETE FROM t", &e), &e, ERR_IO);
	UNIT_FAILS(db_prepare(d, "SELECT nothing", &st, &e), &e, ERR_IO);
	db_close(d);
	db_close(NULL);
}
END_TEST

START_TEST(db_transactions)
{
	struct db_options again = options;
	struct db *d, *other;
	struct err e;
	char path[128];

	UNIT_OK(db_open(fresh(path), &options, &d, &e), &e);
	again.flags = 0;
	UNIT_OK(db_open(path, &again, &other, &e), &e);
	UNIT_OK(db_begin(d, &e), &e);
	insert(d, 1, "x", 1);
	ck_assert_int_eq(count(d), 1);
	ck_assert_int_eq(count(other), 0);
	db_rollback(d);
	db_rollback(d); /* harmless */
	ck_assert_int_eq(count(d), 0);
	UNIT_OK(db_begin(d, &e), &e);
	insert(d, 1, "x", 1);
	UNIT_OK(db_commit(d, &e), &e);
	ck_assert_int_eq(count(other), 1);
	ck_assert_int_ne(db_commit(d, &e), 0); /* none is open */
	db_close(other);
	db_close(d);
}
END_TEST

START_TEST(db_missing_and_empty)
{
	struct db_options o = options;
	struct db *d;
	struct err e;
	char path[128];
	int fd;

	o.flags = 0;
	UNIT_FAILS(db_open(fresh(path), &o, &d, &e), &e, ERR_NOTFOUND);
	ck_assert_int_ne(access(path, F_OK), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	close(fd);
	UNIT_FAILS(db_open(path, &o, &d, &e), &e, ERR_NOTFOUND);
	UNIT_OK(db_open(path, &options, &d, &e), &e);
	db_close(d);
	UNIT_OK(db_open(path, &o, &d, &e), &e);
	db_close(d);
	/* a first page, and nothing in it: another process is just making it */
	fresh(path);
	foreign(path, "CREATE TABLE x(a); DROP TABLE x");
	UNIT_FAILS(db_open(path, &o, &d, &e), &e, ERR_NOTFOUND);
	UNIT_OK(db_open(path, &options, &d, &e), &e);
	db_close(d);
	UNIT_OK(db_open(path, &o, &d, &e), &e);
	db_close(d);
	UNIT_OK(db_open(":memory:", &options, &d, &e), &e);
	insert(d, 1, "x", 1);
	db_close(d);
	UNIT_FAILS(db_open(unit_dir(), &options, &d, &e), &e, ERR_FORMAT);
	UNIT_FAILS(db_open("/nonexistent/x.db", &options, &d, &e), &e, ERR_IO);
}
END_TEST

/* application id, version, and the schema to the letter */
START_TEST(db_strangers)
{
	static const struct {
		const char *sql;
		enum err_code code;
	} cases[] = {
		{"CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB NOT NULL)", ERR_FORMAT},
		{"PRAGMA application_id=1; CREATE TABLE t(id)", ERR_FORMAT},
		{"PRAGMA application_id=-19088744; PRAGMA user_version=4; CREATE TABLE t(id)", ERR_UNSUPPORTED},
		{"PRAGMA application_id=-19088744; PRAGMA user_version=2; CREATE TABLE t(id)", ERR_UNSUPPORTED},
		{"PRAGMA application_id=-19088744; PRAGMA user_version=3;"
		    "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB NOT NULL)", ERR_FORMAT},
		{"PRAGMA application_id=-19088744; PRAGMA user_version=3;"
		    "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB NOT NULL); CREATE INDEX t_v ON t(v);"
		    "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END", ERR_FORMAT},
		{"PRAGMA application_id=-19088744; PRAGMA user_version=3;"
		    "CREATE VIEW t AS SELECT 1 AS id, 'x' AS v", ERR_FORMAT},
		{"PRAGMA application_id=-19088744; PRAGMA user_version=3;"
		    "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB NOT NULL DEFAULT (randomblob(9)));"
		    "CREATE INDEX t_v ON t(v)", ERR_FORMAT},
	};
	struct db *d;
	struct err e;
	char path[128];

	foreign(fresh(path), cases[_i].sql);
	UNIT_FAILS(db_open(path, &options, &d, &e), &e, cases[_i].code);
}
END_TEST

START_TEST(db_same_schema_by_hand_opens)
{
	struct db *d;
	struct err e;
	char path[128];

	foreign(fresh(path), "PRAGMA application_id=-19088744; PRAGMA user_version=3;"
	    "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB NOT NULL); CREATE INDEX t_v ON t(v);");
	UNIT_OK(db_open(path, &options, &d, &e), &e);
	db_close(d);
}
END_TEST

START_TEST(db_symlinks_and_journals)
{
	static const char magic[] = "/etc/passwd\0\0\0\0\0\0\0\0\0\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
	char path[128], other[160];
	struct db *d;
	struct err e;
	int fd;

	UNIT_OK(db_open(fresh(path), &options, &d, &e), &e);
	db_close(d);
	snprintf(other, sizeof other, "%s-link", path);
	ck_assert_int_eq(symlink(path, other), 0);
	UNIT_FAILS(db_open(other, &options, &d, &e), &e, ERR_FORMAT);
	/* a journal that names a file to delete */
	snprintf(other, sizeof other, "%s-journal", path);
	(void)unlink(other);
	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	ck_assert_int_eq(write(fd, magic, sizeof magic - 1), sizeof magic - 1);
	close(fd);
	UNIT_FAILS(db_open(path, &options, &d, &e), &e, ERR_DENIED);
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(symlink("/etc/passwd", other), 0);
	ck_assert_int_ne(db_open(path, &options, &d, &e), 0);
	ck_assert_int_eq(unlink(other), 0);
	UNIT_OK(db_open(path, &options, &d, &e), &e);
	db_close(d);
}
END_TEST

START_TEST(db_garbage)
{
	char path[128], junk[8192];
	struct db *d;
	struct err e;
	int fd;

	memset(junk, 'x', sizeof junk);
	for (size_t len = 1; len <= sizeof junk; len *= 2) {
		fd = open(fresh(path), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		ck_assert_int_eq(write(fd, junk, len), (ssize_t)len);
		close(fd);
		UNIT_FAILS(db_open(path, &options, &d, &e), &e, ERR_FORMAT);
	}
}
END_TEST

/* Ten processes make the same database and add a row each. */
START_TEST(db_creation_race)
{
	struct db_options o = options, reader = options;
	char path[128];
	struct db *d;
	struct err e;

	o.shrinks = true;
	reader.flags = 0;
	fresh(path);
	for (int i = 0; i < 10; i++)
		if (fork() == 0) {
			while (i % 2 == 0 && db_open(path, &reader, &d, &e) != 0)
				if (e.code != ERR_NOTFOUND) {
					fprintf(stderr, "%s\n", e.msg);
					_exit(4);
				}
			if (db_open(path, &o, &d, &e) != 0) {
				fprintf(stderr, "%s\n", e.msg);
				_exit(1);
			}
			if (db_begin(d, &e) != 0)
				_exit(2);
			insert(d, i, "x", 1);
			_exit(db_commit(d, &e) == 0 ? 0 : 3);
		}
	for (int i = 0; i < 10; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
	}
	UNIT_OK(db_open(path, &options, &d, &e), &e);
	ck_assert_int_eq(count(d), 10);
	db_close(d);
}
END_TEST

/* Killed between the writes of a transaction: rolled back by the next opening. */
START_TEST(db_kill_rolls_back)
{
	char path[128];
	struct db *d;
	struct err e;
	pid_t pid;

	UNIT_OK(db_open(fresh(path), &options, &d, &e), &e);
	insert(d, 1, "x", 1);
	db_close(d);
	pid = fork();
	if (pid == 0) {
		if (db_open(path, &options, &d, &e) != 0 || db_exec(d, "PRAGMA cache_size=1", &e) != 0 ||
		    db_begin(d, &e) != 0)
			_exit(1);
		for (int i = 2; i < 400; i++) {
			unsigned char data[1000];

			memset(data, i, sizeof data);
			insert(d, i, data, sizeof data); /* spills into the file */
		}
		_exit(7);
	}
	ck_assert_int_eq(waitpid(pid, &(int){0}, 0), pid);
	UNIT_OK(db_open(path, &options, &d, &e), &e);
	ck_assert_int_eq(count(d), 1);
	db_close(d);
}
END_TEST

UNIT_SUITE(db)
{
	tcase_add_test(tc, db_round_trip);
	tcase_add_test(tc, db_transactions);
	tcase_add_test(tc, db_missing_and_empty);
	tcase_add_loop_test(tc, db_strangers, 0, 8);
	tcase_add_test(tc, db_same_schema_by_hand_opens);
	tcase_add_test(tc, db_symlinks_and_journals);
	tcase_add_test(tc, db_garbage);
	tcase_add_test(tc, db_creation_race);
	tcase_add_test(tc, db_kill_rolls_back);
}
