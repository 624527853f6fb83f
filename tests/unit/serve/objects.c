#include "serve/objects.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "harness.h"
#include "store/odb.h"
#include "unit.h"

#define ABSENT "0000000000000000000000000000000000000000000000000000000000000001"

static struct oid
id_of(const void *data, size_t len, char ret_path[96])
{
	struct oid id;
	struct err e;
	char hex[OID_HEX_SIZE];

	UNIT_OK(oid_from_data(&id, data, len, &e), &e);
	oid_hex(&id, hex);
	snprintf(ret_path, 96, "/v1/objects/%s", hex);
	return id;
}

static bool
stored(const struct harness *h, const struct oid *id)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct err e;

	UNIT_OK(store_open(h->store, 0, &s, &e), &e);
	return odb_has(s, id);
}

static void
expect_range(const struct harness *h, const char *path, const char *range, int status,
    const char *body)
{
	struct http_response rs;
	char header[128];

	snprintf(header, sizeof header, "Range: %s", range);
	ck_assert_msg(harness_do(h, "GET", path, header, NULL, 0, &rs) == status, "%s: %d", range,
	    rs.status);
	if (body != NULL)
		ck_assert_msg(strcmp(buf_str(&rs.body), body) == 0, "%s: %s", range, buf_str(&rs.body));
	http_response_free(&rs);
}

START_TEST(put_then_get)
{
	struct http_response rs;
	struct harness h;
	struct oid id;
	char path[96];

	harness_start(&h, "putget");
	id = id_of("0123456789", 10, path);
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, NULL), 404);
	ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, NULL), 404);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "0123456789", 10, NULL), 201);
	ck_assert(stored(&h, &id));
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "0123456789", 10, NULL), 200);
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_str_eq(buf_str(&rs.body), "0123456789");
	http_response_free(&rs);
	ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, &rs), 200);
	ck_assert_uint_eq(rs.body.len, 0);
	http_response_free(&rs);

	expect_range(&h, path, "bytes=0-0", 206, "0");
	expect_range(&h, path, "bytes=3-5", 206, "345");
	expect_range(&h, path, "bytes=7-", 206, "789");
	expect_range(&h, path, "bytes=-3", 206, "789");
	expect_range(&h, path, "bytes=-30", 206, "0123456789");
	expect_range(&h, path, "bytes=9-100", 206, "9");
	expect_range(&h, path, "bytes=10-", 416, NULL);
	expect_range(&h, path, "bytes=5-4", 416, NULL);
	expect_range(&h, path, "bytes=-0", 416, NULL);
	expect_range(&h, path, "bytes=", 416, NULL);
	expect_range(&h, path, "bytes=-", 416, NULL);
	expect_range(&h, path, "bytes=0-1,3-4", 416, NULL);
	expect_range(&h, path, "bytes=a-b", 416, NULL);
	expect_range(&h, path, "lines=0-1", 416, NULL);
	expect_range(&h, path, "bytes=99999999999999999999-", 416, NULL);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(empty_object)
{
	struct harness h;
	struct oid id;
	char path[96];

	harness_start(&h, "empty");
	id = id_of("", 0, path);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "", 0, NULL), 201);
	ck_assert(stored(&h, &id));
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, NULL), 200);
	expect_range(&h, path, "bytes=0-", 416, NULL);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(large_object)
{
	size_t len = 9u * 1024 * 1024 + 17;
	char *data = malloc(len);
	struct http_response rs;
	struct harness h;
	struct oid id;
	char path[96];

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 31 >> 3);
	harness_start(&h, "large");
	id = id_of(data, len, path);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, data, len, NULL), 201);
	ck_assert(stored(&h, &id));
	ck_assert_int_eq(harness_do(&h, "GET", path, NULL, NULL, 0, &rs), 200);
	ck_assert_uint_eq(rs.body.len, len);
	ck_assert_mem_eq(rs.body.data, data, len);
	http_response_free(&rs);
	free(data);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

/* Bytes that are here but damaged are not "already there": the upload replaces them. */
START_TEST(damaged_object_is_sent_again)
{
	size_t len = 100000;
	char *data = malloc(len);
	struct harness h;
	struct oid id;
	char path[96], hex[OID_HEX_SIZE], file[320];
	FILE *f;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 37 >> 2);
	harness_start(&h, "damaged");
	id = id_of(data, len, path);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, data, len, NULL), 201);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, data, len, NULL), 200);
	oid_hex(&id, hex);
	snprintf(file, sizeof file, "%s/objects/%.2s/%s", h.store, hex, hex + 2);
	ck_assert_int_eq(chmod(file, 0644), 0);
	f = fopen(file, "r+");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fputc(data[0] ^ 1, f), (unsigned char)(data[0] ^ 1));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, data, len, NULL), 201);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, data, len, NULL), 200);
	free(data);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

/* "It is here" is said when all was read: what follows on the connection is answered too. */
START_TEST(known_object_is_read_past)
{
	struct buf rq = BUF_INIT, answer = BUF_INIT;
	struct harness h;
	char path[96];
	char *second;

	harness_start(&h, "known");
	id_of("0123456789", 10, path);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "0123456789", 10, NULL), 201);
	buf_addf(&rq, "PUT %s HTTP/1.1\r\nHost: l\r\nContent-Length: 500000\r\n\r\n", path);
	for (int i = 0; i < 50000; i++)
		buf_add(&rq, "0123456789", 10);
	buf_addf(&rq, "HEAD %s HTTP/1.1\r\nHost: l\r\nConnection: close\r\n\r\n", path);
	harness_raw(&h, rq.data, rq.len, &answer);
	ck_assert_int_eq(atoi(buf_str(&answer) + 9), 200);
	second = strstr(buf_str(&answer) + 9, "HTTP/1.1 ");
	ck_assert_ptr_nonnull(second);
	ck_assert_int_eq(atoi(second + 9), 200);
	buf_free(&rq);
	buf_free(&answer);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(names_are_checked)
{
	static const char *const bad[] = {
		"/v1/objects/abc",
		"/v1/objects/ABCDEF0000000000000000000000000000000000000000000000000000000001",
		"/v1/objects/000000000000000000000000000000000000000000000000000000000000000g",
		"/v1/objects/00000000000000000000000000000000000000000000000000000000000000001",
		"/v1/objects/sha256", NULL,
	};
	struct harness h;

	harness_start(&h, "names");
	for (size_t i = 0; bad[i] != NULL; i++) {
		ck_assert_int_eq(harness_do(&h, "GET", bad[i], NULL, NULL, 0, NULL), 400);
		ck_assert_int_eq(harness_do(&h, "HEAD", bad[i], NULL, NULL, 0, NULL), 400);
		ck_assert_int_eq(harness_do(&h, "PUT", bad[i], NULL, "x", 1, NULL), 400);
	}
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(wrong_hash_keeps_nothing)
{
	struct http_response rs;
	struct harness h;
	struct oid id;
	char path[96];

	harness_start(&h, "wrong");
	id = id_of("right", 5, path);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "wrong", 5, &rs), 422);
	ck_assert_str_eq(rs.content_type, "application/problem+json");
	http_response_free(&rs);
	ck_assert(!stored(&h, &id));
	ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, &rs), 404);
	ck_assert_int_eq(rs.upload_offset, -1);
	http_response_free(&rs);
	id = id_of("wrong", 5, path);
	ck_assert(!stored(&h, &id)); /* nor under its own name */
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

static int
put_range(const struct harness *h, const char *path, const char *range, const char *data,
    int64_t *ret_offset)
{
	struct http_response rs;
	char header[128];
	int status;

	snprintf(header, sizeof header, "Content-Range: %s", range);
	status = harness_do(h, "PUT", path, header, data, strlen(data), &rs);
	*ret_offset = rs.upload_offset;
	http_response_free(&rs);
	return status;
}

START_TEST(uploads_resume)
{
	struct http_response rs;
	struct harness h;
	struct oid id;
	char path[96];
	int64_t offset;

	harness_start(&h, "resume");
	id = id_of("0123456789", 10, path);
	ck_assert_int_eq(put_range(&h, path, "bytes 2-4/10", "234", &offset), 409);
	ck_assert_int_eq(offset, 0);
	ck_assert_int_eq(put_range(&h, path, "bytes 0-3/10", "0123", &offset), 202);
	ck_assert_int_eq(offset, 4);
	ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, &rs), 404);
	ck_assert_int_eq(rs.upload_offset, 4);
	http_response_free(&rs);
	ck_assert_int_eq(put_range(&h, path, "bytes 0-3/10", "0123", &offset), 409);
	ck_assert_int_eq(offset, 4);
	ck_assert_int_eq(put_range(&h, path, "bytes 5-9/10", "56789", &offset), 409);
	ck_assert_int_eq(offset, 4);
	/* killed and started again: what came is still there */
	http_free(h.http);
	kill(h.pid, SIGKILL);
	ck_assert_int_eq(waitpid(h.pid, NULL, 0), h.pid);
	close(h.control);
	harness_restart(&h);
	ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, &rs), 404);
	ck_assert_int_eq(rs.upload_offset, 4);
	http_response_free(&rs);
	ck_assert_int_eq(put_range(&h, path, "bytes 4-9/10", "456789", &offset), 201);
	ck_assert(stored(&h, &id));
	ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, NULL), 200);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(whole_put_starts_over)
{
	struct harness h;
	struct oid id;
	char path[96];
	int64_t offset;

	harness_start(&h, "over");
	id = id_of("0123456789", 10, path);
	ck_assert_int_eq(put_range(&h, path, "bytes 0-3/10", "XXXX", &offset), 202);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "0123456789", 10, NULL), 201);
	ck_assert(stored(&h, &id));
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(bad_ranges_are_refused)
{
	static const char *const bad[] = {
		"bytes 0-2/10", "bytes 0-4/10", "bytes 3-0/10", "bytes 7-10/10", "bytes 0-3/3", "bytes */10",
		"bytes 0-3/*", "0-3/10", "bytes 0-3", "bytes 0-3/10x", "bytes=0-3/10", "bytes -1-3/10", "",
		"bytes 0-3/99999999999999999999999", NULL,
	};
	struct harness h;
	char path[96];
	int64_t offset;

	harness_start(&h, "ranges");
	id_of("0123456789", 10, path);
	for (size_t i = 0; bad[i] != NULL; i++) {
		int status = *bad[i] != '\0' ? put_range(&h, path, bad[i], "0123", &offset) : 400;

		ck_assert_msg(status == 400, "%s: %d", bad[i], status);
	}
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(truncated_body_stays_partial)
{
	struct buf rq = BUF_INIT, answer = BUF_INIT;
	struct http_response rs;
	struct harness h;
	struct oid id;
	char path[96];

	harness_start(&h, "truncated");
	id = id_of("0123456789", 10, path);
	buf_addf(&rq, "PUT %s HTTP/1.1\r\nHost: l\r\nContent-Length: 10\r\n\r\n0123", path);
	harness_raw(&h, rq.data, rq.len, &answer);
	ck_assert(!stored(&h, &id));
	/* the connection's end is seen by another thread: ask until it has closed the part */
	do
		ck_assert_int_eq(harness_do(&h, "HEAD", path, NULL, NULL, 0, &rs), 404);
	while (rs.upload_offset < 0);
	ck_assert_int_eq(rs.upload_offset, 4);
	buf_reset(&rq);
	buf_addf(&rq, "PUT %s HTTP/1.1\r\nHost: l\r\nConnection: close\r\n"
	    "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", path);
	buf_reset(&answer);
	harness_raw(&h, rq.data, rq.len, &answer);
	ck_assert_int_eq(atoi(buf_str(&answer) + 9), 411);
	buf_free(&rq);
	buf_free(&answer);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(missing_lists_what_is_not_here)
{
	static const char type[] = "\"mediaType\":\"application/vnd.aicert.object-list.v1+json\"";
	struct http_response rs;
	struct harness h;
	struct buf body = BUF_INIT;
	char path[96];

	harness_start(&h, "missing");
	id_of("here", 4, path);
	ck_assert_int_eq(harness_do(&h, "PUT", path, NULL, "here", 4, NULL), 201);
	buf_addf(&body, "{%s,\"objects\":[\"sha256:%s\",\"sha256:%s\"]}", type, path + 12, ABSENT);
	ck_assert_int_eq(harness_do(&h, "POST", "/v1/objects/missing", NULL, body.data, body.len, &rs),
	    200);
	buf_reset(&body);
	buf_addf(&body, "{%s,\"objects\":[\"sha256:%s\"]}", type, ABSENT);
	ck_assert_str_eq(buf_str(&rs.body), buf_str(&body));
	http_response_free(&rs);
	buf_free(&body);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

START_TEST(bad_lists_are_refused)
{
#define TYPE "\"mediaType\":\"application/vnd.aicert.object-list.v1+json\""
	static const char *const bad[] = {
		"", "{}", "[]", "null", "not json", "{" TYPE "}", "{\"objects\":[]}",
		"{" TYPE ",\"objects\":{}}", "{" TYPE ",\"objects\":[1]}", "{" TYPE ",\"objects\":[\"x\"]}",
		"{" TYPE ",\"objects\":[\"" ABSENT "\"]}", "{" TYPE ",\"objects\":[], \"x\":1}",
		"{" TYPE ",\"objects\":[],\"x\":1}", "{\"objects\":[]," TYPE "}", "{" TYPE ",\"objects\":[]} ",
		" {" TYPE ",\"objects\":[]}",
		"{\"mediaType\":\"application/vnd.aicert.run-request.v1+json\",\"objects\":[]}", NULL,
	};
	struct harness h;

	harness_start(&h, "badlists");
	for (size_t i = 0; bad[i] != NULL; i++) {
		int status = harness_do(&h, "POST", "/v1/objects/missing", NULL, bad[i], strlen(bad[i]), NULL);

		ck_assert_msg(status == 422, "%s: %d", bad[i], status);
	}
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

UNIT_SUITE(serve_objects)
{
	tcase_add_test(tc, put_then_get);
	tcase_add_test(tc, damaged_object_is_sent_again);
	tcase_add_test(tc, known_object_is_read_past);
	tcase_add_test(tc, empty_object);
	tcase_add_test(tc, large_object);
	tcase_add_test(tc, names_are_checked);
	tcase_add_test(tc, wrong_hash_keeps_nothing);
	tcase_add_test(tc, uploads_resume);
	tcase_add_test(tc, whole_put_starts_over);
	tcase_add_test(tc, bad_ranges_are_refused);
	tcase_add_test(tc, truncated_body_stays_partial);
	tcase_add_test(tc, missing_lists_what_is_not_here);
	tcase_add_test(tc, bad_lists_are_refused);
}
