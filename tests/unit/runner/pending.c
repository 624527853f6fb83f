#include "runner/pending.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "store/sealed.h"
#include "fixture.h"
#include "unit.h"

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "0011223445566778899aabbccddeeff00112233445566778899aabbccddeeff0"

static char *
copy(const char *text)
{
	struct err e;

	return buf_strdup(text, &e);
}

static void
fill(struct pending *p, const char *run)
{
	*p = (struct pending){.run = copy(run), .runner = copy("gpu"), .ak_name = copy("000b"),
		.nonce = {1, 2, 3}, .author_name = copy("A \"quoted\" name"), .author_email = copy("a@b"),
		.message = copy("line one\nline two"), .started = 1700000000};
	fixture_spec(&p->spec, "true", false);
}

START_TEST(what_is_written_is_read)
{
	CLEANUP(pending_free) struct pending p, got = {0};
	struct store *s = fixture_store("written");
	struct pending *list;
	struct err e;
	size_t n;

	fill(&p, ID);
	UNIT_FAILS(pending_read(s, ID, &got, &e), &e, ERR_NOTFOUND);
	UNIT_OK(pending_remove(s, ID, &e), &e);
	UNIT_OK(pending_write(s, &p, &e), &e);
	UNIT_OK(pending_read(s, "0011223", &got, &e), &e);
	ck_assert_str_eq(got.run, ID);
	ck_assert_str_eq(got.runner, "gpu");
	ck_assert_str_eq(got.message, "line one\nline two");
	ck_assert_str_eq(got.author_name, "A \"quoted\" name");
	ck_assert_ptr_null(got.code_commit);
	ck_assert_mem_eq(got.nonce, p.nonce, 32);
	ck_assert_int_eq(got.started, 1700000000);
	ck_assert_uint_eq(got.spec.command_count, 3);
	UNIT_OK(pending_list(s, &list, &n, &e), &e);
	ck_assert_uint_eq(n, 1);
	pending_free(&list[0]);
	free(list);
	UNIT_OK(pending_remove(s, ID, &e), &e);
	pending_free(&got);
	UNIT_FAILS(pending_read(s, ID, &got, &e), &e, ERR_NOTFOUND);
	store_close(s);
}
END_TEST

START_TEST(prefixes)
{
	struct store *s = fixture_store("prefixes");
	struct pending p, got = {0};
	struct err e;

	fill(&p, ID);
	UNIT_OK(pending_write(s, &p, &e), &e);
	pending_free(&p);
	fill(&p, OTHER);
	UNIT_OK(pending_write(s, &p, &e), &e);
	pending_free(&p);
	UNIT_FAILS(pending_read(s, "0011223", &got, &e), &e, ERR_CONFLICT);
	UNIT_OK(pending_read(s, "00112233", &got, &e), &e);
	pending_free(&got);
	UNIT_OK(pending_read(s, OTHER, &got, &e), &e);
	pending_free(&got);
	UNIT_FAILS(pending_read(s, "001122", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(pending_read(s, "../../../x", &got, &e), &e, ERR_USAGE);
	UNIT_FAILS(pending_read(s, ID "00", &got, &e), &e, ERR_USAGE);
	store_close(s);
}
END_TEST

static void
plant(struct store *s, const char *name, const struct buf *text)
{
	char path[512];
	struct err e;
	int fd;

	snprintf(path, sizeof path, "%s/runs", store_path(s));
	ck_assert(mkdir(path, 0700) == 0 || access(path, F_OK) == 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	UNIT_OK(sealed_write(fd, name, text, 0600, &e), &e); /* an enemy can count, too */
	close(fd);
}

/* A repository of somebody else may hold anything. */
START_TEST(hostile_records_are_refused)
{
	static const char *const table[][2] = {
		{"pending-run.v1", "pending-run.v2"}, {"\"gpu\"", "\"local\""}, {"\"gpu\"", "\"../x\""},
		{"\"runner\":\"gpu\",", ""}, {"\"nonce\":\"01", "\"nonce\":\"g1"}, {"\"email\"", "\"mail\""},
		{"2023-", "2023x"}, {"{", " {"}, {"\"codeCommit\":null", "\"codeCommit\":1"},
	};
	CLEANUP(pending_free) struct pending p;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct store *s = fixture_store("hostile");
	struct pending got = {0};
	char path[512], target[512];
	struct err e;

	fill(&p, ID);
	UNIT_OK(pending_encode(&p, &text, &e), &e);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		CLEANUP(buf_free) struct buf bad = BUF_INIT;
		const char *at = strstr(buf_str(&text), table[i][0]);

		ck_assert_msg(at != NULL, "%s", table[i][0]);
		buf_add(&bad, text.data, (size_t)(at - buf_str(&text)));
		buf_adds(&bad, table[i][1]);
		buf_adds(&bad, at + strlen(table[i][0]));
		plant(s, ID, &bad);
		ck_assert_msg(pending_read(s, ID, &got, &e) != 0, "%s", table[i][1]);
	}
	for (size_t len = 0; len < text.len; len += 11)
		ck_assert_int_ne(pending_decode(text.data, len, &got, &e), 0);
	plant(s, OTHER, &text); /* tells of another run */
	UNIT_FAILS(pending_read(s, OTHER, &got, &e), &e, ERR_FORMAT);
	snprintf(path, sizeof path, "%s/runs/%s", store_path(s), ID);
	snprintf(target, sizeof target, "%s/target", unit_dir());
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_ne(pending_read(s, ID, &got, &e), 0);
	store_close(s);
}
END_TEST

UNIT_SUITE(runner_pending)
{
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_test(tc, prefixes);
	tcase_add_test(tc, hostile_records_are_refused);
}
