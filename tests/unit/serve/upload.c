#include "serve/upload.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include "codec/jcs.h"
#include "store/odb.h"
#include "unit.h"

static struct store *
upload_store(const char *name)
{
	struct store *s = NULL;
	char dir[128], path[160];
	bool created;
	struct err e;

	snprintf(dir, sizeof dir, "%s/%s", unit_dir(), name);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	UNIT_OK(store_init(dir, &created, &e), &e);
	snprintf(path, sizeof path, "%s/.aicert", dir);
	UNIT_OK(store_open(path, 0, &s, &e), &e);
	return s;
}

static struct oid
upload_id(const char *content)
{
	struct oid id;
	struct err e;

	UNIT_OK(oid_from_data(&id, content, strlen(content), &e), &e);
	return id;
}

static const struct upload_range first_half = {.start = 0, .length = 5, .total = 10, .resume = true};
static const struct upload_range second_half = {.start = 5, .length = 5, .total = 10, .resume = true};
static const struct upload_range whole = {.start = 0, .length = 10, .total = 10};

START_TEST(halves_make_a_whole)
{
	struct store *s = upload_store("halves");
	struct oid id = upload_id("0123456789");
	struct upload *u;
	uint64_t offset;
	bool done;
	struct err e;

	UNIT_FAILS(upload_offset(s, &id, "", &offset, &e), &e, ERR_NOTFOUND);
	UNIT_OK(upload_open(s, &id, "", &first_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "01", 2, &e), &e);
	UNIT_OK(upload_write(u, "", 0, &e), &e);
	UNIT_OK(upload_write(u, "234", 3, &e), &e);
	UNIT_OK(upload_finish(u, &done, &offset, &e), &e);
	ck_assert(!done);
	ck_assert_uint_eq(offset, 5);
	upload_close(u);
	UNIT_OK(upload_offset(s, &id, "", &offset, &e), &e);
	ck_assert_uint_eq(offset, 5);
	ck_assert(!odb_has(s, &id));
	UNIT_OK(upload_open(s, &id, "", &second_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "56789", 5, &e), &e);
	UNIT_OK(upload_finish(u, &done, &offset, &e), &e);
	ck_assert(done);
	ck_assert_uint_eq(offset, 10);
	upload_close(u);
	ck_assert(odb_has(s, &id));
	UNIT_FAILS(upload_offset(s, &id, "", &offset, &e), &e, ERR_NOTFOUND);
	ck_assert_int_ne(faccessat(store_tmp_fd(s), "upload", F_OK, 0), 0); /* no litter */
	store_close(s);
}
END_TEST

START_TEST(one_sender_at_a_time)
{
	struct store *s = upload_store("sender");
	struct oid id = upload_id("0123456789");
	struct upload *u, *other;
	uint64_t offset;
	struct err e;

	UNIT_OK(upload_open(s, &id, "", &whole, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "012", 3, &e), &e);
	UNIT_FAILS(upload_open(s, &id, "", &whole, &other, &offset, &e), &e, ERR_CONFLICT);
	UNIT_FAILS(upload_open(s, &id, "", &second_half, &other, &offset, &e), &e, ERR_CONFLICT);
	/* that did not disturb the first */
	UNIT_OK(upload_write(u, "34", 2, &e), &e);
	upload_close(u);
	UNIT_OK(upload_open(s, &id, "", &second_half, &u, &offset, &e), &e);
	upload_close(u);
	store_close(s);
}
END_TEST

START_TEST(gaps_and_overlaps_conflict)
{
	struct store *s = upload_store("gaps");
	struct oid id = upload_id("0123456789");
	struct upload_range range = second_half;
	struct upload *u;
	uint64_t offset;
	struct err e;

	UNIT_FAILS(upload_open(s, &id, "", &second_half, &u, &offset, &e), &e, ERR_CONFLICT);
	ck_assert_uint_eq(offset, 0);
	UNIT_FAILS(upload_offset(s, &id, "", &offset, &e), &e, ERR_NOTFOUND); /* no empty part stays */
	UNIT_OK(upload_open(s, &id, "", &first_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "0123", 4, &e), &e);
	UNIT_FAILS(upload_write(u, "4567", 4, &e), &e, ERR_LIMIT);
	upload_close(u);
	for (range.start = 0; range.start <= 5; range.start++) {
		if (range.start == 4)
			continue;
		UNIT_FAILS(upload_open(s, &id, "", &range, &u, &offset, &e), &e, ERR_CONFLICT);
		ck_assert_uint_eq(offset, 4);
	}
	store_close(s);
}
END_TEST

START_TEST(short_ranges_are_not_finished)
{
	struct store *s = upload_store("short");
	struct oid id = upload_id("0123456789");
	struct upload *u;
	uint64_t offset;
	bool done;
	struct err e;

	UNIT_OK(upload_open(s, &id, "", &whole, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "012345678", 9, &e), &e);
	UNIT_FAILS(upload_finish(u, &done, &offset, &e), &e, ERR_FORMAT);
	upload_close(u);
	ck_assert(!odb_has(s, &id));
	store_close(s);
}
END_TEST

START_TEST(wrong_bytes_leave_nothing)
{
	struct store *s = upload_store("wrong");
	struct oid id = upload_id("0123456789"), other = upload_id("0123456788");
	struct upload *u;
	uint64_t offset;
	bool done;
	struct err e;

	UNIT_OK(upload_open(s, &id, "", &first_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "01234", 5, &e), &e);
	UNIT_OK(upload_finish(u, &done, &offset, &e), &e);
	upload_close(u);
	UNIT_OK(upload_open(s, &id, "", &second_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "56788", 5, &e), &e);
	UNIT_FAILS(upload_finish(u, &done, &offset, &e), &e, ERR_REFUSED);
	upload_close(u);
	ck_assert(!odb_has(s, &id));
	ck_assert(!odb_has(s, &other));
	UNIT_FAILS(upload_offset(s, &id, "", &offset, &e), &e, ERR_NOTFOUND);
	store_close(s);
}
END_TEST

START_TEST(a_part_altered_behind_our_back_is_found)
{
	struct store *s = upload_store("altered");
	struct oid id = upload_id("0123456789");
	struct upload *u;
	uint64_t offset;
	bool done;
	char name[128], hex[OID_HEX_SIZE];
	struct err e;
	int fd;

	UNIT_OK(upload_open(s, &id, "", &first_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "01234", 5, &e), &e);
	upload_close(u);
	oid_hex(&id, hex);
	snprintf(name, sizeof name, "upload/%s", hex);
	fd = openat(store_tmp_fd(s), name, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, "X", 1, 2), 1);
	close(fd);
	UNIT_OK(upload_open(s, &id, "", &second_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "56789", 5, &e), &e);
	UNIT_FAILS(upload_finish(u, &done, &offset, &e), &e, ERR_REFUSED);
	upload_close(u);
	ck_assert(!odb_has(s, &id));
	store_close(s);
}
END_TEST

START_TEST(links_are_not_followed)
{
	struct store *s = upload_store("links");
	struct oid id = upload_id("0123456789");
	struct upload *u;
	uint64_t offset;
	char name[128], hex[OID_HEX_SIZE], target[128];
	struct stat st;
	struct err e;

	snprintf(target, sizeof target, "%s/victim", unit_dir());
	close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	ck_assert_int_eq(mkdirat(store_tmp_fd(s), "upload", 0700), 0);
	oid_hex(&id, hex);
	snprintf(name, sizeof name, "upload/%s", hex);
	ck_assert_int_eq(symlinkat(target, store_tmp_fd(s), name), 0);
	UNIT_FAILS(upload_open(s, &id, "", &whole, &u, &offset, &e), &e, ERR_DENIED);
	UNIT_FAILS(upload_offset(s, &id, "", &offset, &e), &e, ERR_NOTFOUND);
	ck_assert_int_eq(stat(target, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	store_close(s);
}
END_TEST

START_TEST(sizes_are_bounded)
{
	static const struct upload_range bad[] = {
		{.start = 0, .length = 11, .total = 10},
		{.start = 6, .length = 5, .total = 10},
		{.start = UINT64_MAX, .length = 5, .total = 10},
		{.start = 0, .length = 5, .total = UINT64_MAX},
		{.start = 0, .length = 5, .total = (uint64_t)JCS_INT_MAX + 1},
	};
	struct store *s = upload_store("sizes");
	struct oid id = upload_id("0123456789");
	struct upload *u;
	uint64_t offset;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		UNIT_FAILS(upload_open(s, &id, "", &bad[i], &u, &offset, &e), &e, ERR_LIMIT);
	store_close(s);
}
END_TEST

/* What happens between an upload's open and its lock, once. */
static void (*before_lock)(void);

int
flock(int fd, int operation)
{
	void (*what)(void) = before_lock;

	before_lock = NULL;
	if (what != NULL)
		what();
	return (int)syscall(SYS_flock, fd, operation);
}

#define LARGE 100000 /* so that it becomes an object by rename */

static struct {
	struct store *store;
	struct oid id;
	char bytes[LARGE];
} race;

static void
another_sends_it_whole(void)
{
	const struct upload_range all = {.length = LARGE, .total = LARGE};
	struct upload *u;
	uint64_t offset;
	bool done;
	struct err e;

	UNIT_OK(upload_open(race.store, &race.id, "", &all, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, race.bytes, LARGE, &e), &e);
	UNIT_OK(upload_finish(u, &done, &offset, &e), &e);
	ck_assert(done);
	upload_close(u);
}

START_TEST(an_object_is_not_written_to)
{
	static const struct upload_range ranges[] = {
		{.length = LARGE, .total = LARGE},
		{.start = LARGE, .length = 1, .total = LARGE + 1, .resume = true},
	};
	struct upload *u;
	uint64_t offset;
	struct err e;

	race.store = upload_store("race");
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
		memset(race.bytes, 'a' + (int)i, LARGE);
		UNIT_OK(oid_from_data(&race.id, race.bytes, LARGE, &e), &e);
		before_lock = another_sends_it_whole;
		UNIT_FAILS(upload_open(race.store, &race.id, "", &ranges[i], &u, &offset, &e), &e,
		    ERR_CONFLICT);
		ck_assert_ptr_null(before_lock);
		ck_assert(odb_intact(race.store, &race.id));
	}
	store_close(race.store);
}
END_TEST

/* A file system with so much free of 64 MiB; 0: the real one. */
static uint64_t blocks_free;

int
fstatvfs(int fd, struct statvfs *ret)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (statvfs(path, ret) != 0)
		return -1;
	if (blocks_free > 0) {
		ret->f_frsize = 4096;
		ret->f_blocks = 16384;
		ret->f_bavail = blocks_free;
	}
	return 0;
}

START_TEST(the_disk_is_not_filled)
{
	const uint64_t size = 20 * 1024 * 1024;
	const struct upload_range all = {.length = size, .total = size};
	struct store *s = upload_store("room");
	struct oid id = upload_id("anything");
	CLEANUP(buf_free) struct buf half = BUF_INIT;
	struct upload *u;
	uint64_t offset;
	struct err e;

	blocks_free = 256 + size / 4096 - 1; /* 256: a 64th */
	UNIT_FAILS(upload_open(s, &id, "", &all, &u, &offset, &e), &e, ERR_LIMIT);
	UNIT_FAILS(upload_offset(s, &id, "", &offset, &e), &e, ERR_NOTFOUND);
	blocks_free++;
	UNIT_OK(upload_open(s, &id, "", &all, &u, &offset, &e), &e);
	UNIT_OK(buf_reserve(&half, size / 2, &e), &e);
	memset(half.data, 0, size / 2);
	UNIT_OK(upload_write(u, half.data, size / 2, &e), &e);
	blocks_free = 255; /* others were faster */
	UNIT_FAILS(upload_write(u, half.data, size / 2, &e), &e, ERR_LIMIT);
	blocks_free = 0;
	upload_close(u);
	store_close(s);
}
END_TEST

/* The daemon ended between the last byte and its being an object. */
START_TEST(a_whole_part_is_finished_later)
{
	static const struct upload_range more = {.start = 10, .length = 5, .total = 15, .resume = true};
	struct store *s = upload_store("late");
	struct oid id = upload_id("0123456789"), other = upload_id("other");
	struct upload *u;
	uint64_t offset;
	bool done = true;
	struct err e;

	UNIT_OK(upload_complete(s, &id, "ada", &done, &e), &e);
	ck_assert(!done);
	UNIT_OK(upload_open(s, &id, "ada", &first_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "01234", 5, &e), &e);
	upload_close(u);
	UNIT_OK(upload_complete(s, &id, "ada", &done, &e), &e);
	ck_assert(!done); /* half of it is no whole */
	UNIT_OK(upload_open(s, &id, "ada", &second_half, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "56789", 5, &e), &e);
	UNIT_OK(upload_complete(s, &id, "ada", &done, &e), &e);
	ck_assert(!done); /* it is being sent */
	upload_close(u);
	UNIT_OK(upload_complete(s, &id, "bob", &done, &e), &e);
	ck_assert(!done);
	UNIT_OK(upload_complete(s, &id, "ada", &done, &e), &e);
	ck_assert(done);
	ck_assert(odb_has(s, &id));
	UNIT_OK(upload_complete(s, &id, "ada", &done, &e), &e);
	ck_assert(!done); /* there is no part any more */
	/* other bytes than the name says */
	UNIT_OK(upload_open(s, &other, "ada", &whole, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "0123456789", 10, &e), &e);
	upload_close(u);
	UNIT_OK(upload_complete(s, &other, "ada", &done, &e), &e);
	ck_assert(!done);
	UNIT_FAILS(upload_offset(s, &other, "ada", &offset, &e), &e, ERR_NOTFOUND);
	/* whole by another count: it is a part again */
	UNIT_OK(upload_open(s, &other, "ada", &whole, &u, &offset, &e), &e);
	UNIT_OK(upload_write(u, "0123456789", 10, &e), &e);
	upload_close(u);
	UNIT_OK(upload_open(s, &other, "ada", &more, &u, &offset, &e), &e);
	upload_close(u);
	UNIT_OK(upload_complete(s, &other, "ada", &done, &e), &e);
	UNIT_OK(upload_offset(s, &other, "ada", &offset, &e), &e);
	ck_assert_uint_eq(offset, 10);
	store_close(s);
}
END_TEST

START_TEST(parts_are_bounded_and_swept)
{
	struct store *s = upload_store("parts");
	struct upload_range part = {.start = 0, .length = 5, .total = 10, .resume = true, .parts_max = 2};
	const char *const contents[] = {"0", "1", "2"};
	struct oid id;
	struct upload *u;
	uint64_t offset;
	struct err e;

	for (int i = 0; i < 3; i++) {
		id = upload_id(contents[i]);
		if (i == 2)
			UNIT_FAILS(upload_open(s, &id, "ada", &part, &u, &offset, &e), &e, ERR_LIMIT);
		UNIT_OK(upload_open(s, &id, i == 2 ? "bob" : "ada", &part, &u, &offset, &e), &e);
		UNIT_OK(upload_write(u, "01234", 5, &e), &e);
		upload_close(u);
	}
	id = upload_id("1"); /* one that is there is continued */
	part.start = 5;
	UNIT_OK(upload_open(s, &id, "ada", &part, &u, &offset, &e), &e);
	upload_close(u);
	upload_sweep(s, time(NULL), 100);
	UNIT_OK(upload_offset(s, &id, "ada", &offset, &e), &e);
	upload_sweep(s, time(NULL) + 200, 100);
	UNIT_FAILS(upload_offset(s, &id, "ada", &offset, &e), &e, ERR_NOTFOUND);
	store_close(s);
}
END_TEST

UNIT_SUITE(serve_upload)
{
	tcase_add_test(tc, halves_make_a_whole);
	tcase_add_test(tc, one_sender_at_a_time);
	tcase_add_test(tc, gaps_and_overlaps_conflict);
	tcase_add_test(tc, short_ranges_are_not_finished);
	tcase_add_test(tc, wrong_bytes_leave_nothing);
	tcase_add_test(tc, a_part_altered_behind_our_back_is_found);
	tcase_add_test(tc, links_are_not_followed);
	tcase_add_test(tc, sizes_are_bounded);
	tcase_add_test(tc, an_object_is_not_written_to);
	tcase_add_test(tc, the_disk_is_not_filled);
	tcase_add_test(tc, a_whole_part_is_finished_later);
	tcase_add_test(tc, parts_are_bounded_and_swept);
}
