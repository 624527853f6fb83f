#include "runner/remote-run.h"

#include <string.h>
#include "base/buf.h"
#include "unit.h"

#define ID "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEAD "{\"certificate\":null,\"created\":1,\"error\":null,\"finished\":null,\"log\":7,\"logDropped\":2,"
#define TYPE "\"mediaType\":\"application/vnd.aicert.run-state.v1+json\","
#define QUEUED HEAD TYPE "\"phase\":null,\"position\":3,\"run\":\"" ID "\",\"started\":null,\"state\":\"queued\"}"
#define DONE "{\"certificate\":{\"id\":\"sha256:" ID "\",\"size\":9},\"created\":1,\"error\":null," \
    "\"finished\":5,\"log\":7,\"logDropped\":0," TYPE "\"phase\":null,\"position\":null,\"run\":\"" ID \
    "\",\"started\":2,\"state\":\"done\"}"
#define FAILED "{\"certificate\":null,\"created\":1,\"error\":{\"code\":\"io\",\"detail\":\"no room\"}," \
    "\"finished\":5,\"log\":0,\"logDropped\":0," TYPE "\"phase\":\"x\",\"position\":null,\"run\":\"" ID \
    "\",\"started\":2,\"state\":\"failed\"}"

static struct remote_run
decoded(const char *text)
{
	struct remote_run r = {0};
	struct err e;

	UNIT_OK(remote_run_decode(text, strlen(text), &r, &e), &e);
	return r;
}

START_TEST(states_are_read)
{
	struct remote_run r = decoded(QUEUED);

	ck_assert_str_eq(r.id, ID);
	ck_assert_int_eq((int)r.state, REMOTE_RUN_QUEUED);
	ck_assert(!remote_run_over(&r) && !r.has_certificate);
	ck_assert_int_eq(r.position, 3);
	ck_assert_int_eq(r.log, 7);
	ck_assert_int_eq(r.log_dropped, 2);
	ck_assert_int_eq(r.created, 1);
	ck_assert(r.phase == NULL && r.error == NULL);
	remote_run_free(&r);
	r = decoded(DONE);
	ck_assert(remote_run_over(&r) && r.has_certificate);
	ck_assert_int_eq(r.position, -1);
	remote_run_free(&r);
	r = decoded(FAILED);
	ck_assert(remote_run_over(&r) && !r.has_certificate);
	ck_assert_str_eq(r.error, "no room");
	ck_assert_str_eq(r.phase, "x");
	remote_run_free(&r);
}
END_TEST

/* text with one piece replaced is refused */
static void
refuse(const char *text, const char *from, const char *to)
{
	CLEANUP(buf_free) struct buf bad = BUF_INIT;
	const char *at = strstr(text, from);
	struct remote_run r = {0};
	struct err e;

	ck_assert_msg(at != NULL, "%s", from);
	buf_add(&bad, text, (size_t)(at - text));
	buf_adds(&bad, to);
	buf_adds(&bad, at + strlen(from));
	ck_assert_msg(remote_run_decode(bad.data, bad.len, &r, &e) != 0, "%s -> %s", from, to);
	ck_assert(r.phase == NULL && r.error == NULL);
}

START_TEST(anything_else_is_refused)
{
	struct remote_run r;
	struct err e;

	refuse(QUEUED, "queued", "lost");
	refuse(QUEUED, "queued", "done"); /* without a certificate */
	refuse(QUEUED, "run-state.v1", "run-state.v2");
	refuse(QUEUED, ID, "00");
	refuse(QUEUED, "\"log\":7", "\"log\":-7");
	refuse(QUEUED, "\"log\":7", "\"log\":\"7\"");
	refuse(QUEUED, "\"log\":7,", "");
	refuse(QUEUED, "\"state\"", "\"state2\"");
	refuse(QUEUED, "\"error\":null", "\"error\":\"x\"");
	refuse(QUEUED, "\"certificate\":null", "\"certificate\":true");
	refuse(FAILED, "\"detail\"", "\"details\"");
	refuse(FAILED, "\"code\":\"io\",", "");
	refuse(DONE, "\"size\":9", "\"size\":null");
	refuse(DONE, "sha256:", "sha512:");
	for (size_t len = 0; len < strlen(DONE); len++)
		ck_assert_int_ne(remote_run_decode(DONE, len, &r, &e), 0);
}
END_TEST

START_TEST(lists_are_read)
{
	static const char text[] = "{\"mediaType\":\"application/vnd.aicert.run-list.v1+json\",\"runs\":["
	    DONE "," QUEUED "]}";
	static const char bad[] = "{\"mediaType\":\"application/vnd.aicert.run-list.v1+json\",\"runs\":["
	    DONE ",1]}";
	static const char none[] = "{\"mediaType\":\"application/vnd.aicert.run-list.v1+json\",\"runs\":[]}";
	struct remote_run_list l = {0};
	struct err e;

	UNIT_OK(remote_run_list_decode(text, strlen(text), &l, &e), &e);
	ck_assert_uint_eq(l.count, 2);
	ck_assert_int_eq((int)l.runs[1].state, REMOTE_RUN_QUEUED);
	remote_run_list_free(&l);
	UNIT_OK(remote_run_list_decode(none, strlen(none), &l, &e), &e);
	ck_assert_uint_eq(l.count, 0);
	remote_run_list_free(&l);
	ck_assert_int_ne(remote_run_list_decode(bad, strlen(bad), &l, &e), 0);
	ck_assert_int_ne(remote_run_list_decode(DONE, strlen(DONE), &l, &e), 0);
	ck_assert_uint_eq(l.count, 0);
}
END_TEST

START_TEST(ids)
{
	ck_assert(remote_run_id_ok(ID));
	ck_assert(!remote_run_id_ok(""));
	ck_assert(!remote_run_id_ok(ID "0"));
	ck_assert(!remote_run_id_ok("0011223"));
	ck_assert(!remote_run_id_ok("../../../../../../../../../../../../../../../../../../../../etc"));
}
END_TEST

UNIT_SUITE(runner_remote_run)
{
	tcase_add_test(tc, states_are_read);
	tcase_add_test(tc, anything_else_is_refused);
	tcase_add_test(tc, lists_are_read);
	tcase_add_test(tc, ids);
}
