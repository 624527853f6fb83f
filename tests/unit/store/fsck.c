#include "store/fsck.h"

#include <fcntl.h>
#include <string.h>
#include "unit.h"
#include "base/atomic-file.h"
#include "base/fd.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"
#include "store/runs.h"

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
	fixture_write(&f, ".aicert/logs/refs/heads/main", "torn", 4);
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

UNIT_SUITE(fsck)
{
	tcase_add_test(tc, fsck_clean);
	tcase_add_test(tc, fsck_damaged_objects);
	tcase_add_test(tc, fsck_damaged_refs);
	tcase_add_test(tc, fsck_what_history_needs);
	tcase_add_test(tc, fsck_head_of_no_branch);
	tcase_add_test(tc, fsck_litter);
}
