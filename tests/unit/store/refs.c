#include "store/refs.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include "unit.h"
#include "base/fd.h"
#include "store/fixture.h"
#include "store/fsck.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/reflog.h"

START_TEST(refs_names_checked)
{
	static const char *const good[] = {"refs/heads/main", "refs/heads/a/b", "refs/tags/v1.0",
	    "refs/failed/0123", "refs/remotes/origin/main", "refs/heads/@", "refs/heads/\xc3\xa4"};
	static const char *const bad[] = {"main", "refs/heads/", "refs/heads", "refs/other/x", "HEAD",
	    "refs/heads/a//b", "refs/heads/.a", "refs/heads/a/.b", "refs/heads/a.", "refs/heads/a..b",
	    "refs/heads/a.lock", "refs/heads/a b", "refs/heads/a~", "refs/heads/a^", "refs/heads/a:b",
	    "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", "refs/heads/a\\b", "refs/heads/a\tb",
	    "refs/heads/a\x7f", "refs/heads/a@{1}", "refs/heads/../../x", "refs/heads/a/", "/refs/heads/a",
	    "refs/heads/HEAD", "refs/heads/\xff", "refs/heads/x.tmp-1", ""};
	char text[1100] = "refs/heads/";

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		ck_assert_msg(refs_name_ok(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!refs_name_ok(bad[i]), "%s", bad[i]);
	memset(text + 11, 'a', 230);
	ck_assert(refs_name_ok(text));
	text[11 + 230] = 'a';
	ck_assert(!refs_name_ok(text));
}
END_TEST

static int
update(struct fixture *f, const char *name, const struct object_ref *old, const struct object_ref *new_,
    struct err *e)
{
	const struct refs_change c = {.name = name, .old = old, .new_ = new_,
	    .author = "Tester <tester@example.org>", .message = "a test"};

	return refs_update(f->s, &c, e);
}

START_TEST(refs_update_compares)
{
	struct object_ref a, b, got;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	b = fixture_commit(&f, "b", 1001, &a.id, 1);
	UNIT_FAILS(refs_read(f.s, "HEAD", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(update(&f, "HEAD", &a, &b, &e), &e, ERR_CONFLICT);
	UNIT_OK(update(&f, "HEAD", NULL, &a, &e), &e);
	UNIT_OK(refs_read(f.s, "refs/heads/main", &got, &e), &e);
	ck_assert(got.type == OBJECT_COMMIT && oid_equal(&got.id, &a.id));
	UNIT_FAILS(update(&f, "HEAD", NULL, &b, &e), &e, ERR_CONFLICT);
	UNIT_FAILS(update(&f, "HEAD", &b, &b, &e), &e, ERR_CONFLICT);
	UNIT_OK(update(&f, "HEAD", &a, &b, &e), &e);
	UNIT_OK(refs_read(f.s, "HEAD", &got, &e), &e);
	ck_assert(oid_equal(&got.id, &b.id));
	UNIT_FAILS(update(&f, "refs/heads/main", &a, NULL, &e), &e, ERR_CONFLICT);
	UNIT_OK(update(&f, "refs/heads/main", &b, NULL, &e), &e);
	UNIT_FAILS(refs_read(f.s, "HEAD", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(update(&f, "refs/heads/main", &b, NULL, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

START_TEST(refs_update_refuses)
{
	struct object_ref a, blob, absent;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	blob.type = OBJECT_BLOB;
	UNIT_OK(odb_put(f.s, "blob", 4, &blob.id, &e), &e);
	absent = a;
	absent.id.b[0] ^= 1;
	UNIT_FAILS(update(&f, "refs/heads/x", NULL, &blob, &e), &e, ERR_USAGE);
	UNIT_FAILS(update(&f, "refs/remotes/o/x", NULL, &blob, &e), &e, ERR_USAGE);
	UNIT_OK(update(&f, "refs/tags/x", NULL, &blob, &e), &e);
	UNIT_FAILS(update(&f, "refs/heads/x", NULL, &absent, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(update(&f, "refs/heads/../../x", NULL, &a, &e), &e, ERR_USAGE);
	UNIT_FAILS(update(&f, "config", NULL, &a, &e), &e, ERR_USAGE);
	UNIT_OK(odb_batch_begin(f.s, &e), &e);
	UNIT_FAILS(update(&f, "refs/heads/x", NULL, &a, &e), &e, ERR_INTERNAL);
	odb_batch_abort(f.s);
	/* a symlink in the way leads nowhere */
	ck_assert_int_eq(symlinkat("/tmp", store_dirfd(f.s), "refs/heads/out"), 0);
	ck_assert_int_ne(update(&f, "refs/heads/out/x", NULL, &a, &e), 0);
	ck_assert_int_ne(access("/tmp/x.lock", F_OK), 0);
	fixture_reopen(&f, STORE_READ_ONLY);
	UNIT_FAILS(update(&f, "refs/heads/x", NULL, &a, &e), &e, ERR_DENIED);
	UNIT_FAILS(refs_set_head(f.s, "refs/heads/x", &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

/* A store made by an enemy: what its links name is neither removed nor pruned. */
START_TEST(refs_delete_stays_inside)
{
	static const char *const links[] = {".aicert/logs/refs/heads", ".aicert/logs/refs/heads/d"};
	static const char *const targets[] = {"out", "out/d"};
	struct object_ref a;
	struct fixture f;
	char target[200];
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	for (int i = 0; i < 2; i++) {
		UNIT_OK(update(&f, "refs/heads/d/keys", NULL, &a, &e), &e);
		UNIT_OK(fd_remove_tree(f.dirfd, links[0], &e), &e);
		if (i == 1)
			ck_assert_int_eq(mkdirat(f.dirfd, links[0], 0755), 0);
		UNIT_OK(fd_mkdirs_beneath(f.dirfd, "out/d", 0755, &e), &e);
		fixture_write(&f, "out/d/keys", "x", 1);
		snprintf(target, sizeof target, "%s/%s", f.path, targets[i]);
		ck_assert_int_eq(symlinkat(target, f.dirfd, links[i]), 0);
		UNIT_OK(update(&f, "refs/heads/d/keys", &a, NULL, &e), &e);
		ck_assert_int_eq(faccessat(f.dirfd, "out/d/keys", F_OK, 0), 0);
		/* empty, it could be pruned */
		UNIT_OK(fd_remove_tree(f.dirfd, links[i], &e), &e);
		UNIT_OK(update(&f, "refs/heads/d/keys", NULL, &a, &e), &e);
		UNIT_OK(fd_remove_tree(f.dirfd, i == 0 ? links[0] : links[1], &e), &e);
		ck_assert_int_eq(unlinkat(f.dirfd, "out/d/keys", 0), 0);
		ck_assert_int_eq(symlinkat(target, f.dirfd, links[i]), 0);
		UNIT_OK(update(&f, "refs/heads/d/keys", &a, NULL, &e), &e);
		ck_assert_int_eq(faccessat(f.dirfd, "out/d", F_OK, 0), 0);
		UNIT_OK(fd_remove_tree(f.dirfd, links[0], &e), &e);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(refs_files_and_directories)
{
	struct object_ref a;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	UNIT_OK(update(&f, "refs/heads/x", NULL, &a, &e), &e);
	UNIT_FAILS(update(&f, "refs/heads/x/y", NULL, &a, &e), &e, ERR_EXISTS);
	UNIT_OK(update(&f, "refs/heads/d/e/f", NULL, &a, &e), &e);
	UNIT_FAILS(update(&f, "refs/heads/d/e", NULL, &a, &e), &e, ERR_EXISTS);
	/* gone, the directories make room, for the reflog too */
	UNIT_OK(update(&f, "refs/heads/d/e/f", &a, NULL, &e), &e);
	UNIT_OK(update(&f, "refs/heads/d", NULL, &a, &e), &e);
	UNIT_OK(update(&f, "refs/heads/x", &a, NULL, &e), &e);
	UNIT_OK(update(&f, "refs/heads/x/y", NULL, &a, &e), &e);
	ck_assert_int_eq(faccessat(store_dirfd(f.s), "refs/heads", F_OK, 0), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(refs_files_are_strict)
{
	static const char *const bad[] = {"", "\n", "commit", "commit \n", "sha256:00\n",
	    "commit sha256:0000\n",
	    "commit sha256:0000000000000000000000000000000000000000000000000000000000000000",
	    "commit sha256:0000000000000000000000000000000000000000000000000000000000000000\n\n",
	    "commit  sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
	    "comit sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
	    "commit sha256:000000000000000000000000000000000000000000000000000000000000000A\n",
	    "commit sha512:0000000000000000000000000000000000000000000000000000000000000000\n",
	    "ref: refs/heads/main\n"};
	static const char *const heads[] = {"", "ref: refs/heads/main", "ref: refs/tags/x\n",
	    "ref: refs/heads/../x\n", "ref: refs/heads/main\nx", "ref:refs/heads/main\n", "main\n"};
	struct object_ref got;
	struct fixture f;
	struct err e;
	char *branch;

	fixture_open(&f);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		fixture_write(&f, ".aicert/refs/heads/main", bad[i], strlen(bad[i]));
		ck_assert_msg(refs_read(f.s, "refs/heads/main", &got, &e) != 0, "%s", bad[i]);
		ck_assert_int_ne(e.code, ERR_NOTFOUND);
	}
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		fixture_write(&f, ".aicert/HEAD", heads[i], strlen(heads[i]));
		ck_assert_msg(refs_head(f.s, &branch, &e) != 0, "%s", heads[i]);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(refs_heads_set_and_detached)
{
	CLEANUP(cleanup_free) char *branch = NULL;
	struct object_ref a, b, got;
	char line[100], hex[OID_HEX_SIZE];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	b = fixture_commit(&f, "b", 1001, &a.id, 1);
	UNIT_FAILS(refs_set_head(f.s, "main", &e), &e, ERR_USAGE);
	UNIT_FAILS(refs_set_head(f.s, "refs/tags/x", &e), &e, ERR_USAGE);
	UNIT_OK(refs_set_head(f.s, "refs/heads/dev", &e), &e);
	UNIT_OK(refs_head(f.s, &branch, &e), &e);
	ck_assert_str_eq(branch, "refs/heads/dev");
	oid_hex(&a.id, hex);
	snprintf(line, sizeof line, "commit sha256:%s\n", hex);
	fixture_write(&f, ".aicert/HEAD", line, strlen(line));
	free(branch);
	branch = NULL;
	UNIT_OK(refs_head(f.s, &branch, &e), &e);
	ck_assert_ptr_null(branch);
	UNIT_OK(update(&f, "HEAD", &a, &b, &e), &e);
	UNIT_OK(refs_read(f.s, "HEAD", &got, &e), &e);
	ck_assert(oid_equal(&got.id, &b.id));
	UNIT_FAILS(update(&f, "HEAD", &b, NULL, &e), &e, ERR_USAGE);
	fixture_close(&f);
}
END_TEST

struct listed {
	char names[16][64];
	int count;
};

static int
list(void *arg, const char *name, const struct object_ref *ref)
{
	struct listed *l = arg;

	ck_assert_int_eq(ref->type, OBJECT_COMMIT);
	snprintf(l->names[l->count++], 64, "%s", name);
	return l->count == 16;
}

START_TEST(refs_each_sorted)
{
	static const char *const names[] = {"refs/heads/b", "refs/heads/a/x", "refs/heads/a-b",
	    "refs/tags/t", "refs/failed/f"};
	static const char *const sorted[] = {"refs/failed/f", "refs/heads/a-b", "refs/heads/a/x",
	    "refs/heads/b", "refs/tags/t"};
	struct listed l = {.count = 0};
	struct object_ref a;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	for (int i = 0; i < 5; i++)
		UNIT_OK(update(&f, names[i], NULL, &a, &e), &e);
	fixture_write(&f, ".aicert/refs/heads/b.lock", "1 x\n", 4);
	fixture_write(&f, ".aicert/refs/heads/c.tmp-00", "", 0);
	UNIT_OK(refs_each(f.s, "refs/", list, &l, &e), &e);
	ck_assert_int_eq(l.count, 5);
	for (int i = 0; i < 5; i++)
		ck_assert_str_eq(l.names[i], sorted[i]);
	l.count = 0;
	UNIT_OK(refs_each(f.s, "refs/heads/", list, &l, &e), &e);
	ck_assert_int_eq(l.count, 3);
	l.count = 0;
	UNIT_OK(refs_each(f.s, "refs/remotes/", list, &l, &e), &e);
	ck_assert_int_eq(l.count, 0);
	/* one that is broken is not passed over */
	fixture_write(&f, ".aicert/refs/heads/b", "garbage", 7);
	ck_assert_int_ne(refs_each(f.s, "refs/heads/", list, &l, &e), 0);
	fixture_close(&f);
}
END_TEST

static void
resolves(struct fixture *f, const char *rev, const struct object_ref *to)
{
	struct object_ref got;
	struct err e;

	ck_assert_msg(refs_resolve(f->s, rev, &got, &e) == 0, "%s: %s", rev, e.msg);
	ck_assert_msg(got.type == to->type && oid_equal(&got.id, &to->id), "%s", rev);
}

START_TEST(refs_resolve_grammar)
{
	struct object_ref c[4], merge, blob, got;
	struct oid parents[2];
	struct fixture f;
	struct err e;
	char hex[OID_HEX_SIZE], text[OID_HEX_SIZE + 8];

	fixture_open(&f);
	for (int i = 0; i < 4; i++)
		c[i] = fixture_commit(&f, i == 3 ? "side" : i == 0 ? "0" : i == 1 ? "1" : "2", 1000 + i,
		    i == 0 ? NULL : &c[i == 3 ? 0 : i - 1].id, i == 0 ? 0 : 1);
	parents[0] = c[2].id;
	parents[1] = c[3].id;
	merge = fixture_commit(&f, "merge", 2000, parents, 2);
	UNIT_OK(update(&f, "HEAD", NULL, &merge, &e), &e);
	UNIT_OK(update(&f, "refs/tags/v1", NULL, &c[0], &e), &e);
	UNIT_OK(update(&f, "refs/heads/v1", NULL, &c[1], &e), &e);
	resolves(&f, "HEAD", &merge);
	resolves(&f, "main", &merge);
	resolves(&f, "refs/heads/main", &merge);
	resolves(&f, "heads/main", &merge);
	resolves(&f, "v1", &c[0]); /* tags come first, as in git */
	resolves(&f, "refs/heads/v1", &c[1]);
	resolves(&f, "HEAD~", &c[2]);
	resolves(&f, "HEAD~0", &merge);
	resolves(&f, "HEAD^0", &merge);
	resolves(&f, "HEAD~3", &c[0]);
	resolves(&f, "HEAD^2", &c[3]);
	resolves(&f, "HEAD^2~1", &c[0]);
	resolves(&f, "HEAD^^", &c[1]);
	resolves(&f, "HEAD~1^1~1", &c[0]);
	oid_hex(&c[2].id, hex);
	resolves(&f, hex, &c[2]);
	snprintf(text, sizeof text, "%.7s~1", hex);
	resolves(&f, text, &c[1]);
	blob.type = OBJECT_BLOB;
	UNIT_OK(oid_from_data(&blob.id, "1", 1, &e), &e);
	oid_hex(&blob.id, hex);
	resolves(&f, hex, &blob);
	snprintf(text, sizeof text, "%s~1", hex);
	UNIT_FAILS(refs_resolve(f.s, text, &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(refs_resolve(f.s, "HEAD~4", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(refs_resolve(f.s, "HEAD~999999999", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(refs_resolve(f.s, "HEAD^3", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(refs_resolve(f.s, "HEAD~1234567890", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(refs_resolve(f.s, "HEAD~x", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(refs_resolve(f.s, "", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(refs_resolve(f.s, "~1", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(refs_resolve(f.s, "nothing", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(refs_resolve(f.s, "../../etc/passwd", &got, &e), &e, ERR_NOTFOUND);
	UNIT_FAILS(refs_resolve(f.s, "abcdef", &got, &e), &e, ERR_NOTFOUND);
	fixture_close(&f);
}
END_TEST

/* A branch named like an id does not hide the object. */
START_TEST(refs_resolve_full_id_wins)
{
	struct object_ref a, b;
	char name[100], hex[OID_HEX_SIZE];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1000, NULL, 0);
	b = fixture_commit(&f, "b", 1000, NULL, 0);
	oid_hex(&a.id, hex);
	snprintf(name, sizeof name, "refs/heads/%s", hex);
	UNIT_OK(update(&f, name, NULL, &b, &e), &e);
	resolves(&f, hex, &a);
	fixture_close(&f);
}
END_TEST

static int
count_line(void *arg, const struct reflog_entry *entry)
{
	(void)entry;
	++*(int *)arg;
	return 0;
}

/* Adds commits to one branch until n are in, trying again after each conflict. */
static int
committer(const char *path, unsigned self, unsigned n)
{
	struct fixture f = {0};
	struct err e;
	int lost = 0;

	if (store_open(path, 0, &f.s, &e) != 0)
		return 1;
	for (unsigned i = 0; i < n;) {
		struct object_ref old, new_;
		char message[32];
		bool has = refs_read(f.s, "HEAD", &old, &e) == 0;

		snprintf(message, sizeof message, "%u of %u", i, self);
		new_ = fixture_commit(&f, message, 1000, has ? &old.id : NULL, has ? 1 : 0);
		if (update(&f, "HEAD", has ? &old : NULL, &new_, &e) == 0)
			i++;
		else if (e.code != ERR_CONFLICT || ++lost > 10000)
			return 2;
	}
	store_close(f.s);
	return 0;
}

static int
count_commit(void *arg, const struct oid *id, const struct commit *c)
{
	(void)id;
	(void)c;
	++*(int *)arg;
	return 0;
}

START_TEST(refs_race_loses_no_commit)
{
	struct object_ref head;
	struct fixture f;
	struct err e;
	int count = 0, lines = 0;
	size_t bad;

	fixture_open(&f);
	for (unsigned i = 0; i < 4; i++)
		if (fork() == 0)
			_exit(committer(f.store, i, 12));
	for (int i = 0; i < 4; i++) {
		int status;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
	}
	UNIT_OK(refs_read(f.s, "HEAD", &head, &e), &e);
	UNIT_OK(history_walk(f.s, &head.id, 1, count_commit, &count, &e), &e);
	ck_assert_int_eq(count, 48);
	UNIT_OK(reflog_each(f.s, "refs/heads/main", count_line, &lines, &bad, &e), &e);
	ck_assert_int_eq(lines, 48);
	ck_assert_uint_eq(bad, 0);
	fixture_close(&f);
}
END_TEST

static void
no_damage(void *arg, enum fsck_severity severity, const char *message)
{
	(void)arg;
	ck_assert_msg(severity != FSCK_DAMAGE, "%s", message);
}

START_TEST(refs_kill_leaves_old_or_new)
{
	struct fixture f;
	struct err e;
	int last = 0;

	fixture_open(&f);
	for (int round = 0; round < 25; round++) {
		struct object_ref head;
		int count = 0;
		const struct fsck_options o = {.report = no_damage};
		struct fsck_result r = {.damage = true};
		pid_t pid = fork();

		if (pid == 0)
			_exit(committer(f.store, (unsigned)round + 100, 1000000));
		/* the first commit is waited for, then somewhere */
		do
			if (waitpid(pid, NULL, WNOHANG) != 0)
				ck_abort_msg("the writer ended by itself");
		while (refs_read(f.s, "HEAD", &head, &e) != 0);
		usleep((unsigned)round * 331 % 9000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		UNIT_OK(refs_read(f.s, "HEAD", &head, &e), &e);
		UNIT_OK(history_walk(f.s, &head.id, 1, count_commit, &count, &e), &e);
		ck_assert_int_ge(count, last);
		last = count;
		UNIT_OK(fsck_run(f.s, &o, &r, &e), &e);
		ck_assert(!r.damage);
	}
	ck_assert_int_eq(committer(f.store, 999, 1), 0); /* the next commit works */
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(refs)
{
	tcase_add_test(tc, refs_names_checked);
	tcase_add_test(tc, refs_update_compares);
	tcase_add_test(tc, refs_update_refuses);
	tcase_add_test(tc, refs_delete_stays_inside);
	tcase_add_test(tc, refs_files_and_directories);
	tcase_add_test(tc, refs_files_are_strict);
	tcase_add_test(tc, refs_heads_set_and_detached);
	tcase_add_test(tc, refs_each_sorted);
	tcase_add_test(tc, refs_resolve_grammar);
	tcase_add_test(tc, refs_resolve_full_id_wins);
	tcase_add_test(tc, refs_race_loses_no_commit);
	tcase_add_test(tc, refs_kill_leaves_old_or_new);
}
