#include "store/part.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/fd.h"
#include "store/fixture.h"
#include "store/odb.h"
#include "unit.h"

#define SIZE 6000000u   /* enough for a thread that hashes beside */

struct scene {
	struct fixture f;
	unsigned char *bytes;
	struct oid id;
	char name[160];     /* of the part, beneath the work tree */
};

static void
scene_open(struct scene *s)
{
	char hex[OID_HEX_SIZE];
	struct err e;

	fixture_open(&s->f);
	s->bytes = fixture_bytes(SIZE, 1);
	UNIT_OK(oid_from_data(&s->id, s->bytes, SIZE, &e), &e);
	oid_hex(&s->id, hex);
	snprintf(s->name, sizeof s->name, ".aicert/tmp/fetch/%s", hex);
}

static void
scene_close(struct scene *s)
{
	free(s->bytes);
	fixture_close(&s->f);
}

/* What a process that was killed left. */
static void
scene_left(const struct scene *s, const void *data, size_t len)
{
	mkdirat(s->f.dirfd, ".aicert/tmp/fetch", 0700);
	fixture_write(&s->f, s->name, data, len);
}

static bool
scene_part_is_there(const struct scene *s)
{
	return faccessat(s->f.dirfd, s->name, F_OK, 0) == 0;
}

static struct part *
scene_part(const struct scene *s)
{
	struct part *p = NULL;
	struct err e;

	UNIT_OK(part_open(s->f.s, &s->id, SIZE, &p, &e), &e);
	UNIT_OK(part_load(p, &e), &e);
	return p;
}

/* The rest, out of all of these bytes. */
static enum part_found
scene_append(struct part *p, const unsigned char *bytes)
{
	enum part_found found;
	struct err e;

	for (uint64_t at = part_length(p); at < SIZE; at = part_length(p))
		UNIT_OK(part_append(p, bytes + at, SIZE - at < 100000 ? SIZE - at : 100000, &e), &e);
	UNIT_OK(part_check(p, &found, &e), &e);
	return found;
}

START_TEST(another_goes_on)
{
	struct scene s;
	struct part *p;
	struct err e;

	scene_open(&s);
	p = scene_part(&s);
	UNIT_OK(part_append(p, s.bytes, 4500000, &e), &e);
	part_close(p);
	ck_assert(scene_part_is_there(&s) && !odb_has(s.f.s, &s.id));
	p = scene_part(&s);
	ck_assert_uint_eq(part_length(p), 4500000);
	ck_assert_int_eq(scene_append(p, s.bytes), PART_WHOLE);
	ck_assert(!odb_has(s.f.s, &s.id));
	UNIT_OK(part_store(p, &e), &e);
	part_close(p);
	ck_assert(odb_intact(s.f.s, &s.id));
	ck_assert_int_ne(faccessat(s.f.dirfd, ".aicert/tmp/fetch", F_OK, 0), 0);
	scene_close(&s);
}
END_TEST

/* After a power loss the tail may be zeros: nothing of it becomes an object. */
START_TEST(a_bad_part_is_thrown_away)
{
	static const size_t lengths[] = {1, 131072, 4500000, SIZE};
	struct scene s;

	scene_open(&s);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		unsigned char *left = fixture_bytes(SIZE, 1);
		struct part *p;

		left[lengths[i] - 1] ^= 1;
		scene_left(&s, left, lengths[i]);
		p = scene_part(&s);
		ck_assert_uint_eq(part_length(p), lengths[i]);
		ck_assert_int_eq(scene_append(p, s.bytes), PART_AGAIN);
		ck_assert_uint_eq(part_length(p), 0);
		ck_assert_int_eq(scene_append(p, left), PART_WRONG);
		ck_assert_uint_eq(part_length(p), 0);
		part_close(p);
		ck_assert(!scene_part_is_there(&s) && !odb_has(s.f.s, &s.id));
		free(left);
	}
	scene_close(&s);
}
END_TEST

START_TEST(never_longer_than_it_can_be)
{
	struct scene s;
	struct part *p;
	struct err e;

	scene_open(&s);
	p = scene_part(&s);
	UNIT_OK(part_append(p, s.bytes, SIZE - 1, &e), &e);
	UNIT_FAILS(part_append(p, s.bytes, 2, &e), &e, ERR_REFUSED);
	ck_assert_uint_eq(part_length(p), SIZE - 1);
	ck_assert_int_eq(scene_append(p, s.bytes), PART_WHOLE);
	part_close(p);
	UNIT_OK(part_open(s.f.s, &s.id, SIZE - 1, &p, &e), &e);
	UNIT_OK(part_load(p, &e), &e);
	ck_assert_uint_eq(part_length(p), 0);
	part_close(p);
	ck_assert(!scene_part_is_there(&s));
	scene_close(&s);
}
END_TEST

START_TEST(one_process_at_a_time)
{
	struct part *p = NULL;
	struct scene s;
	struct err e;
	int fd;

	scene_open(&s);
	scene_left(&s, s.bytes, 10);
	fd = openat(s.f.dirfd, s.name, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	UNIT_FAILS(part_open(s.f.s, &s.id, SIZE, &p, &e), &e, ERR_BUSY);
	ck_assert(scene_part_is_there(&s));
	close(fd);
	scene_close(&s);
}
END_TEST

/* A file of len bytes, copied as the object. */
static enum err_code
scene_copy(const struct scene *s, const void *bytes, size_t len)
{
	struct part_source from = {.what = "it", .size = SIZE};
	struct err e = {0};

	fixture_write(&s->f, "from", bytes, len);
	from.fd = openat(s->f.dirfd, "from", O_RDONLY | O_CLOEXEC);
	if (part_copy(s->f.s, &s->id, &from, &e) == 0)
		e.code = ERR_NONE;
	close(from.fd);
	return e.code;
}

START_TEST(a_copy_goes_on)
{
	unsigned char *other = fixture_bytes(SIZE, 2);
	struct scene s;

	scene_open(&s);
	ck_assert_int_eq(scene_copy(&s, other, SIZE), ERR_REFUSED);
	ck_assert_int_eq(scene_copy(&s, s.bytes, SIZE - 1), ERR_REFUSED);
	ck_assert(!scene_part_is_there(&s) && !odb_has(s.f.s, &s.id));
	/* the beginning of the source is not read for what is here already */
	memset(other, 0, 3000000);
	memcpy(other + 3000000, s.bytes + 3000000, SIZE - 3000000);
	scene_left(&s, s.bytes, 3000000);
	ck_assert_int_eq(scene_copy(&s, other, SIZE), ERR_NONE);
	ck_assert(odb_intact(s.f.s, &s.id) && !scene_part_is_there(&s));
	scene_close(&s);
	scene_open(&s);
	scene_left(&s, other, 3000000);
	ck_assert_int_eq(scene_copy(&s, s.bytes, SIZE), ERR_NONE);
	ck_assert(odb_intact(s.f.s, &s.id) && !scene_part_is_there(&s));
	scene_close(&s);
	free(other);
}
END_TEST

START_TEST(a_copy_waits_for_nobody)
{
	struct scene s;
	int fd;

	scene_open(&s);
	scene_left(&s, s.bytes, 10);
	fd = openat(s.f.dirfd, s.name, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(scene_copy(&s, s.bytes, SIZE), ERR_NONE);
	ck_assert(odb_intact(s.f.s, &s.id) && scene_part_is_there(&s));
	close(fd);
	scene_close(&s);
}
END_TEST

UNIT_SUITE(store_part)
{
	tcase_add_test(tc, another_goes_on);
	tcase_add_test(tc, a_bad_part_is_thrown_away);
	tcase_add_test(tc, never_longer_than_it_can_be);
	tcase_add_test(tc, one_process_at_a_time);
	tcase_add_test(tc, a_copy_goes_on);
	tcase_add_test(tc, a_copy_waits_for_nobody);
}
