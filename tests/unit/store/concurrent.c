/*
 * Several processes put the same and different objects and move refs while gc and
 * fsck loop, and some of them are killed: what was acknowledged is there at the
 * end, with all it names.  AICERT_SECONDS says for how long (6).
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include "unit.h"
#include "base/fd.h"
#include "object/commit.h"
#include "object/tree.h"
#include "store/fixture.h"
#include "store/fsck.h"
#include "store/gc.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/refs.h"

#define WRITERS 8
#define SHARED 24       /* objects that all of them put, small and large */
#define SECONDS 6

static long
seconds(void)
{
	const char *text = getenv("AICERT_SECONDS");

	return text != NULL ? atol(text) : SECONDS;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In a child an assertion cannot be made: it ends with a message. */
static void
need(int rc, const struct err *e, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "%s: %s\n", what, e->msg);
	_exit(1);
}

static size_t
shared_size(unsigned i)
{
	return i % 3 == 0 ? 40000 + i * 1000 : 200 + i * 40;
}

static void
put_blob(struct store *s, struct tree_builder *b, unsigned seed, size_t size, unsigned name)
{
	CLEANUP(cleanup_free) unsigned char *data = fixture_bytes(size, seed);
	char text[32];
	struct oid id;
	struct err e;

	need(odb_put(s, data, size, &id, &e), &e, "put");
	snprintf(text, sizeof text, "f%u", name);
	need(tree_builder_add(b, TREE_FILE, size, &id, text, &e), &e, "tree");
}

/* A tree of shared and own objects; garbage, which nothing will name, too. */
static struct oid
put_tree(struct store *s, unsigned seed, uint64_t *ret_size)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(cleanup_free) unsigned char *garbage = fixture_bytes(50000, seed ^ 0x55555555u);
	struct tree_builder *b;
	struct oid id, lost;
	struct err e;

	need(tree_builder_new(&b, &e), &e, "tree");
	need(odb_batch_begin(s, &e), &e, "batch");
	for (unsigned i = 0; i < 6; i++) {
		unsigned which = (seed * 7 + i * 5) % SHARED;

		put_blob(s, b, 1000 + which, shared_size(which), i);
	}
	put_blob(s, b, seed * 16 + 100000, 300, 100);
	put_blob(s, b, seed * 16 + 100001, 33000, 101);
	need(odb_put(s, garbage, seed % 2 == 0 ? 50000 : 500, &lost, &e), &e, "put");
	need(tree_builder_finish(b, &text, ret_size, &e), &e, "tree");
	tree_builder_free(b);
	need(odb_put(s, text.data, text.len, &id, &e), &e, "put");
	need(odb_batch_end(s, &e), &e, "batch");
	return id;
}

static struct oid
put_commit(struct store *s, const struct oid *tree, uint64_t size, const struct object_ref *parent,
    unsigned seed)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct resource_input thing = {.thing = {.type = OBJECT_TREE, .path = (char *)(uintptr_t)"data",
	    .kind = (char *)(uintptr_t)"dataset", .size = size, .digests.sha256 = *tree}};
	struct oid copy, id;
	struct commit c = {
		.kind = COMMIT_IMPORT, .parents = &copy, .parent_count = parent != NULL,
		.author_name = (char *)(uintptr_t)"Tester",
		.author_email = (char *)(uintptr_t)"tester@example.org",
		.time = (int64_t)seed, .message = (char *)(uintptr_t)"m",
		.has_subject = true, .subject = {OBJECT_TREE, *tree}, .resource = &thing,
	};
	struct err e;

	if (parent != NULL)
		copy = parent->id;
	need(commit_encode(&c, &text, &e), &e, "commit");
	need(odb_put(s, text.data, text.len, &id, &e), &e, "put");
	return id;
}

/* One commit, by a store handle of its own: its lease ends with it. */
static void
write_one(const char *store, unsigned writer, unsigned round, int log)
{
	struct object_ref old, fresh = {.type = OBJECT_COMMIT};
	unsigned seed = writer * 1000003u + round;
	char name[64], line[OID_HEX_SIZE + 1];
	struct refs_change c = {.name = name, .author = "T <t@e>", .message = "m"};
	struct store *s;
	struct oid tree;
	uint64_t size;
	bool has;
	struct err e;

	need(store_open(store, 0, &s, &e), &e, "open");
	snprintf(name, sizeof name, writer == 0 ? "refs/heads/main" : "refs/heads/w%u", writer);
	has = refs_read(s, name, &old, &e) == 0;
	tree = put_tree(s, seed, &size);
	fresh.id = put_commit(s, &tree, size, has ? &old : NULL, seed);
	c.old = has ? &old : NULL;
	c.new_ = &fresh;
	need(refs_update(s, &c, &e), &e, "ref");
	oid_hex(&fresh.id, line);
	line[OID_HEX_SIZE - 1] = '\n';
	need(fd_write_all(log, line, OID_HEX_SIZE, "log", &e), &e, "log");
	store_close(s);
}

static void
no_damage(void *arg, enum fsck_severity severity, const char *message)
{
	(void)arg;
	if (severity == FSCK_DAMAGE)
		fprintf(stderr, "fsck: %s\n", message);
}

static void
check(const char *store, bool quick)
{
	const struct fsck_options o = {.report = no_damage, .threads = quick ? 1 : 0};
	struct fsck_result r;
	struct store *s;
	struct err e;

	need(store_open(store, STORE_READ_ONLY, &s, &e), &e, "open");
	need(fsck_run(s, &o, &r, &e), &e, "fsck");
	store_close(s);
	if (r.damage)
		_exit(1);
}

static uint64_t
collect(const char *store)
{
	const struct gc_options o = {0};
	struct gc_result r;
	struct store *s;
	struct err e;

	need(store_open(store, 0, &s, &e), &e, "open");
	need(gc_run(s, &o, &r, &e), &e, "gc");
	store_close(s);
	return r.removed;
}

/* who: below WRITERS a writer, then gc, then fsck. */
static pid_t
start(const struct fixture *f, unsigned who, unsigned life, int64_t end, int log)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid != 0)
		return pid;
	for (unsigned round = 0; now_ms() < end; round++) {
		if (who < WRITERS)
			write_one(f->store, who, life * 10000 + round, log);
		else if (who == WRITERS)
			collect(f->store);
		else
			check(f->store, true);
	}
	_exit(0);
}

static void
ended(pid_t pid, bool killed)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg((WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
	    (killed && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL), "status %d", status);
}

static void
run_all(const struct fixture *f, int log)
{
	int64_t end = now_ms() + seconds() * 1000;
	pid_t pids[WRITERS + 2];
	unsigned life = 1;

	for (unsigned i = 0; i < WRITERS + 2; i++)
		pids[i] = start(f, i, 0, end, log);
	while (now_ms() < end) {
		const struct timespec pause = {.tv_nsec = 150000000};
		unsigned victim = (life * 3) % (WRITERS + 1); /* a writer, or gc */

		nanosleep(&pause, NULL);
		kill(pids[victim], SIGKILL);
		ended(pids[victim], true);
		pids[victim] = start(f, victim, life++, end, log);
	}
	for (unsigned i = 0; i < WRITERS + 2; i++)
		ended(pids[i], false);
}

/* Every commit that was acknowledged, whole. */
static unsigned
all_there(struct fixture *f)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	unsigned count = 0;

	fixture_read(f->dirfd, "log", &text);
	for (size_t at = 0; at + OID_HEX_SIZE <= text.len; at += OID_HEX_SIZE) {
		CLEANUP(commit_free) struct commit c = {0};
		char hex[OID_HEX_SIZE];
		struct oid id;
		struct err e;

		memcpy(hex, text.data + at, OID_HEX_SIZE);
		hex[OID_HEX_SIZE - 1] = '\0';
		UNIT_OK(oid_from_hex(&id, hex, &e), &e);
		UNIT_OK(history_commit(f->s, &id, &c, &e), &e);
		ck_assert(odb_intact(f->s, &c.subject.id));
		count++;
	}
	return count;
}

START_TEST(concurrent_puts_and_gc)
{
	struct fixture f;
	uint64_t removed;
	struct oid garbage;
	struct err e;
	int log;

	fixture_open(&f);
	store_close(f.s); /* not used across a fork */
	f.s = NULL;
	log = openat(f.dirfd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	ck_assert_int_ge(log, 0);
	write_one(f.store, 0, 9999, log); /* HEAD names a branch from now on */
	run_all(&f, log);
	close(log);
	check(f.store, false);
	UNIT_OK(store_open(f.store, 0, &f.s, &e), &e);
	ck_assert_uint_gt(all_there(&f), 20);
	/* nobody is left: now all garbage goes, and nothing else */
	fixture_reopen(&f, 0);
	UNIT_OK(odb_put(f.s, "garbage", 7, &garbage, &e), &e);
	fixture_reopen(&f, 0);
	removed = collect(f.store);
	ck_assert_uint_ge(removed, 1);
	ck_assert_uint_eq(collect(f.store), 0);
	ck_assert(!odb_has(f.s, &garbage));
	check(f.store, false);
	(void)all_there(&f);
	ck_assert_int_eq(fixture_count(f.dirfd, ".aicert/tmp"), 0);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(concurrent)
{
	tcase_add_test(tc, concurrent_puts_and_gc);
}
