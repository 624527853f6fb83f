#include "net/http-internal.h"

#include <string.h>
#include "unit.h"

static struct http_response
take(const char *line)
{
	struct http_response r = HTTP_RESPONSE_INIT;

	http_header_take(line, strlen(line), &r);
	return r;
}

START_TEST(numbers_are_read)
{
	ck_assert_int_eq(take("Upload-Offset: 12\r\n").upload_offset, 12);
	ck_assert_int_eq(take("upload-offset:12\r\n").upload_offset, 12);
	ck_assert_int_eq(take("Retry-After:   7").retry_after, 7);
	ck_assert_int_eq(take("LOG-OFFSET: 0\r\n").log_offset, 0);
	ck_assert_int_eq(take("Content-Range: bytes 5-9/10\r\n").range_start, 5);
	ck_assert_int_eq(take("Content-Range: bytes 9007199254740991-/x").range_start,
	    INT64_C(9007199254740991));
}
END_TEST

START_TEST(etags_are_kept_as_they_are)
{
	char longer[300];

	ck_assert_str_eq(take("ETag: \"abc-2\"\r\n").etag, "\"abc-2\"");
	ck_assert_str_eq(take("etag:W/\"x\"").etag, "W/\"x\"");
	ck_assert_str_eq(take("X-ETag: \"x\"").etag, "");
	ck_assert_str_eq(take("ETag: \"a b\"\r\n").etag, "");
	ck_assert_str_eq(take("ETag: \"a\x01\"\r\n").etag, "");
	snprintf(longer, sizeof longer, "ETag: %0280d", 1);
	ck_assert_str_eq(take(longer).etag, "");
}
END_TEST

START_TEST(anything_else_is_absent)
{
	static const char *const lines[] = {
		"", "\r\n", "Upload-Offset", "Upload-Offset:", "Upload-Offset: ", "Upload-Offset: x",
		"Upload-Offset: -1", "Upload-Offset: 99999999999999999999", "Upload-Offset : 1",
		" Upload-Offset: 1", "X-Upload-Offset: 1", "Retry-After: Fri, 07 Nov", "Content-Range: 5-9/10",
		"Content-Range: bytes */10", "Content-Range: items 5-9/10", "HTTP/1.1 200 OK",
	};

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct http_response r = take(lines[i]);

		ck_assert_msg(r.upload_offset == -1 && r.retry_after == -1 && r.log_offset == -1 &&
		    r.range_start == -1, "%s", lines[i]);
	}
}
END_TEST

UNIT_SUITE(net_http_header)
{
	tcase_add_test(tc, numbers_are_read);
	tcase_add_test(tc, etags_are_kept_as_they_are);
	tcase_add_test(tc, anything_else_is_absent);
}
