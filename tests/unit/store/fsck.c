#include "store/fsck.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "base/atomic-file.h"
#include "base/fd.h"
#include "store/gc.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"
#include "store/reflog.h"
#include "store/refs.h"
#include "store/runs.h"
#include "store/sealed.h"

struct findings {
	char text[64][256];
	enum fsck_severity severity[64];
	int count;
};

static void
note(void *arg, enum fsck_severity severity, const char *message)
{
	struct findings *n = arg;

	ck_assert_int_lt(n->count, 64);
	n->severity[n->count] = severity;
	snprintf(n->text[n->count++], 256, "%s", message);
}

static bool
run(struct fixture *f, struct findings *n)
{
	const struct fsck_options o = {.report = note, .arg = n};
	struct fsck_result r;
	struct err e;

	n->count = 0;
	UNIT_OK(fsck_run(f->s, &o, &r, &e), &e);
	return r.damage;
}

static bool
found(const struct findings *n, enum fsck_severity severity, const char *text)
{
	for (int i = 0; i < n->count; i++)
		if (n->severity[i] == severity && strstr(n->text[i], text) != NULL)
			return true;
	return false;
}

START_TEST(fsck_clean)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(50000, 1);
	struct object_ref a, b;
	struct findings n;
	struct fixture f;
	struct oid id;
	struct err e;

	fixture_open(&f);
	ck_assert(!run(&f, &n));
	ck_assert_int_eq(n.count, 0);
	UNIT_OK(odb_put(f.s, large, 50000, &id, &e), &e);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	b = fixture_commit(&f, "b", 2, &a.id, 1);
	runs_set_ref(&f, "HEAD", &b);
	runs_set_ref(&f, "refs/tags/t", &a);
	ck_assert(!run(&f, &n));
	ck_assert_int_eq(n.count, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(fsck_damaged_objects)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(50000, 1);
	char name[ODB_FILE_NAME_SIZE], path[100], hex[OID_HEX_SIZE];
	struct findings n;
	struct fixture f;
	struct oid file, row;
	struct err e;
	int fd;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, large, 50000, &file, &e), &e);
	UNIT_OK(odb_put(f.s, "row", 3, &row, &e), &e);
	UNIT_OK(odb_small_put(f.s, &row, "rox", 3, &e), &e);
	ck_assert(run(&f, &n));
	ck_assert_int_eq(n.count, 1);
	oid_hex(&row, hex);
	ck_assert(found(&n, FSCK_DAMAGE, hex));
	odb_file_name(&file, name);
	snprintf(path, sizeof path, "objects/%s", name);
	ck_assert_int_eq(fchmodat(store_dirfd(f.s), path, 0644, 0), 0);
	fd = openat(store_dirfd(f.s), path, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "X", 1, 49999), 1);
	close(fd);
	ck_assert(run(&f, &n));
	ck_assert_int_eq(n.count, 2);
	ck_assert(found(&n, FSCK_DAMAGE, name));
	fixture_write(&f, ".aicert/objects/small.db", "garbage", 7);
	fixture_reopen(&f, 0);
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "small.db"));
	fixture_close(&f);
}
END_TEST

START_TEST(fsck_damaged_refs)
{
	struct object_ref a, absent;
	char line[100], hex[OID_HEX_SIZE];
	struct findings n;
	struct fixture f;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	runs_set_ref(&f, "HEAD", &a);
	fixture_write(&f, ".aicert/refs/heads/bad", "garbage\n", 8);
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "refs/heads/bad"));
	absent = a;
	absent.id.b[0] ^= 1;
	oid_hex(&absent.id, hex);
	snprintf(line, sizeof line, "commit sha256:%s\n", hex);
	fixture_write(&f, ".aicert/refs/heads/bad", line, strlen(line));
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "missing"));
	oid_hex(&a.id, hex);
	snprintf(line, sizeof line, "tree sha256:%s\n", hex);
	fixture_write(&f, ".aicert/refs/heads/bad", line, strlen(line));
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "which is a commit"));
	ck_assert_int_eq(unlinkat(store_dirfd(f.s), "refs/heads/bad", 0), 0);
	fixture_write(&f, ".aicert/HEAD", "nonsense\n", 9);
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "HEAD"));
	fixture_close(&f);
}
END_TEST

/* Outputs and logs of successful runs are needed; inputs are not. */
START_TEST(fsck_what_history_needs)
{
	struct runs_output a, b, absent;
	struct object_ref c, parentless;
	char hex[OID_HEX_SIZE];
	struct findings n;
	struct fixture f;
	struct oid cert, ghost;

	fixture_open(&f);
	a = runs_blob(&f, "a", "a");
	b = runs_blob(&f, "b", "b");
	cert = runs_certificate(&f, &a, &b);
	c = runs_commit(&f, &cert, 1, NULL);
	runs_set_ref(&f, "HEAD", &c);
	ck_assert(!run(&f, &n));
	ck_assert(found(&n, FSCK_LITTER, "not kept here")); /* the golden inputs */
	absent = a;
	absent.id.b[0] ^= 1;
	cert = runs_certificate(&f, &absent, &b);
	c = runs_commit(&f, &cert, 2, &c.id);
	runs_set_ref(&f, "HEAD", &c);
	ck_assert(run(&f, &n));
	oid_hex(&absent.id, hex);
	ck_assert(found(&n, FSCK_DAMAGE, hex));
	fixture_close(&f);
	fixture_open(&f);
	memset(&ghost, 0x66, sizeof ghost);
	parentless = fixture_commit(&f, "x", 1, &ghost, 1);
	runs_set_ref(&f, "HEAD", &parentless);
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "commit 6666"));
	fixture_close(&f);
	fixture_open(&f);
	cert = runs_failed_certificate(&f);
	c = runs_commit(&f, &cert, 1, NULL);
	runs_set_ref(&f, "refs/failed/x", &c);
	ck_assert(!run(&f, &n));
	fixture_close(&f);
}
END_TEST

START_TEST(fsck_head_of_no_branch)
{
	struct object_ref a;
	struct findings n;
	struct fixture f;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	runs_set_ref(&f, "HEAD", &a);
	fixture_write(&f, ".aicert/HEAD", "ref: refs/heads/maim\n", 21);
	ck_assert(run(&f, &n));
	ck_assert(found(&n, FSCK_DAMAGE, "HEAD: names refs/heads/maim"));
	fixture_close(&f);
}
END_TEST

START_TEST(fsck_litter)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(cleanup_free) char *name = NULL;
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct object_ref a;
	struct findings n;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	runs_set_ref(&f, "HEAD", &a);
	UNIT_OK(store_tmp_dir(f.s, "run", &name, &e), &e);
	fixture_write(&f, ".aicert/refs/heads/dead.lock", "1 nowhere\n", 10);
	UNIT_OK(atomic_file_lock(&lock, store_dirfd(f.s), "refs/heads/live", 0, &e), &e);
	fixture_write(&f, ".aicert/refs/heads/x.tmp-1", "", 0);
	fixture_read(f.dirfd, ".aicert/logs/refs/heads/main", &log);
	buf_adds(&log, "torn");
	fixture_write(&f, ".aicert/logs/refs/heads/main", log.data, log.len);
	fixture_write(&f, ".aicert/objects/readme", "", 0);
	fixture_write(&f, ".aicert/stray", "", 0);
	ck_assert(!run(&f, &n));
	ck_assert(found(&n, FSCK_LITTER, name));
	ck_assert(found(&n, FSCK_LITTER, "dead.lock"));
	ck_assert(!found(&n, FSCK_LITTER, "live.lock"));
	ck_assert(found(&n, FSCK_LITTER, "x.tmp-1"));
	ck_assert(found(&n, FSCK_LITTER, "1 lines do not parse"));
	ck_assert(found(&n, FSCK_LITTER, "objects/readme"));
	ck_assert(found(&n, FSCK_LITTER, "stray"));
	fixture_close(&f);
}
END_TEST

/* The record of a run is a root that nothing else vouches for. */
START_TEST(fsck_damaged_runs)
{
	static const char name[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_close) int runs = -1;
	struct findings n;
	struct fixture f;
	char path[100];
	struct err e;

	fixture_open(&f);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/runs", 0755), 0);
	runs = openat(f.dirfd, ".aicert/runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_adds(&text, "{}");
	UNIT_OK(sealed_write(runs, name, &text, 0600, &e), &e);
	ck_assert(!run(&f, &n) && n.count == 0);
	fixture_write(&f, ".aicert/runs/README", "garbage", 7);
	ck_assert(!run(&f, &n) && n.count == 1 && found(&n, FSCK_LITTER, "runs/README"));
	ck_assert_int_eq(renameat(runs, name, runs, "x"), 0);
	ck_assert_int_eq(symlinkat("x", runs, name), 0);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, name));
	ck_assert_int_eq(unlinkat(runs, name, 0), 0);
	snprintf(path, sizeof path, ".aicert/runs/%s", name);
	fixture_write(&f, path, "garbage", 7);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, name));
	fixture_close(&f);
}
END_TEST

#define LOG ".aicert/logs/refs/heads/main"

/* A history of three commits, the log of which is in *ret. */
static void
open_logged(struct fixture *f, struct buf *ret)
{
	struct object_ref a, b, c;

	fixture_open(f);
	a = fixture_commit(f, "a", 1, NULL, 0);
	b = fixture_commit(f, "b", 2, &a.id, 1);
	c = fixture_commit(f, "c", 3, NULL, 0);
	runs_set_ref(f, "HEAD", &a);
	runs_set_ref(f, "HEAD", &c);
	runs_set_ref(f, "HEAD", &b);
	fixture_read(f->dirfd, LOG, ret);
}

/* The ids of a log: every bit flipped, every length. */
START_TEST(fsck_damaged_reflogs)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct findings n;
	struct fixture f;
	const char *end;
	size_t line, third;

	open_logged(&f, &text);
	ck_assert(!run(&f, &n) && n.count == 0);
	end = strchr(buf_str(&text), '\n') + 1;
	line = (size_t)(end - buf_str(&text));
	third = (size_t)(strchr(end, '\n') + 1 - buf_str(&text));
	for (size_t from = 0; from < text.len; from = from == 0 ? line : from == line ? third : text.len) {
		for (size_t bit = 0; bit < 8 * 2 * OID_HEX_SIZE; bit += 3) {
			text.data[from + bit / 8] ^= (unsigned char)(1u << bit % 8);
			fixture_write(&f, LOG, text.data, text.len);
			ck_assert_msg(run(&f, &n), "bit %zu of the line at %zu", bit, from);
			ck_assert(found(&n, FSCK_DAMAGE, "logs/refs/heads/main"));
			text.data[from + bit / 8] ^= (unsigned char)(1u << bit % 8);
		}
	}
	/* lines that are lost: the last, the first, the second, all */
	fixture_write(&f, LOG, text.data, third);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, "does not end with what the ref names"));
	fixture_write(&f, LOG, text.data + line, text.len - line);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, "line 1 does not begin"));
	memmove(text.data + line, text.data + third, text.len - third);
	fixture_write(&f, LOG, text.data, line + text.len - third);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, "line 2 does not begin"));
	ck_assert_int_eq(unlinkat(f.dirfd, LOG, 0), 0);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, "is lost, and what it alone named"));
	fixture_close(&f);
}
END_TEST

/* What a writer leaves that dies is no damage: changes that did not happen, torn or not. */
START_TEST(fsck_reflog_of_the_dead)
{
	const struct refs_change gone = {.name = "refs/tags/t", .any_old = true, .author = "T <t@e>",
	    .message = "deleted"};
	struct reflog_entry entry = {.has_old = true, .has_new = true, .author = "T <t@e>", .time = 4,
	    .message = "died"};
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct findings n;
	struct fixture f;
	struct object_ref head, other;
	struct err e;

	open_logged(&f, &text);
	UNIT_OK(refs_read(f.s, "HEAD", &head, &e), &e);
	entry.old = head.id;
	for (long i = 0; i < 2; i++) {
		entry.new_ = fixture_commit(&f, "dead", 10 + i, NULL, 0).id;
		UNIT_OK(reflog_append(f.s, "refs/heads/main", &entry, &e), &e);
		ck_assert(!run(&f, &n) && n.count == 0);
	}
	fixture_read(f.dirfd, LOG, &text);
	buf_adds(&text, "0123");
	fixture_write(&f, LOG, text.data, text.len);
	other = fixture_commit(&f, "lives", 12, NULL, 0);
	runs_set_ref(&f, "HEAD", &other);
	ck_assert(!run(&f, &n));
	/* its log outlived a tag; the next one of that name goes on with it */
	runs_set_ref(&f, "refs/tags/t", &other);
	ck_assert_int_eq(linkat(f.dirfd, ".aicert/logs/refs/tags/t", f.dirfd, "log", 0), 0);
	UNIT_OK(refs_update(f.s, &gone, &e), &e);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/logs/refs/tags", 0755) == 0 || errno == EEXIST, 1);
	ck_assert_int_eq(linkat(f.dirfd, "log", f.dirfd, ".aicert/logs/refs/tags/t", 0), 0);
	ck_assert(!run(&f, &n));
	runs_set_ref(&f, "refs/tags/t", &head);
	ck_assert(!run(&f, &n));
	/* but a tag that was not deleted and is not there is lost */
	ck_assert_int_eq(unlinkat(f.dirfd, ".aicert/refs/tags/t", 0), 0);
	runs_set_ref(&f, "HEAD", &head);
	ck_assert(!run(&f, &n)); /* as if the making of it had failed */
	runs_set_ref(&f, "refs/tags/u", &head);
	runs_set_ref(&f, "refs/tags/u", &other);
	ck_assert_int_eq(unlinkat(f.dirfd, ".aicert/refs/tags/u", 0), 0);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, "logs/refs/tags/u"));
	fixture_close(&f);
}
END_TEST

/* What only a log names has to be there; and a damaged log is kept, with what it names. */
START_TEST(fsck_reflog_repair)
{
	const struct fsck_options repair = {.flags = FSCK_REPAIR, .report = note};
	struct fsck_options o = repair;
	CLEANUP(buf_free) struct buf text = BUF_INIT, kept = BUF_INIT;
	struct object_ref c, head;
	struct findings n = {.count = 0};
	struct fsck_result r;
	struct gc_result removed;
	const struct gc_options collect = {0};
	struct fixture f;
	struct err e;

	open_logged(&f, &text);
	c = fixture_commit(&f, "c", 3, NULL, 0);
	UNIT_OK(refs_read(f.s, "HEAD", &head, &e), &e);
	text.len = (size_t)(strchr(strchr(buf_str(&text), '\n') + 1, '\n') + 1 - buf_str(&text));
	fixture_write(&f, LOG, text.data, text.len);
	o.arg = &n;
	UNIT_OK(fsck_run(f.s, &o, &r, &e), &e);
	ck_assert(!r.damage && r.repaired == 1 && found(&n, FSCK_REPAIRED, "logs/refs/heads/main"));
	ck_assert(!run(&f, &n) && n.count == 0);
	fixture_read(f.dirfd, ".aicert/quarantine/log-refs%heads%main", &kept);
	ck_assert(kept.len == text.len && memcmp(kept.data, text.data, text.len) == 0);
	fixture_reopen(&f, 0);
	UNIT_OK(gc_run(f.s, &collect, &removed, &e), &e);
	ck_assert(odb_has(f.s, &c.id) && odb_has(f.s, &head.id));
	/* a log that was there before is not written over */
	ck_assert_int_eq(unlinkat(f.dirfd, LOG, 0), 0);
	UNIT_OK(fsck_run(f.s, &o, &r, &e), &e);
	ck_assert(!r.damage);
	fixture_write(&f, LOG, text.data, text.len);
	UNIT_OK(fsck_run(f.s, &o, &r, &e), &e);
	ck_assert(!r.damage);
	ck_assert_int_eq(fixture_count(f.dirfd, ".aicert/quarantine"), 2);
	/* c is in the log alone */
	runs_set_ref(&f, "HEAD", &c);
	runs_set_ref(&f, "HEAD", &head);
	UNIT_OK(odb_small_lock(f.s, &e), &e);
	UNIT_OK(odb_small_delete(f.s, &c.id, &e), &e);
	UNIT_OK(odb_small_flush(f.s, &e), &e);
	ck_assert(run(&f, &n) && found(&n, FSCK_DAMAGE, "which is missing"));
	ck_assert_int_eq(n.count, 1);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(fsck)
{
	tcase_add_test(tc, fsck_clean);
	tcase_add_test(tc, fsck_damaged_objects);
	tcase_add_test(tc, fsck_damaged_refs);
	tcase_add_test(tc, fsck_what_history_needs);
	tcase_add_test(tc, fsck_head_of_no_branch);
	tcase_add_test(tc, fsck_litter);
	tcase_add_test(tc, fsck_damaged_runs);
	tcase_add_test(tc, fsck_damaged_reflogs);
	tcase_add_test(tc, fsck_reflog_of_the_dead);
	tcase_add_test(tc, fsck_reflog_repair);
}
