#include "store/gc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "unit.h"
#include "base/atomic-file.h"
#include "base/fd.h"
#include "object/tree.h"
#include "store/fsck.h"
#include "store/lease.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"
#include "store/refs.h"
#include "store/runs.h"
#include "store/sealed.h"

static struct gc_result
collect(struct fixture *f, unsigned dry_run, unsigned prune)
{
	const struct gc_options o = {.dry_run = dry_run != 0, .prune_inputs = prune != 0,
	    .prune_unpushed = true};
	struct gc_result r;
	struct err e;

	UNIT_OK(gc_run(f->s, &o, &r, &e), &e);
	return r;
}

/* Closes and opens the store: what this test put is relied on by nobody then. */
static struct gc_result
collect_all(struct fixture *f)
{
	fixture_reopen(f, 0);
	return collect(f, 0, 0);
}

static void
no_damage(void *arg, enum fsck_severity severity, const char *message)
{
	(void)arg;
	ck_assert_msg(severity != FSCK_DAMAGE, "%s", message);
}

static void
sound(struct fixture *f)
{
	struct err e;
	const struct fsck_options o = {.report = no_damage};
	struct fsck_result r;

	UNIT_OK(fsck_run(f->s, &o, &r, &e), &e);
	ck_assert(!r.damage);
}

static struct oid
put(struct fixture *f, size_t len, unsigned seed)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(len, seed);
	struct oid id;
	struct err e;

	UNIT_OK(odb_put(f->s, data, len, &id, &e), &e);
	return id;
}

static struct oid
put_tree(struct fixture *f, const struct oid *inside, enum tree_mode mode, uint64_t size)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct tree_builder *b;
	struct oid id;
	struct err e;

	UNIT_OK(tree_builder_new(&b, &e), &e);
	UNIT_OK(tree_builder_add(b, mode, size, inside, "x", &e), &e);
	UNIT_OK(tree_builder_finish(b, &text, &size, &e), &e);
	tree_builder_free(b);
	UNIT_OK(odb_put(f->s, text.data, text.len, &id, &e), &e);
	return id;
}

static void
move_ref(struct fixture *f, const char *name, const struct object_ref *to)
{
	const struct refs_change c = {.name = name, .any_old = true, .new_ = to, .author = "T <t@e>",
	    .message = "test"};
	struct err e;

	UNIT_OK(refs_update(f->s, &c, &e), &e);
}

START_TEST(gc_removes_what_nothing_reaches)
{
	struct gc_result r;
	struct fixture f;
	struct oid small, large;

	fixture_open(&f);
	r = collect_all(&f);
	ck_assert_uint_eq(r.removed + r.kept + r.litter, 0);
	small = put(&f, 100, 1);
	large = put(&f, 50000, 2);
	fixture_reopen(&f, 0);
	/* a dry run says it and changes nothing */
	r = collect(&f, 1, 0);
	ck_assert_uint_eq(r.removed, 2);
	ck_assert_uint_eq(r.removed_bytes, 50100);
	ck_assert(odb_intact(f.s, &small) && odb_intact(f.s, &large));
	r = collect(&f, 0, 0);
	ck_assert_uint_eq(r.removed, 2);
	ck_assert_uint_eq(r.removed_bytes, 50100);
	ck_assert(!odb_has(f.s, &small) && !odb_has(f.s, &large));
	ck_assert_uint_eq(collect(&f, 0, 0).removed, 0);
	ck_assert_int_eq(fixture_count(f.dirfd, ".aicert/tmp"), 0);
	fixture_close(&f);
}
END_TEST

/* HEAD, refs of every kind, and every line of every reflog. */
START_TEST(gc_keeps_what_refs_and_reflogs_reach)
{
	struct object_ref a, b, c, tag, tree;
	struct oid deep, lost;
	struct fixture f;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	b = fixture_commit(&f, "b", 2, &a.id, 1);
	c = fixture_commit(&f, "c", 3, NULL, 0);
	deep = put(&f, 40000, 3);
	tree = (struct object_ref){OBJECT_TREE, put_tree(&f, &deep, TREE_FILE, 40000)};
	tree.id = put_tree(&f, &tree.id, TREE_DIR, 40000);
	tag = (struct object_ref){OBJECT_BLOB, put(&f, 60, 4)};
	move_ref(&f, "HEAD", &c);
	move_ref(&f, "HEAD", &b); /* c is in the reflog alone */
	move_ref(&f, "refs/tags/blob", &tag);
	move_ref(&f, "refs/tags/tree", &tree);
	lost = put(&f, 61, 5);
	ck_assert_uint_eq(collect_all(&f).removed, 1);
	ck_assert(!odb_has(f.s, &lost));
	ck_assert(odb_has(f.s, &a.id) && odb_has(f.s, &b.id) && odb_has(f.s, &c.id));
	ck_assert(odb_has(f.s, &deep) && odb_has(f.s, &tree.id) && odb_has(f.s, &tag.id));
	sound(&f);
	/* with the ref its reflog goes */
	move_ref(&f, "refs/heads/main", NULL);
	move_ref(&f, "refs/tags/tree", NULL);
	ck_assert_uint_eq(collect_all(&f).removed, 3 + 3 + 3);
	ck_assert(!odb_has(f.s, &c.id) && !odb_has(f.s, &deep) && odb_has(f.s, &tag.id));
	sound(&f);
	fixture_close(&f);
}
END_TEST

/* Damage to a log, of any kind, hides no id of it: neither those after it nor, when a digit
 * took the place of a blank, those in it. */
START_TEST(gc_keeps_what_damaged_reflogs_reach)
{
	static const char nul[50] = "";
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct object_ref a, b, c;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	b = fixture_commit(&f, "b", 2, NULL, 0);
	c = fixture_commit(&f, "c", 3, NULL, 0);
	move_ref(&f, "HEAD", &a);
	fixture_read(store_dirfd(f.s), "logs/refs/heads/main", &text);
	buf_add(&text, nul, sizeof nul);
	fixture_write(&f, ".aicert/logs/refs/heads/main", text.data, text.len);
	move_ref(&f, "HEAD", &b);
	move_ref(&f, "HEAD", &c);
	move_ref(&f, "HEAD", &a);
	ck_assert_uint_eq(collect_all(&f).removed, 0);
	ck_assert(odb_has(f.s, &b.id) && odb_has(f.s, &c.id));
	/* b and c are each in two lines, beside the other */
	fixture_read(store_dirfd(f.s), "logs/refs/heads/main", &text);
	for (size_t i = 64; i < text.len; i++)
		if (text.data[i] == ' ' && text.data[i - 1] != ' ')
			text.data[i] = '0';
	fixture_write(&f, ".aicert/logs/refs/heads/main", text.data, text.len);
	ck_assert_uint_eq(collect_all(&f).removed, 0);
	/* an id over the end of a block, of a log longer than any that is read at once */
	for (size_t before = 64 * 1024 - 64; before <= 64 * 1024; before += 16) {
		char hex[OID_HEX_SIZE];

		oid_hex(&b.id, hex);
		buf_reset(&text);
		while (text.len < before)
			buf_addc(&text, '-');
		buf_adds(&text, hex);
		oid_hex(&c.id, hex);
		buf_adds(&text, hex);
		UNIT_OK(buf_check(&text, &e), &e);
		fixture_write(&f, ".aicert/logs/refs/heads/main", text.data, text.len);
		ck_assert_uint_eq(collect_all(&f).removed, 0);
	}
	fixture_close(&f);
}
END_TEST

/* What a certificate names stays with it; inputs only unless told otherwise. */
START_TEST(gc_keeps_what_certificates_name)
{
	struct runs_output a, b;
	struct object_ref c;
	struct fixture f;
	struct oid cert;
	struct gc_result r;

	fixture_open(&f);
	a = runs_blob(&f, "a", "a");
	b = runs_blob(&f, "b", "b");
	cert = runs_certificate(&f, &a, &b);
	c = runs_commit(&f, &cert, 1, NULL);
	move_ref(&f, "HEAD", &c);
	r = collect_all(&f);
	ck_assert_uint_eq(r.removed, 0);
	ck_assert_uint_eq(r.kept, 5); /* commit, certificate, two outputs, log */
	r = collect(&f, 0, 1);
	ck_assert_uint_eq(r.removed, 0); /* outputs and logs in any case */
	sound(&f);
	fixture_close(&f);
}
END_TEST

/* Nothing reaches it, so no remote is known to have it; refs/remotes/ is a ref as any. */
START_TEST(gc_keeps_what_was_not_pushed)
{
	const struct gc_options o = {.prune_inputs = true}, dry = {.dry_run = true};
	struct runs_output a, b;
	struct object_ref c, above, pushed;
	struct oid cert, blob;
	struct gc_result r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = runs_blob(&f, "a", "a");
	b = runs_blob(&f, "b", "b");
	cert = runs_certificate(&f, &a, &b);
	c = runs_commit(&f, &cert, 1, NULL);
	above = fixture_commit(&f, "above", 2, &c.id, 1);
	pushed = fixture_commit(&f, "pushed", 3, NULL, 0);
	move_ref(&f, "refs/remotes/origin/main", &pushed);
	blob = put(&f, 100, 1);
	fixture_reopen(&f, 0);
	UNIT_OK(gc_run(f.s, &dry, &r, &e), &e);
	ck_assert_uint_eq(r.removed, 1);
	ck_assert_uint_eq(r.kept, 9);
	UNIT_OK(gc_run(f.s, &o, &r, &e), &e);
	ck_assert_uint_eq(r.removed, 1);
	ck_assert(!odb_has(f.s, &blob) && odb_has(f.s, &cert) && odb_has(f.s, &c.id));
	ck_assert(odb_has(f.s, &a.id) && odb_has(f.s, &b.id) && odb_has(f.s, &above.id));
	/* damaged, and nothing names it: it may have been a certificate */
	UNIT_OK(odb_small_put(f.s, &cert, "{\"mediaType\":1}", 15, &e), &e);
	UNIT_OK(refs_update(f.s, &(struct refs_change){.name = "refs/remotes/origin/main", .any_old = true,
	    .author = "T <t@e>", .message = "gone"}, &e), &e);
	fixture_reopen(&f, 0);
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(e.msg, "--prune-unpushed"));
	ck_assert(odb_has(f.s, &pushed.id) && odb_has(f.s, &above.id));
	ck_assert_uint_gt(collect(&f, 0, 0).removed, 5);
	ck_assert(!odb_has(f.s, &pushed.id) && !odb_has(f.s, &cert) && !odb_has(f.s, &a.id));
	fixture_close(&f);
}
END_TEST

START_TEST(gc_keeps_what_others_rely_on)
{
	struct oid mine, theirs, inside, tree, large;
	struct store *other;
	struct gc_result r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	inside = put(&f, 45000, 1);
	tree = put_tree(&f, &inside, TREE_FILE, 45000);
	mine = put(&f, 70, 2);
	large = put(&f, 46000, 3);
	fixture_reopen(&f, 0);
	UNIT_OK(store_open(f.store, 0, &other, &e), &e);
	theirs = mine;
	UNIT_OK(odb_put(other, "theirs", 6, &theirs, &e), &e);
	/* found present: what a tree holds stays with it */
	UNIT_OK(odb_keep(other, &tree, 1, &e), &e);
	r = collect(&f, 0, 0);
	ck_assert_uint_eq(r.removed, 2);
	ck_assert(!odb_has(f.s, &mine) && !odb_has(f.s, &large));
	ck_assert(odb_has(f.s, &theirs) && odb_has(f.s, &tree) && odb_has(f.s, &inside));
	store_close(other);
	ck_assert_uint_eq(collect(&f, 0, 0).removed, 3);
	fixture_close(&f);
}
END_TEST

static int
one_root(void *arg, struct store *s, gc_text_fn *text, void *gc, struct err *e)
{
	const char *line = arg;

	(void)s;
	return text(gc, line, strlen(line), e);
}

static void
record_name(char digit, char ret[65])
{
	memset(ret, digit, 64);
	ret[64] = '\0';
}

static void
record(int runs, char digit, const char *line)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char name[65];
	struct err e;

	record_name(digit, name);
	buf_adds(&text, line);
	UNIT_OK(sealed_write(runs, name, &text, 0600, &e), &e);
}

static void
damage_record(int runs, char digit)
{
	CLEANUP(cleanup_close) int fd = -1;
	char name[65];

	record_name(digit, name);
	fd = openat(runs, name, O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "0", 1, 20), 1);
}

/* Runs on other machines, and what the caller knows of. */
START_TEST(gc_keeps_what_is_told)
{
	char hex[OID_HEX_SIZE], line[300];
	struct gc_options o = {.roots = one_root, .arg = line};
	struct oid input, inside, tree, told, near;
	struct gc_result r;
	struct fixture f;
	struct oid lost;
	struct err e;
	int runs;

	fixture_open(&f);
	input = put(&f, 100, 1);
	inside = put(&f, 40000, 2);
	tree = put_tree(&f, &inside, TREE_FILE, 40000);
	told = put(&f, 101, 3);
	near = put(&f, 102, 4);
	fixture_reopen(&f, 0);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/runs", 0755), 0);
	oid_hex(&input, hex);
	snprintf(line, sizeof line, "{\"sha256\":\"%s\"}", hex);
	runs = openat(f.dirfd, ".aicert/runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	record(runs, '1', line);
	oid_hex(&tree, hex);
	record(runs, '2', hex);
	oid_hex(&told, hex);
	snprintf(line, sizeof line, "sha256:%s,", hex);
	oid_hex(&near, hex);
	snprintf(line + strlen(line), 100, "f%.60s", hex); /* 61 digits are no id */
	UNIT_OK(gc_run(f.s, &o, &r, &e), &e);
	ck_assert_uint_eq(r.removed, 1);
	ck_assert(odb_has(f.s, &input) && odb_has(f.s, &inside) && odb_has(f.s, &told));
	ck_assert(!odb_has(f.s, &near));
	/* one that is damaged does not tell any more what it needs */
	lost = put(&f, 103, 5);
	fixture_reopen(&f, 0);
	damage_record(runs, '1');
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_CORRUPT);
	ck_assert(odb_has(f.s, &lost));
	close(runs);
	fixture_close(&f);
}
END_TEST

/* Rule 17: what cannot be read cannot be followed. */
START_TEST(gc_refuses_damage)
{
	const struct gc_options o = {0};
	struct object_ref a, b;
	struct gc_result r;
	struct fixture f;
	struct oid lost;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	b = fixture_commit(&f, "b", 2, &a.id, 1);
	move_ref(&f, "HEAD", &b);
	lost = put(&f, 100, 1);
	UNIT_OK(odb_small_put(f.s, &a.id, "damage", 6, &e), &e);
	fixture_reopen(&f, 0);
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_CORRUPT);
	ck_assert_ptr_nonnull(strstr(e.msg, "fsck"));
	ck_assert(odb_has(f.s, &lost));
	UNIT_OK(odb_small_lock(f.s, &e), &e);
	UNIT_OK(odb_small_delete(f.s, &a.id, &e), &e);
	UNIT_OK(odb_small_flush(f.s, &e), &e);
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_CORRUPT);
	fixture_write(&f, ".aicert/refs/heads/bad", "garbage\n", 8);
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_CORRUPT);
	ck_assert(odb_has(f.s, &lost));
	fixture_reopen(&f, STORE_READ_ONLY);
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_DENIED);
	fixture_close(&f);
}
END_TEST

START_TEST(gc_one_at_a_time)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	const struct gc_options o = {0};
	struct gc_result r;
	struct fixture f;
	char pid[32];
	struct err e;

	fixture_open(&f);
	UNIT_OK(atomic_file_lock(&lock, store_dirfd(f.s), LEASE_GC, 0, &e), &e);
	UNIT_FAILS(gc_run(f.s, &o, &r, &e), &e, ERR_BUSY);
	snprintf(pid, sizeof pid, "process %ld on", (long)getpid());
	ck_assert_msg(strstr(e.msg, pid) != NULL, "%s", e.msg);
	fixture_close(&f);
}
END_TEST

struct seen {
	struct oid ids[64];
	int count;
};

static void
see(void *arg, const struct oid *id, uint64_t size)
{
	struct seen *n = arg;

	(void)size;
	ck_assert_int_lt(n->count, 64);
	n->ids[n->count++] = *id;
}

static int
place(const struct seen *n, const struct oid *id)
{
	for (int i = 0; i < n->count; i++)
		if (oid_equal(&n->ids[i], id))
			return i;
	ck_abort_msg("not removed");
	return -1;
}

/* Rule 16: who names others goes first. */
START_TEST(gc_order)
{
	struct oid blob, tree, above, cert;
	struct seen n = {.count = 0};
	struct gc_options o = {.on_object = see, .arg = &n, .prune_unpushed = true};
	struct object_ref first, second, run;
	struct runs_output a, b;
	struct gc_result r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	blob = put(&f, 40000, 1);
	tree = put_tree(&f, &blob, TREE_FILE, 40000);
	above = put_tree(&f, &tree, TREE_DIR, 40000);
	a = (struct runs_output){.path = "a", .type = OBJECT_TREE, .id = above, .size = 40000};
	b = runs_blob(&f, "b", "b");
	cert = runs_certificate(&f, &a, &b);
	first = fixture_commit(&f, "first", 1, NULL, 0);
	second = fixture_commit(&f, "second", 1, &first.id, 1);
	run = runs_commit(&f, &cert, 2, &second.id);
	fixture_reopen(&f, 0);
	UNIT_OK(gc_run(f.s, &o, &r, &e), &e);
	ck_assert_int_eq(place(&n, &run.id), 0);
	ck_assert_int_lt(place(&n, &second.id), place(&n, &first.id));
	ck_assert_int_lt(place(&n, &cert), place(&n, &above));
	ck_assert_int_lt(place(&n, &above), place(&n, &tree));
	ck_assert_int_lt(place(&n, &tree), place(&n, &blob));
	ck_assert_int_lt(place(&n, &cert), place(&n, &b.id));
	fixture_close(&f);
}
END_TEST

static void
age(struct fixture *f, const char *name, long seconds)
{
	const struct timespec t[2] = {{.tv_sec = time(NULL) - seconds}, {.tv_sec = time(NULL) - seconds}};

	ck_assert_int_eq(utimensat(f->dirfd, name, t, AT_SYMLINK_NOFOLLOW), 0);
}

static bool
there(struct fixture *f, const char *name)
{
	return faccessat(f->dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

START_TEST(gc_litter)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(cleanup_close) int live = -1;
	struct object_ref a;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	a = fixture_commit(&f, "a", 1, NULL, 0);
	move_ref(&f, "HEAD", &a);
	fixture_reopen(&f, 0);
	/* what dead processes left */
	fixture_write(&f, ".aicert/tmp/object-dead", "x", 1);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/tmp/run-dead", 0700), 0);
	fixture_write(&f, ".aicert/tmp/run-dead/x", "x", 1);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/tmp/fetch-dead", 0700), 0);
	fixture_write(&f, ".aicert/tmp/lease-dead", "1 nowhere\n", 10);
	fixture_write(&f, ".aicert/refs/heads/dead.lock", "1 nowhere\n", 10);
	fixture_write(&f, ".aicert/refs/heads/x.tmp-1", "", 0);
	fixture_write(&f, ".aicert/HEAD.lock.tmp-1", "", 0);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/tmp/upload", 0700), 0);
	fixture_write(&f, ".aicert/tmp/upload/old", "part", 4);
	age(&f, ".aicert/tmp/upload/old", 15 * 86400);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert.tmp-0123456789abcdef", 0700), 0);
	age(&f, ".aicert.tmp-0123456789abcdef", 100);
	ck_assert_uint_eq(collect(&f, 1, 0).litter, 8);
	ck_assert(there(&f, ".aicert/tmp/run-dead/x") && there(&f, ".aicert/tmp/lease-dead"));
	ck_assert_uint_eq(collect(&f, 0, 0).litter, 8);
	ck_assert_int_eq(fixture_count(f.dirfd, ".aicert/tmp"), 0);
	ck_assert(!there(&f, ".aicert/tmp/lease-dead") && !there(&f, ".aicert.tmp-0123456789abcdef"));
	ck_assert_int_eq(fixture_count(f.dirfd, ".aicert/refs/heads"), 1);
	ck_assert(!there(&f, ".aicert/HEAD.lock.tmp-1"));
	/* what belongs to somebody, or may */
	UNIT_OK(lease_create(f.s, "object-live", &live, &e), &e);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/tmp/fetch-live", 0700), 0);
	UNIT_OK(atomic_file_lock(&lock, store_dirfd(f.s), "refs/heads/live", 0, &e), &e);
	fixture_write(&f, ".aicert/refs/heads/live.tmp-1", "", 0);
	ck_assert_int_eq(mkdirat(f.dirfd, ".aicert/tmp/upload", 0700), 0);
	fixture_write(&f, ".aicert/tmp/upload/new", "part", 4);
	fixture_write(&f, ".aicert/logs/refs/heads/main", "torn", 4);
	ck_assert_uint_eq(collect(&f, 0, 0).litter, 0);
	ck_assert(there(&f, ".aicert/tmp/object-live") && there(&f, ".aicert/tmp/fetch-live"));
	ck_assert(there(&f, ".aicert/refs/heads/live.lock") && there(&f, ".aicert/refs/heads/live.tmp-1"));
	ck_assert(there(&f, ".aicert/tmp/upload/new"));
	ck_assert(there(&f, ".aicert/logs/refs/heads/main"));
	fixture_close(&f);
}
END_TEST

/* Planted names lead nowhere: nothing outside is touched. */
START_TEST(gc_hostile)
{
	struct fixture f;

	fixture_open(&f);
	fixture_write(&f, "precious", "x", 1);
	ck_assert_int_eq(mkdirat(f.dirfd, "dir", 0755), 0);
	fixture_write(&f, "dir/object-x", "x", 1);
	ck_assert_int_eq(symlinkat("../../precious", f.dirfd, ".aicert/tmp/object-link"), 0);
	ck_assert_int_eq(symlinkat("../../precious", f.dirfd, ".aicert/tmp/lease-link"), 0);
	ck_assert_int_eq(symlinkat("../../dir", f.dirfd, ".aicert/tmp/upload"), 0);
	ck_assert_int_eq(mkfifoat(f.dirfd, ".aicert/tmp/lease-fifo", 0600), 0);
	(void)collect_all(&f);
	ck_assert(there(&f, "precious") && there(&f, "dir/object-x"));
	ck_assert(!there(&f, ".aicert/tmp/object-link"));
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(gc)
{
	tcase_add_test(tc, gc_removes_what_nothing_reaches);
	tcase_add_test(tc, gc_keeps_what_refs_and_reflogs_reach);
	tcase_add_test(tc, gc_keeps_what_damaged_reflogs_reach);
	tcase_add_test(tc, gc_keeps_what_certificates_name);
	tcase_add_test(tc, gc_keeps_what_was_not_pushed);
	tcase_add_test(tc, gc_keeps_what_others_rely_on);
	tcase_add_test(tc, gc_keeps_what_is_told);
	tcase_add_test(tc, gc_refuses_damage);
	tcase_add_test(tc, gc_one_at_a_time);
	tcase_add_test(tc, gc_order);
	tcase_add_test(tc, gc_litter);
	tcase_add_test(tc, gc_hostile);
}
