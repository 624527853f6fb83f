#include "runner/transfer.h"

#include <string.h>
#include "fixture.h"
#include "net/peer.h"
#include "store/odb.h"
#include "unit.h"

#define LIST_TYPE "application/vnd.aicert.object-list.v1+json"

static void
answer(char *ret, size_t cap, const char *status, const char *type, const char *body)
{
	snprintf(ret, cap, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", status,
	    type, strlen(body), body);
}

#define CONTENT "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73" /* of "content" */
#define OTHER "0000000000000000000000000000000000000000000000000000000000000001"
#define ASKED "{\"mediaType\":\"" LIST_TYPE "\",\"objects\":[\"sha256:" CONTENT "\"]}"
#define PUT_PATH "/v1/objects/" CONTENT " HTTP/1.1\r\n"

/* Sends a spec with one input, "content", to a runner that answers the list with body and
 * then by the script. */
static enum err_code
send_script(const char *name, const char *body, const struct peer_answer *answers, size_t count,
    struct buf *ret_requests)
{
	CLEANUP(run_spec_free) struct run_spec spec;
	struct store *s = fixture_store(name);
	struct peer_answer script[16];
	struct link l;
	char list[1024], socket[64];
	struct peer p;
	struct err e = {0};

	ck_assert_uint_lt(count, 16);
	answer(list, sizeof list, "200 OK", LIST_TYPE, body);
	script[0] = (struct peer_answer){list, 0, false, false};
	for (size_t i = 0; i < count; i++)
		script[i + 1] = answers[i];
	fixture_spec(&spec, "true", false);
	fixture_input(&spec, s, "in", "content");
	snprintf(socket, sizeof socket, "%s.sock", name);
	peer_unix(&p, socket, script, count + 1);
	peer_start(&p);
	fixture_link(&l, p.path);
	if (transfer_send_spec(&l, s, &spec, &e) == 0)
		e.code = ERR_NONE;
	http_free(l.http);
	peer_join(&p);
	*ret_requests = p.requests;
	store_close(s);
	return e.code;
}

static enum err_code
send_to(const char *name, const char *body, const char *put, struct buf *ret_requests)
{
	struct peer_answer script[] = {{put}};

	return send_script(name, body, script, put != NULL ? 1 : 0, ret_requests);
}

START_TEST(what_is_asked_for_is_sent)
{
	struct buf rq = BUF_INIT;

	ck_assert_int_eq(send_to("nothing", "{\"mediaType\":\"" LIST_TYPE "\",\"objects\":[]}", NULL, &rq),
	    ERR_NONE);
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "{\"mediaType\":\"" LIST_TYPE
	    "\",\"objects\":[\"sha256:" CONTENT "\"]}"));
	buf_free(&rq);
	ck_assert_int_eq(send_to("one", ASKED, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", &rq), ERR_NONE);
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "PUT /v1/objects/" CONTENT " HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "\r\n\r\ncontent"));
	buf_free(&rq);
}
END_TEST

START_TEST(a_curious_runner_gets_nothing)
{
	static const char *const bad[] = {
		"{\"mediaType\":\"" LIST_TYPE "\",\"objects\":[\"sha256:" OTHER "\"]}",
		"{\"mediaType\":\"" LIST_TYPE "\",\"objects\":[\"" CONTENT "\"]}",
		"{\"mediaType\":\"" LIST_TYPE "\",\"objects\":[1]}",
		"{\"mediaType\":\"" LIST_TYPE "\",\"objects\":[null]}",
	};
	struct buf rq = BUF_INIT;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char name[16];

		snprintf(name, sizeof name, "curious-%zu", i);
		ck_assert_int_eq(send_to(name, bad[i], NULL, &rq), ERR_REFUSED);
		ck_assert_ptr_null(strstr(buf_str(&rq), "PUT"));
		buf_free(&rq);
	}
	ck_assert_int_eq(send_to("nonsense", "nonsense", NULL, &rq), ERR_FORMAT);
	buf_free(&rq);
}
END_TEST

START_TEST(a_refused_object_is_an_error)
{
	struct buf rq = BUF_INIT;
	char put[512];

	answer(put, sizeof put, "422 Unprocessable", "application/problem+json",
	    "{\"detail\":\"bad bytes\",\"type\":\"urn:aicert:error:refused\"}");
	ck_assert_int_eq(send_to("refused", ASKED, put, &rq), ERR_REFUSED);
	buf_free(&rq);
}
END_TEST

START_TEST(a_conflict_goes_on_from_the_true_offset)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 409 Conflict\r\nUpload-Offset: 3\r\nContent-Length: 0\r\n\r\n"},
		{"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
	};
	struct buf rq = BUF_INIT;

	ck_assert_int_eq(send_script("conflict", ASKED, script, 2, &rq), ERR_NONE);
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "Content-Range: bytes 3-6/7\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "\r\n\r\ntent"));
	buf_free(&rq);
}
END_TEST

START_TEST(a_broken_connection_is_taken_up_again)
{
	static const struct peer_answer script[] = {
		{"HTTP/1.1 20", 0, true, false},
		{"HTTP/1.1 404 Not Found\r\nUpload-Offset: 5\r\nContent-Length: 0\r\n\r\n"},
		{"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
	};
	struct buf rq = BUF_INIT;

	ck_assert_int_eq(send_script("broken", ASKED, script, 3, &rq), ERR_NONE);
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "HEAD " PUT_PATH));
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "Content-Range: bytes 5-6/7\r\n"));
	buf_free(&rq);
}
END_TEST

/* The same place again: another connection still holds the object. */
START_TEST(patience_is_bounded)
{
	static const char again[] =
	    "HTTP/1.1 409 Conflict\r\nUpload-Offset: 3\r\nContent-Length: 0\r\n\r\n";
	static const char there[] =
	    "HTTP/1.1 404 Not Found\r\nUpload-Offset: 3\r\nContent-Length: 0\r\n\r\n";
	static const struct peer_answer script[] = {{again}, {again}, {there}, {again}, {there},
	    {again}, {there}, {again}};
	static const struct peer_answer taken[] = {{again}, {again}, {there},
	    {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"}};
	static const struct peer_answer nothing[] = {
		{"HTTP/1.1 409 Conflict\r\nUpload-Offset: 0\r\nContent-Length: 0\r\n\r\n"}, {there},
		{"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"}};
	static const struct peer_answer beyond[] = {
		{"HTTP/1.1 409 Conflict\r\nUpload-Offset: 7\r\nContent-Length: 0\r\n\r\n"}};
	static const struct peer_answer silent[] = {
		{"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"}};
	struct buf rq = BUF_INIT;

	ck_assert_int_eq(send_script("bounded", ASKED, script, 8, &rq), ERR_BUSY);
	buf_free(&rq);
	ck_assert_int_eq(send_script("taken", ASKED, taken, 4, &rq), ERR_NONE);
	buf_free(&rq);
	ck_assert_int_eq(send_script("nothing-here", ASKED, nothing, 3, &rq), ERR_NONE);
	ck_assert_ptr_nonnull(strstr(buf_str(&rq), "Content-Range: bytes 3-6/7\r\n"));
	buf_free(&rq);
	ck_assert_int_eq(send_script("beyond", ASKED, beyond, 1, &rq), ERR_CONFLICT);
	buf_free(&rq);
	ck_assert_int_eq(send_script("silent", ASKED, silent, 1, &rq), ERR_CONFLICT);
	buf_free(&rq);
}
END_TEST

/* A certificate with one output, "content", fetched from a runner with that answer. */
static enum err_code
fetch_from(const char *name, const char *reply, uint64_t size, bool *ret_stored)
{
	struct store *s = fixture_store(name);
	struct peer_answer script[] = {{reply, 0, true, false}};
	struct link l;
	struct event ev = {.kind = EVENT_OUTPUT_RESOURCE};
	struct certificate c = {.events = &ev, .event_count = 1};
	struct oid *id = &ev.u.output.output.digests.sha256;
	char socket[64];
	struct peer p;
	struct err e = {0};

	ev.u.output.output.type = OBJECT_BLOB;
	ev.u.output.output.size = size;
	UNIT_OK(oid_from_hex(id, CONTENT, &e), &e);
	snprintf(socket, sizeof socket, "%s.sock", name);
	peer_unix(&p, socket, script, 1);
	peer_start(&p);
	fixture_link(&l, p.path);
	if (transfer_fetch_certificate(&l, s, &c, &e) == 0)
		e.code = ERR_NONE;
	http_free(l.http);
	peer_join(&p);
	buf_free(&p.requests);
	*ret_stored = odb_has(s, id);
	store_close(s);
	return e.code;
}

START_TEST(fetched_bytes_are_checked)
{
	bool stored;

	ck_assert_int_eq(fetch_from("good", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontent", 7,
	    &stored), ERR_NONE);
	ck_assert(stored);
	ck_assert_int_eq(fetch_from("flipped", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontenT", 7,
	    &stored), ERR_REFUSED);
	ck_assert(!stored);
	ck_assert_int_eq(fetch_from("longer", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ncontent!", 7,
	    &stored), ERR_REFUSED);
	ck_assert(!stored);
	ck_assert_int_eq(fetch_from("shorter", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontent", 8,
	    &stored), ERR_REFUSED);
	ck_assert(!stored);
	ck_assert_int_eq(fetch_from("absent", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 7,
	    &stored), ERR_NOTFOUND);
	ck_assert(!stored);
}
END_TEST

UNIT_SUITE(runner_transfer)
{
	tcase_add_test(tc, what_is_asked_for_is_sent);
	tcase_add_test(tc, a_curious_runner_gets_nothing);
	tcase_add_test(tc, a_refused_object_is_an_error);
	tcase_add_test(tc, a_conflict_goes_on_from_the_true_offset);
	tcase_add_test(tc, a_broken_connection_is_taken_up_again);
	tcase_add_test(tc, patience_is_bounded);
	tcase_add_test(tc, fetched_bytes_are_checked);
}
