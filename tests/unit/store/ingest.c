#include "store/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "unit.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "store/fixture.h"
#include "store/stat-cache.h"

#define BOTH INGEST_DIRECTORIES

static struct ingest_result
ingest_ok(struct fixture *f, const char *path, unsigned flags)
{
	struct ingest_result r;
	struct err e;

	UNIT_OK(ingest_path(f->s, f->dirfd, path, flags, NULL, &r, &e), &e);
	return r;
}

static void
make(struct fixture *f)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(100000, 1);
	struct err e;

	UNIT_OK(fd_mkdirs_beneath(f->dirfd, "d/sub/empty", 0755, &e), &e);
	fixture_write(f, "d/a", "aaa", 3);
	fixture_write(f, "d/sub/large", large, 100000);
	fixture_write(f, "d/x y%", "strange", 7);
	ck_assert_int_eq(fchmodat(f->dirfd, "d/a", 0755, 0), 0);
	ck_assert_int_eq(symlinkat("../nowhere", f->dirfd, "d/sub/link"), 0);
}

START_TEST(ingest_file_and_directory)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(tree_free) struct tree t = TREE_INIT;
	struct ingest_result hashed, stored, r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make(&f);
	r = ingest_ok(&f, "d/a", 0);
	ck_assert(r.type == OBJECT_BLOB && r.size == 3 && odb_has(f.s, &r.id));
	UNIT_OK(ingest_path(NULL, f.dirfd, "d", BOTH | INGEST_HASH_ONLY, NULL, &hashed, &e), &e);
	ck_assert(!odb_has(f.s, &hashed.id));
	stored = ingest_ok(&f, "d", BOTH);
	ck_assert(stored.type == OBJECT_TREE && oid_equal(&stored.id, &hashed.id));
	ck_assert_uint_eq(stored.size, 3 + 100000 + 7 + strlen("../nowhere"));
	ck_assert_uint_eq(hashed.size, stored.size);
	UNIT_OK(odb_read(f.s, &stored.id, 10000, &text, &e), &e);
	UNIT_OK(tree_decode(text.data, text.len, &t, &e), &e);
	ck_assert_uint_eq(t.count, 3);
	ck_assert_int_eq(tree_find(&t, "a")->mode, TREE_EXEC);
	ck_assert_int_eq(tree_find(&t, "x y%")->mode, TREE_FILE);
	ck_assert_int_eq(tree_find(&t, "sub")->mode, TREE_DIR);
	fixture_close(&f);
}
END_TEST

static void
compare_trees(struct fixture *f, const char *name, const struct oid *id)
{
	struct ingest_result again;
	struct err e;

	UNIT_OK(ingest_path(NULL, f->dirfd, name, BOTH | INGEST_HASH_ONLY, NULL, &again, &e), &e);
	ck_assert(oid_equal(&again.id, id));
}

START_TEST(ingest_checkout_gives_it_back)
{
	struct ingest_result r;
	struct fixture f;
	struct stat st;
	struct err e;

	fixture_open(&f);
	make(&f);
	r = ingest_ok(&f, "d", BOTH);
	UNIT_OK(ingest_checkout(f.s, r.type, &r.id, f.dirfd, "out", &e), &e);
	compare_trees(&f, "out", &r.id);
	ck_assert_int_eq(fstatat(f.dirfd, "out/sub/large", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	UNIT_FAILS(ingest_checkout(f.s, r.type, &r.id, f.dirfd, "out", &e), &e, ERR_EXISTS);
	compare_trees(&f, "out", &r.id);
	UNIT_OK(ingest_materialise(f.s, r.type, &r.id, f.dirfd, "private", &e), &e);
	compare_trees(&f, "private", &r.id);
	ck_assert_int_eq(fstatat(f.dirfd, "private/sub/large", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0444);
	ck_assert_uint_eq(st.st_nlink, 1); /* not the store's own file */
	ck_assert_int_eq(fstatat(f.dirfd, "private/a", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0555);
	ck_assert_int_eq(fstatat(f.dirfd, "private/sub", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0555);
	UNIT_OK(fd_remove_tree(f.dirfd, "private", &e), &e);
	UNIT_FAILS(ingest_checkout(f.s, OBJECT_COMMIT, &r.id, f.dirfd, "c", &e), &e, ERR_USAGE);
	fixture_close(&f);
}
END_TEST

START_TEST(ingest_adopt_empties_the_directory)
{
	struct ingest_result hashed, r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make(&f);
	UNIT_OK(ingest_path(NULL, f.dirfd, "d", BOTH | INGEST_HASH_ONLY, NULL, &hashed, &e), &e);
	r = ingest_ok(&f, "d", BOTH | INGEST_ADOPT);
	ck_assert(oid_equal(&hashed.id, &r.id));
	ck_assert_int_ne(faccessat(f.dirfd, "d/sub/large", F_OK, 0), 0);
	ck_assert_int_ne(faccessat(f.dirfd, "d/a", F_OK, 0), 0);
	UNIT_OK(ingest_checkout(f.s, r.type, &r.id, f.dirfd, "out", &e), &e);
	compare_trees(&f, "out", &r.id);
	fixture_close(&f);
}
END_TEST

static void
refused(struct fixture *f, const char *path, unsigned flags, enum err_code code, const char *says)
{
	struct ingest_result r;
	struct err e;

	UNIT_FAILS(ingest_path(f->s, f->dirfd, path, flags, NULL, &r, &e), &e, code);
	ck_assert_msg(strstr(e.msg, says) != NULL, "%s", e.msg);
	UNIT_FAILS(ingest_path(NULL, f->dirfd, path, flags | INGEST_HASH_ONLY, NULL, &r, &e), &e, code);
}

START_TEST(ingest_refuses_by_name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fixture f;
	struct err e;
	int s;

	fixture_open(&f);
	make(&f);
	refused(&f, "none", BOTH, ERR_NOTFOUND, "none");
	refused(&f, "d", 0, ERR_DENIED, "directory");
	refused(&f, "d/sub/link", BOTH, ERR_DENIED, "symbolic link");
	ck_assert_int_eq(symlinkat("d", f.dirfd, "l"), 0);
	refused(&f, "l/a", BOTH, ERR_DENIED, "symbolic link");
	refused(&f, "../x", BOTH, ERR_DENIED, "");
	ck_assert_int_eq(mkfifoat(f.dirfd, "d/sub/fifo", 0644), 0);
	refused(&f, "d/sub/fifo", BOTH, ERR_DENIED, "FIFO");
	refused(&f, "d", BOTH, ERR_DENIED, "d/sub/fifo");
	UNIT_OK(fd_remove_tree(f.dirfd, "d/sub/fifo", &e), &e);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/d/sock", f.dirfd);
	ck_assert_int_eq(bind(s, (struct sockaddr *)&address, sizeof address), 0);
	refused(&f, "d", BOTH, ERR_DENIED, "socket");
	close(s);
	UNIT_OK(fd_remove_tree(f.dirfd, "d/sock", &e), &e);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = {"d/.git", "d/.GIT", "d/sub/.Aicert"};

		ck_assert_int_eq(mkdirat(f.dirfd, names[i], 0755), 0);
		refused(&f, "d", BOTH, ERR_DENIED, i == 2 ? "a store inside" : "git repository");
		refused(&f, "d", BOTH, ERR_DENIED, names[i]);
		UNIT_OK(fd_remove_tree(f.dirfd, names[i], &e), &e);
	}
	ingest_ok(&f, "d", BOTH);
	fixture_close(&f);
}
END_TEST

static void
nest(struct fixture *f, int depth)
{
	CLEANUP(cleanup_close) int fd = openat(f->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		int next;

		ck_assert(mkdirat(fd, "n", 0755) == 0 || i > 0 || errno == EEXIST);
		next = openat(fd, "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		close(fd);
		fd = next;
	}
}

START_TEST(ingest_depth)
{
	struct ingest_result r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	nest(&f, TREE_DEPTH_MAX);
	r = ingest_ok(&f, "n", BOTH);
	UNIT_OK(ingest_checkout(f.s, r.type, &r.id, f.dirfd, "out", &e), &e);
	compare_trees(&f, "out", &r.id);
	fixture_close(&f);
	fixture_open(&f);
	nest(&f, TREE_DEPTH_MAX + 1);
	refused(&f, "n", BOTH, ERR_LIMIT, "deep");
	fixture_close(&f);
}
END_TEST

/* Entries "<mode> <size>" with these one-letter names, all the same object. */
static struct oid
put_tree(struct fixture *f, const char *head, const char *names, const struct oid *id)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];
	struct oid tree;
	struct err e;

	oid_hex(id, hex);
	buf_adds(&text, "aicert tree 1\n");
	for (; *names != '\0'; names++)
		buf_addf(&text, "%s %s %c\n", head, hex, *names);
	UNIT_OK(odb_put(f->s, text.data, text.len, &tree, &e), &e);
	return tree;
}

static void
write_fails(struct fixture *f, const struct oid *tree, enum err_code code)
{
	struct err e;

	UNIT_FAILS(ingest_checkout(f->s, OBJECT_TREE, tree, f->dirfd, "out", &e), &e, code);
	ck_assert_int_ne(faccessat(f->dirfd, "out", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	UNIT_FAILS(ingest_materialise(f->s, OBJECT_TREE, tree, f->dirfd, "out", &e), &e, code);
	ck_assert_int_ne(faccessat(f->dirfd, "out", F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

/* What a stranger's tree may say: wrong sizes, missing objects, bad links. */
START_TEST(ingest_hostile_trees)
{
	struct oid blob, nul, absent, tree;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(odb_put(f.s, "abc", 3, &blob, &e), &e);
	UNIT_OK(odb_put(f.s, "a\0c", 3, &nul, &e), &e);
	absent = blob;
	absent.b[0] ^= 1;
	tree = put_tree(&f, "100644 4", "a", &blob);
	write_fails(&f, &tree, ERR_CORRUPT);
	tree = put_tree(&f, "040000 1", "d", &tree);
	write_fails(&f, &tree, ERR_CORRUPT);
	tree = put_tree(&f, "100644 3", "ab", &absent);
	write_fails(&f, &tree, ERR_NOTFOUND);
	tree = put_tree(&f, "120000 3", "a", &nul);
	write_fails(&f, &tree, ERR_FORMAT);
	write_fails(&f, &blob, ERR_FORMAT);
	tree = put_tree(&f, "", "", &blob);
	UNIT_OK(ingest_checkout(f.s, OBJECT_TREE, &tree, f.dirfd, "empty", &e), &e);
	fixture_close(&f);
}
END_TEST

static void
make_many(struct fixture *f)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(6000000, 9);
	struct err e;

	for (int i = 0; i < 600; i++) {
		char name[64];

		snprintf(name, sizeof name, "m/d%d/e%d", i % 7, i % 3);
		UNIT_OK(fd_mkdirs_beneath(f->dirfd, name, 0755, &e), &e);
		snprintf(name, sizeof name, "m/d%d/e%d/f%d", i % 7, i % 3, i);
		fixture_write(f, name, large + i, i % 50 == 0 ? 100000 + (size_t)i : (size_t)i);
	}
	for (int i = 0; i < 4; i++) {
		char name[64];

		snprintf(name, sizeof name, "m/large%d", i);
		fixture_write(f, name, large + i, 5000000 + (size_t)i);
	}
}

static struct ingest_result
ingest_with(struct store *s, int dirfd, const char *path, const struct ingest_options *o)
{
	struct ingest_item item = {.dirfd = dirfd, .path = path, .worktree = true};
	struct err e;

	UNIT_OK(ingest_items(s, o, &item, 1, &e), &e);
	ck_assert(item.done);
	return item.result;
}

static bool
ingest_gives(const struct oid *id, struct ingest_result r)
{
	return oid_equal(id, &r.id);
}

/* Any number of threads gives the same tree; all of it can be read back. */
START_TEST(ingest_threads)
{
	static const unsigned threads[] = {1, 2, 3, 16};
	struct ingest_options o = {.flags = BOTH | INGEST_HASH_ONLY, .threads = threads[_i]};
	struct ingest_result hashed, stored;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make_many(&f);
	UNIT_OK(ingest_path(NULL, f.dirfd, "m", BOTH | INGEST_HASH_ONLY, NULL, &hashed, &e), &e);
	ck_assert(ingest_gives(&hashed.id, ingest_with(NULL, f.dirfd, "m", &o)));
	o.flags = BOTH;
	o.mode = _i % 2 == 0 ? INGEST_COPY : INGEST_AUTO;
	stored = ingest_with(f.s, f.dirfd, "m", &o);
	ck_assert(oid_equal(&hashed.id, &stored.id));
	ck_assert_uint_eq(hashed.size, stored.size);
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	UNIT_OK(ingest_checkout(f.s, stored.type, &stored.id, f.dirfd, "out", &e), &e);
	compare_trees(&f, "out", &hashed.id);
	fixture_close(&f);
}
END_TEST

/* A cache beside files that are old enough to be remembered. */
static struct stat_cache *
settled_cache(const struct fixture *f)
{
	struct stat_cache *c;
	char path[200];

	usleep(50000);
	snprintf(path, sizeof path, "%s/cache", f->path);
	c = stat_cache_open(path);
	ck_assert_ptr_nonnull(c);
	return c;
}

struct ingest_heard {
	int dirfd;
	size_t files;
};

static void
ingest_hear(void *arg, const char *path, const struct oid *id)
{
	struct ingest_heard *h = arg;
	struct ingest_result r;
	struct err e;

	UNIT_OK(ingest_path(NULL, h->dirfd, path, INGEST_HASH_ONLY, NULL, &r, &e), &e);
	ck_assert_msg(oid_equal(&r.id, id), "%s", path);
	h->files++;
}

/* Who asks is told of every regular file that is read, small or large, and of nothing else. */
START_TEST(ingest_tells_what_is_read)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(5000000, 9);
	struct ingest_heard heard = {0};
	struct ingest_options o = {.flags = BOTH | INGEST_HASH_ONLY, .threads = _i == 0 ? 1 : 3,
	    .told = ingest_hear, .told_arg = &heard};
	struct fixture f;

	fixture_open(&f);
	heard.dirfd = f.dirfd;
	make(&f);
	fixture_write(&f, "d/larger", large, 5000000);
	o.cache = settled_cache(&f);
	(void)ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert_uint_eq(heard.files, 4);
	(void)ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert_uint_eq(heard.files, 4);
	(void)ingest_with(NULL, f.dirfd, "d/larger", &o);
	ck_assert_uint_eq(heard.files, 4);
	stat_cache_close(o.cache);
	o.cache = NULL;
	(void)ingest_with(NULL, f.dirfd, "d/larger", &o);
	ck_assert_uint_eq(heard.files, 5);
	fixture_close(&f);
}
END_TEST

/* A cache that lies about one file shows what is believed, and when. */
START_TEST(ingest_cache)
{
	struct ingest_options o = {.flags = BOTH | INGEST_HASH_ONLY};
	struct stat_cache_dir known = STAT_CACHE_DIR_INIT;
	struct ingest_result r, lied;
	struct stat dir;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make(&f);
	o.cache = settled_cache(&f);
	r = ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert_int_eq(fstatat(f.dirfd, "d", &dir, 0), 0);
	stat_cache_load(o.cache, &dir, &known);
	ck_assert_uint_eq(known.count, 2);
	ck_assert_str_eq(known.entries[0].name, "a");
	known.entries[0].id.b[0] ^= 1;
	stat_cache_store(o.cache, &dir, known.entries, known.count, NULL);
	lied = ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert(!oid_equal(&lied.id, &r.id));
	/* the store does not have what the cache says: it is read */
	o.flags = BOTH;
	ck_assert(ingest_gives(&r.id, ingest_with(f.s, f.dirfd, "d", &o)));
	stat_cache_dir_free(&known);
	stat_cache_load(o.cache, &dir, &known);
	ck_assert_uint_eq(known.count, 2);
	/* and the cache was put right by that */
	o.flags = BOTH | INGEST_HASH_ONLY;
	ck_assert(ingest_gives(&r.id, ingest_with(NULL, f.dirfd, "d", &o)));
	/* without a cache it is never asked */
	UNIT_OK(ingest_path(NULL, f.dirfd, "d", BOTH | INGEST_HASH_ONLY, NULL, &lied, &e), &e);
	ck_assert(oid_equal(&r.id, &lied.id));
	stat_cache_dir_free(&known);
	stat_cache_close(o.cache);
	fixture_close(&f);
}
END_TEST

/* Two files, and a cache that may remember them. */
static struct stat_cache *
make_names(const struct fixture *f)
{
	struct err e;

	UNIT_OK(fd_mkdirs_beneath(f->dirfd, "d/names", 0755, &e), &e);
	fixture_write(f, "d/names/a", "aaa", 3);
	fixture_write(f, "d/names/b", "bbb", 3);
	return settled_cache(f);
}

static void
change_names(const struct fixture *f, int how)
{
	switch (how) {
	case 0:
		fixture_write(f, "d/names/c", "new", 3);
		break;
	case 1:
		ck_assert_int_eq(unlinkat(f->dirfd, "d/names/b", 0), 0);
		break;
	case 2:
		ck_assert_int_eq(renameat(f->dirfd, "d/names/b", f->dirfd, "d/names/a"), 0);
		break;
	case 3:
		ck_assert_int_eq(symlinkat("a", f->dirfd, "d/names/link"), 0);
		break;
	case 4: /* another file in its place */
		fixture_write(f, "d/other", "b2b", 3);
		ck_assert_int_eq(renameat(f->dirfd, "d/other", f->dirfd, "d/names/b"), 0);
		break;
	case 5:
		ck_assert_int_eq(mkdirat(f->dirfd, "d/names/dir", 0755), 0);
		break;
	default:
		fixture_write(f, "d/names/.aicertignore", "b\n", 2);
		break;
	}
}

/* A directory is not listed again, unless something in it came or went. */
START_TEST(ingest_names_from_cache)
{
	struct ingest_options o = {.flags = BOTH | INGEST_HASH_ONLY | INGEST_IGNORE}, plain = o;
	struct stat_cache_dir known = STAT_CACHE_DIR_INIT;
	struct ingest_result r, lied;
	struct stat dir;
	struct fixture f;

	fixture_open(&f);
	o.cache = make_names(&f);
	r = ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert(ingest_gives(&r.id, ingest_with(NULL, f.dirfd, "d", &o)));
	change_names(&f, _i);
	r = ingest_with(NULL, f.dirfd, "d", &plain);
	for (int again = 0; again < 3; again++) {
		ck_assert(ingest_gives(&r.id, ingest_with(NULL, f.dirfd, "d", &o)));
		usleep(25000);
	}
	/* the names are those of the cache: one that lacks one is believed */
	if (_i == 0 && fstatat(f.dirfd, "d/names", &dir, 0) == 0) {
		stat_cache_load(o.cache, &dir, &known);
		ck_assert(known.whole);
		stat_cache_store(o.cache, &dir, known.entries, known.count - 1, &known.as_of.tree);
		lied = ingest_with(NULL, f.dirfd, "d", &o);
		ck_assert(!oid_equal(&lied.id, &r.id));
		stat_cache_dir_free(&known);
	}
	stat_cache_close(o.cache);
	fixture_close(&f);
}
END_TEST

/* The tree of files that are what they were is not made again, but where it is needed. */
START_TEST(ingest_tree_from_cache)
{
	struct ingest_options o = {.flags = BOTH | INGEST_HASH_ONLY}, put = {.flags = BOTH};
	struct stat_cache_dir known = STAT_CACHE_DIR_INIT;
	struct stat_cache_tree lie;
	struct ingest_result r;
	struct stat dir;
	struct fixture f;

	fixture_open(&f);
	o.cache = put.cache = make_names(&f);
	r = ingest_with(NULL, f.dirfd, "d/names", &o);
	ck_assert_int_eq(fstatat(f.dirfd, "d/names", &dir, 0), 0);
	stat_cache_load(o.cache, &dir, &known);
	ck_assert(known.whole && oid_equal(&known.as_of.tree.id, &r.id));
	/* the store has the files, and not the tree */
	(void)ingest_with(f.s, f.dirfd, "d/names/a", &put);
	(void)ingest_with(f.s, f.dirfd, "d/names/b", &put);
	ck_assert(!odb_has_own(f.s, &r.id));
	ck_assert(ingest_gives(&r.id, ingest_with(f.s, f.dirfd, "d/names", &put)));
	ck_assert(odb_has_own(f.s, &r.id));
	/* what the cache says of it is what is said, ... */
	lie = known.as_of.tree;
	lie.id.b[0] ^= 1;
	stat_cache_store(o.cache, &dir, known.entries, known.count, &lie);
	ck_assert(ingest_gives(&lie.id, ingest_with(NULL, f.dirfd, "d/names", &o)));
	/* ... but not where it is to be in the store, nor when a file is another */
	ck_assert(ingest_gives(&r.id, ingest_with(f.s, f.dirfd, "d/names", &put)));
	ck_assert_int_eq(fchmodat(f.dirfd, "d/names/b", 0755, 0), 0);
	r = ingest_with(NULL, f.dirfd, "d/names", &(struct ingest_options){.flags = o.flags});
	ck_assert(ingest_gives(&r.id, ingest_with(NULL, f.dirfd, "d/names", &o)));
	stat_cache_dir_free(&known);
	stat_cache_close(o.cache);
	fixture_close(&f);
}
END_TEST

/* The digest in the event is that of what sha256sum prints of the rule files. */
START_TEST(ingest_ignored)
{
	struct ingest_options o = {.flags = BOTH | INGEST_IGNORE | INGEST_HASH_ONLY};
	struct ingest_result r, all;
	struct oid top, sub, rules;
	char a[OID_HEX_SIZE], b[OID_HEX_SIZE], text[400];
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make(&f);
	fixture_write(&f, ".aicertignore", "*.log\n", 6);
	r = ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert_uint_eq(r.ignored.count, 0);
	UNIT_OK(ingest_path(NULL, f.dirfd, "d", BOTH | INGEST_HASH_ONLY, NULL, &all, &e), &e);
	ck_assert(oid_equal(&r.id, &all.id));
	UNIT_OK(fd_mkdirs_beneath(f.dirfd, "d/sub/out/deep", 0755, &e), &e);
	fixture_write(&f, "d/sub/out/deep/x", "x", 1);
	fixture_write(&f, "d/sub/out/y", "y", 1);
	fixture_write(&f, "d/1.log", "1", 1);
	fixture_write(&f, "d/sub/2.log", "2", 1);
	fixture_write(&f, "d/sub/.aicertignore", "out/\n", 5);
	r = ingest_with(NULL, f.dirfd, "d", &o);
	ck_assert_uint_eq(r.ignored.count, 3); /* out counts once */
	UNIT_OK(oid_from_data(&top, "*.log\n", 6, &e), &e);
	UNIT_OK(oid_from_data(&sub, "out/\n", 5, &e), &e);
	oid_hex(&top, a);
	oid_hex(&sub, b);
	snprintf(text, sizeof text, "%s  .aicertignore\n%s  d/sub/.aicertignore\n", a, b);
	UNIT_OK(oid_from_data(&rules, text, strlen(text), &e), &e);
	ck_assert(oid_equal(&rules, &r.ignored.rules));
	/* when verifying everything counts */
	UNIT_OK(ingest_path(NULL, f.dirfd, "d", BOTH | INGEST_HASH_ONLY, NULL, &all, &e), &e);
	ck_assert(!oid_equal(&r.id, &all.id));
	ck_assert_uint_eq(all.ignored.count, 0);
	fixture_close(&f);
}
END_TEST

/* A signal while files are read: an error, and nothing is left. */
START_TEST(ingest_interrupted)
{
	const struct ingest_options o = {.flags = BOTH, .threads = _i == 0 ? 1 : 3};
	struct ingest_item item = {.path = "m"};
	struct fixture f;
	struct err e;

	fixture_open(&f);
	make_many(&f);
	item.dirfd = f.dirfd;
	UNIT_OK(interrupt_install(&e), &e);
	raise(SIGINT);
	UNIT_FAILS(ingest_items(f.s, &o, &item, 1, &e), &e, ERR_CANCELLED);
	ck_assert(!item.done);
	ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(ingest_reflink_or_says_so)
{
	CLEANUP(cleanup_free) unsigned char *large = fixture_bytes(100000, 5);
	const struct ingest_options o = {.mode = INGEST_REFLINK};
	struct ingest_item item = {.path = "large"};
	struct fixture f;
	struct err e;

	fixture_open(&f);
	fixture_write(&f, "large", large, 100000);
	item.dirfd = f.dirfd;
	if (ingest_items(f.s, &o, &item, 1, &e) != 0) {
		ck_assert_int_eq(e.code, ERR_UNSUPPORTED);
		ck_assert(strstr(e.msg, "large") != NULL && strstr(e.msg, "store.ingest") != NULL);
		ck_assert_int_eq(fixture_count(store_tmp_fd(f.s), "."), 0);
	} else {
		ck_assert(odb_intact(f.s, &item.result.id));
	}
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(ingest)
{
	tcase_add_loop_test(tc, ingest_threads, 0, 4);
	tcase_add_loop_test(tc, ingest_tells_what_is_read, 0, 2);
	tcase_add_test(tc, ingest_cache);
	tcase_add_loop_test(tc, ingest_names_from_cache, 0, 7);
	tcase_add_test(tc, ingest_tree_from_cache);
	tcase_add_test(tc, ingest_ignored);
	tcase_add_loop_test(tc, ingest_interrupted, 0, 2);
	tcase_add_test(tc, ingest_reflink_or_says_so);
	tcase_add_test(tc, ingest_file_and_directory);
	tcase_add_test(tc, ingest_checkout_gives_it_back);
	tcase_add_test(tc, ingest_adopt_empties_the_directory);
	tcase_add_test(tc, ingest_refuses_by_name);
	tcase_add_test(tc, ingest_depth);
	tcase_add_test(tc, ingest_hostile_trees);
}
