#include "store/kept.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "unit.h"
#include "base/fd.h"
#include "store/fixture.h"
#include "store/ingest.h"

/* A tree input with a file, an executable, a link and an empty directory. */
static struct resource
lay_out(struct fixture *f, const char *name)
{
	struct ingest_result r;
	struct err e;

	if (faccessat(f->dirfd, "data", F_OK, 0) != 0) {
		UNIT_OK(fd_mkdirs_beneath(f->dirfd, "data/sub", 0755, &e), &e);
		fixture_write(f, "data/a", "aaaa", 4);
		fixture_write(f, "data/run", "#!", 2);
		ck_assert_int_eq(fchmodat(f->dirfd, "data/run", 0755, 0), 0);
		ck_assert_int_eq(symlinkat("a", f->dirfd, "data/link"), 0);
	}
	UNIT_OK(ingest_path(f->s, f->dirfd, "data", INGEST_DIRECTORIES, NULL, &r, &e), &e);
	UNIT_OK(ingest_materialise(f->s, r.type, &r.id, store_tmp_fd(f->s), name, &e), &e);
	return (struct resource){.type = r.type, .size = r.size, .digests = {.sha256 = r.id}};
}

static long
inode(struct fixture *f, const char *name)
{
	struct stat st;

	return fstatat(store_tmp_fd(f->s), name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (long)st.st_ino : 0;
}

static bool
take(struct fixture *f, const struct resource *r, const char *name)
{
	bool taken;
	struct err e;

	UNIT_OK(kept_take(f->s, r, store_tmp_fd(f->s), name, &taken, &e), &e);
	ck_assert_int_eq(inode(f, name) != 0, taken);
	return taken;
}

START_TEST(kept_is_the_same_directory)
{
	struct resource r;
	struct fixture f;
	struct stat st;
	long was;

	fixture_open(&f);
	r = lay_out(&f, "one");
	ck_assert(!take(&f, &r, "none"));
	was = inode(&f, "one");
	kept_give(f.s, &r, store_tmp_fd(f.s), "one");
	ck_assert_int_eq(inode(&f, "one"), 0);
	ck_assert_int_eq(fstatat(store_dirfd(f.s), "kept", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0700);
	ck_assert(take(&f, &r, "two"));
	ck_assert_int_eq(inode(&f, "two"), was);
	ck_assert_int_eq(fstatat(store_tmp_fd(f.s), "two", &st, 0), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0555);
	/* one run at a time; the second copy is not needed */
	ck_assert(!take(&f, &r, "three"));
	lay_out(&f, "three");
	kept_give(f.s, &r, store_tmp_fd(f.s), "two");
	kept_give(f.s, &r, store_tmp_fd(f.s), "three");
	ck_assert_int_ne(inode(&f, "three"), 0);
	ck_assert(take(&f, &r, "four"));
	ck_assert_int_eq(inode(&f, "four"), was);
	fixture_close(&f);
}
END_TEST

/* kept/<id>/path of what is kept. */
static void
inside(struct fixture *f, const struct resource *r, const char *path, char ret[200])
{
	char hex[OID_HEX_SIZE];

	oid_hex(&r->digests.sha256, hex);
	snprintf(ret, 200, "kept/%s%s%s", hex, *path != '\0' ? "/" : "", path);
	ck_assert_int_eq(faccessat(store_dirfd(f->s), ret, F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void
spoil(struct fixture *f, const struct resource *r, int how)
{
	int at = store_dirfd(f->s), fd;
	char path[200], dir[200];

	inside(f, r, "a", path);
	inside(f, r, "", dir);
	switch (how) {
	case 0: /* another byte, of the same length and with the same mode */
		ck_assert_int_eq(fchmodat(at, path, 0644, 0), 0);
		fd = openat(at, path, O_WRONLY);
		ck_assert_int_eq(pwrite(fd, "b", 1, 1), 1);
		close(fd);
		ck_assert_int_eq(fchmodat(at, path, 0444, 0), 0);
		break;
	case 1:
		ck_assert_int_eq(fchmodat(at, path, 0644, 0), 0);
		break;
	case 2: /* somebody else can reach it */
		ck_assert_int_eq(linkat(at, path, at, "tmp/other-name", 0), 0);
		break;
	case 3:
		ck_assert_int_eq(unlinkat(at, path, 0), 0);
		break;
	case 4:
		strncat(dir, "/more", sizeof dir - strlen(dir) - 1);
		ck_assert_int_eq(mkdirat(at, dir, 0555), 0);
		break;
	case 5:
		ck_assert_int_eq(unlinkat(at, path, 0), 0);
		ck_assert_int_eq(symlinkat("/etc/passwd", at, path), 0);
		break;
	case 6:
		ck_assert_int_eq(mkfifoat(at, "tmp/fifo", 0444), 0);
		ck_assert_int_eq(renameat(at, "tmp/fifo", at, path), 0);
		break;
	default: /* nothing that could be a tree */
		ck_assert_int_eq(renameat(at, dir, at, "tmp/away"), 0);
		ck_assert_int_eq(symlinkat("../tmp/away", at, dir), 0);
	}
}

START_TEST(kept_believes_nothing)
{
	struct resource r;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	r = lay_out(&f, "x");
	UNIT_OK(fd_remove_tree(store_tmp_fd(f.s), "x", &e), &e);
	for (int how = 0; how < 8; how++) {
		lay_out(&f, "x");
		kept_give(f.s, &r, store_tmp_fd(f.s), "x");
		ck_assert_int_eq(inode(&f, "x"), 0);
		spoil(&f, &r, how);
		ck_assert_msg(!take(&f, &r, "y"), "spoilt %d", how);
		ck_assert_msg(!take(&f, &r, "y"), "spoilt %d, again", how);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(kept_files)
{
	CLEANUP(cleanup_free) unsigned char *bytes = fixture_bytes(100000, 1);
	struct resource r = {.type = OBJECT_BLOB, .size = 100000};
	struct ingest_result made;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	fixture_write(&f, "data", bytes, 100000);
	UNIT_OK(ingest_path(f.s, f.dirfd, "data", 0, NULL, &made, &e), &e);
	r.digests.sha256 = made.id;
	UNIT_OK(ingest_materialise(f.s, OBJECT_BLOB, &made.id, store_tmp_fd(f.s), "x", &e), &e);
	kept_give(f.s, &r, store_tmp_fd(f.s), "x");
	/* the same bytes are no tree */
	r.type = OBJECT_TREE;
	ck_assert(!take(&f, &r, "y"));
	r.type = OBJECT_BLOB;
	ck_assert(!take(&f, &r, "y")); /* gone with the first attempt */
	UNIT_OK(ingest_materialise(f.s, OBJECT_BLOB, &made.id, store_tmp_fd(f.s), "x", &e), &e);
	kept_give(f.s, &r, store_tmp_fd(f.s), "x");
	ck_assert(take(&f, &r, "y"));
	/* a short one is copied */
	r.size = 10;
	kept_give(f.s, &r, store_tmp_fd(f.s), "y");
	ck_assert_int_ne(inode(&f, "y"), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(kept_is_swept)
{
	struct resource r;
	struct fixture f;
	size_t count = 9;
	struct err e;

	fixture_open(&f);
	UNIT_OK(kept_sweep(f.s, 0, &count, &e), &e);
	ck_assert_uint_eq(count, 0);
	r = lay_out(&f, "x");
	kept_give(f.s, &r, store_tmp_fd(f.s), "x");
	UNIT_OK(kept_sweep(f.s, KEPT_AGE_SECONDS, &count, &e), &e);
	ck_assert_uint_eq(count, 0);
	UNIT_OK(kept_sweep(f.s, 0, &count, &e), &e);
	ck_assert_uint_eq(count, 1);
	ck_assert(!take(&f, &r, "y"));
	ck_assert_int_eq(fixture_count(store_dirfd(f.s), "kept"), 0);
	fixture_reopen(&f, STORE_READ_ONLY);
	kept_give(f.s, &r, f.dirfd, "data");
	ck_assert_int_eq(faccessat(f.dirfd, "data", F_OK, 0), 0);
	fixture_close(&f);
}
END_TEST

UNIT_SUITE(kept)
{
	tcase_add_test(tc, kept_is_the_same_directory);
	tcase_add_test(tc, kept_believes_nothing);
	tcase_add_test(tc, kept_files);
	tcase_add_test(tc, kept_is_swept);
}
