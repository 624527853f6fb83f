#include "runner/transfer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "fixture.h"
#include "net/peer.h"
#include "store/odb.h"
#include "unit.h"

#define SIZE 100000u /* an object that is a file of its own */

struct scene {
	struct store *store;
	unsigned char content[SIZE];
	struct oid id;
	char hex[OID_HEX_SIZE];
	char part[512];         /* the file of what has come so far */
	char answers[4][SIZE + 512];
	struct peer_answer script[4];
	size_t count;
	struct buf requests;
};

static struct scene *
scene_new(const char *name)
{
	struct scene *s = calloc(1, sizeof *s);
	struct err e;

	s->store = fixture_store(name);
	for (size_t i = 0; i < SIZE; i++)
		s->content[i] = (unsigned char)(i * 7 + i / 251);
	UNIT_OK(oid_from_data(&s->id, s->content, SIZE, &e), &e);
	oid_hex(&s->id, s->hex);
	snprintf(s->part, sizeof s->part, "%s/tmp/fetch/%s", store_path(s->store), s->hex);
	return s;
}

static void
scene_free(struct scene *s)
{
	store_close(s->store);
	buf_free(&s->requests);
	free(s);
}

/* An answer with the bytes from start, of which only the first `len` come. */
static void
scene_answer(struct scene *s, const char *status, size_t start, size_t len)
{
	char *text = s->answers[s->count];
	int head = snprintf(text, 512, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nContent-Range: bytes"
	    " %zu-%u/%u\r\n\r\n", status, SIZE - start, start, SIZE - 1, SIZE);

	memcpy(text + head, s->content + start, len);
	s->script[s->count++] = (struct peer_answer){text, (size_t)head + len, true, false};
}

static void
scene_part(struct scene *s, const void *data, size_t len)
{
	char dir[512];
	struct err e;
	int fd;

	snprintf(dir, sizeof dir, "%s/tmp/fetch", store_path(s->store));
	ck_assert(mkdir(dir, 0700) == 0 || access(dir, F_OK) == 0);
	fd = open(s->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	UNIT_OK(fd_write_all(fd, data, len, s->part, &e), &e);
	close(fd);
}

static enum err_code
scene_fetch(struct scene *s, const char *name)
{
	struct event ev = {.kind = EVENT_OUTPUT_RESOURCE};
	struct certificate c = {.events = &ev, .event_count = 1};
	struct link l;
	struct peer p;
	struct err e = {0};
	char socket[64];

	ev.u.output.output.type = OBJECT_BLOB;
	ev.u.output.output.size = SIZE;
	ev.u.output.output.digests.sha256 = s->id;
	snprintf(socket, sizeof socket, "%s.sock", name);
	peer_unix(&p, socket, s->script, s->count);
	peer_start(&p);
	fixture_link(&l, p.path);
	if (transfer_fetch_certificate(&l, s->store, &c, &e) == 0)
		e.code = ERR_NONE;
	http_free(l.http);
	if (e.code != ERR_BUSY)
		peer_join(&p);
	s->requests = p.requests;
	s->count = 0;
	return e.code;
}

static bool
asked(const struct scene *s, const char *text)
{
	return strstr(buf_str(&s->requests), text) != NULL;
}

START_TEST(a_lost_link_goes_on)
{
	struct scene *s = scene_new("lost");

	scene_answer(s, "200 OK", 0, 40000);
	scene_answer(s, "206 Partial Content", 40000, SIZE - 40000);
	ck_assert_int_eq(scene_fetch(s, "lost"), ERR_NONE);
	ck_assert(asked(s, "Range: bytes=40000-\r\n"));
	ck_assert(odb_intact(s->store, &s->id));
	ck_assert_int_ne(access(s->part, F_OK), 0);
	scene_free(s);
}
END_TEST

START_TEST(another_process_goes_on)
{
	struct scene *s = scene_new("process");

	scene_part(s, s->content, 70000);
	scene_answer(s, "206 Partial Content", 70000, SIZE - 70000);
	ck_assert_int_eq(scene_fetch(s, "process"), ERR_NONE);
	ck_assert(asked(s, "Range: bytes=70000-\r\n"));
	ck_assert(odb_intact(s->store, &s->id));
	scene_free(s);
}
END_TEST

START_TEST(a_part_that_is_whole_is_not_fetched)
{
	struct scene *s = scene_new("whole");

	scene_part(s, s->content, SIZE);
	ck_assert_int_eq(scene_fetch(s, "whole"), ERR_NONE);
	ck_assert_uint_eq(s->requests.len, 0);
	ck_assert(odb_intact(s->store, &s->id));
	scene_free(s);
}
END_TEST

/* After a power loss the part may hold anything: then all of it comes again. */
START_TEST(a_bad_part_is_thrown_away)
{
	static const unsigned char zeros[SIZE + 10];
	struct scene *s = scene_new("bad");

	scene_part(s, zeros, 70000);
	scene_answer(s, "206 Partial Content", 70000, SIZE - 70000);
	scene_answer(s, "200 OK", 0, SIZE);
	ck_assert_int_eq(scene_fetch(s, "bad"), ERR_NONE);
	ck_assert(odb_intact(s->store, &s->id));
	scene_free(s);
	s = scene_new("longer");
	scene_part(s, zeros, SIZE + 10);
	scene_answer(s, "200 OK", 0, SIZE);
	ck_assert_int_eq(scene_fetch(s, "longer"), ERR_NONE);
	ck_assert(odb_intact(s->store, &s->id));
	scene_free(s);
}
END_TEST

/* A runner that sends another range than the one asked for, or all of it. */
START_TEST(another_range_is_not_appended)
{
	struct scene *s = scene_new("range");

	scene_part(s, s->content, 50000);
	scene_answer(s, "206 Partial Content", 60000, SIZE - 60000);
	scene_answer(s, "200 OK", 0, SIZE);
	ck_assert_int_eq(scene_fetch(s, "range"), ERR_NONE);
	ck_assert(odb_intact(s->store, &s->id));
	scene_free(s);
	s = scene_new("all");
	scene_part(s, s->content, 50000);
	scene_answer(s, "200 OK", 0, SIZE);
	scene_answer(s, "200 OK", 0, SIZE);
	ck_assert_int_eq(scene_fetch(s, "all"), ERR_NONE);
	ck_assert(odb_intact(s->store, &s->id));
	scene_free(s);
}
END_TEST

START_TEST(other_bytes_leave_nothing)
{
	struct scene *s = scene_new("other");

	s->content[SIZE / 2] ^= 1;
	scene_answer(s, "200 OK", 0, SIZE);
	ck_assert_int_eq(scene_fetch(s, "other"), ERR_REFUSED);
	ck_assert(!odb_has(s->store, &s->id));
	ck_assert_int_ne(access(s->part, F_OK), 0);
	scene_free(s);
}
END_TEST

START_TEST(what_came_stays_for_later)
{
	struct scene *s = scene_new("later");
	struct stat st;

	scene_answer(s, "200 OK", 0, 30000);
	s->answers[1][0] = 'x';
	for (int i = 1; i < 4; i++)
		s->script[s->count++] = (struct peer_answer){"garbage\r\n\r\n", 0, true, false};
	ck_assert_int_eq(scene_fetch(s, "later"), ERR_NETWORK);
	ck_assert_int_eq(stat(s->part, &st), 0);
	ck_assert_int_eq(st.st_size, 30000);
	scene_free(s);
}
END_TEST

START_TEST(one_process_at_a_time)
{
	struct scene *s = scene_new("held");
	int fd;

	scene_part(s, s->content, 10);
	fd = open(s->part, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(scene_fetch(s, "held"), ERR_BUSY);
	ck_assert_int_eq(access(s->part, F_OK), 0);
	close(fd);
	scene_free(s);
}
END_TEST

UNIT_SUITE(runner_transfer_fetch)
{
	tcase_add_test(tc, a_lost_link_goes_on);
	tcase_add_test(tc, another_process_goes_on);
	tcase_add_test(tc, a_part_that_is_whole_is_not_fetched);
	tcase_add_test(tc, a_bad_part_is_thrown_away);
	tcase_add_test(tc, another_range_is_not_appended);
	tcase_add_test(tc, other_bytes_leave_nothing);
	tcase_add_test(tc, what_came_stays_for_later);
	tcase_add_test(tc, one_process_at_a_time);
}
