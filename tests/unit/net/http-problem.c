#include "net/http.h"

#include <string.h>
#include "unit.h"

#define PROBLEM "application/problem+json"

static void
expect(int status, const char *type, const char *body, enum err_code code, const char *msg)
{
	struct http_response rs = {.status = status};
	struct err e;

	snprintf(rs.content_type, sizeof rs.content_type, "%s", type);
	buf_adds(&rs.body, body);
	ck_assert_int_eq(http_problem(&rs, "what", &e), -1);
	ck_assert_msg(e.code == code, "%s: %s", err_name(e.code), body);
	ck_assert_str_eq(e.msg, msg);
	http_response_free(&rs);
}

START_TEST(codes_come_back)
{
	for (int c = ERR_NONE + 1; c < ERR_CODES_; c++) {
		char body[256];

		snprintf(body, sizeof body, "{\"detail\":\"d\",\"status\":500,\"title\":\"t\","
		    "\"type\":\"urn:aicert:error:%s\"}", err_name((enum err_code)c));
		expect(500, PROBLEM, body, (enum err_code)c, "what: d");
	}
}
END_TEST

START_TEST(unknown_codes_go_by_status)
{
	static const struct {
		int status;
		enum err_code code;
	} table[] = {
		{401, ERR_DENIED}, {403, ERR_DENIED}, {404, ERR_NOTFOUND}, {409, ERR_CONFLICT},
		{412, ERR_CONFLICT}, {413, ERR_LIMIT}, {422, ERR_REFUSED}, {429, ERR_BUSY},
		{503, ERR_BUSY}, {500, ERR_IO}, {502, ERR_NETWORK}, {504, ERR_NETWORK}, {400, ERR_IO},
		{302, ERR_DENIED}, {307, ERR_DENIED}, {308, ERR_DENIED},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		char msg[128];

		expect(table[i].status, PROBLEM, "{\"detail\":\"x\",\"type\":\"urn:aicert:error:nonsense\"}",
		    table[i].code, "what: x");
		expect(table[i].status, PROBLEM, "{\"detail\":\"x\",\"type\":\"about:blank\"}",
		    table[i].code, "what: x");
		snprintf(msg, sizeof msg, "what: the answer has status %d%s", table[i].status,
		    table[i].status / 100 == 3 ? ", and redirects are not followed" : "");
		expect(table[i].status, "text/html", "<p>\"detail\":\"x\"", table[i].code, msg);
		expect(table[i].status, PROBLEM, "", table[i].code, msg);
	}
}
END_TEST

START_TEST(hostile_text_is_tamed)
{
	char body[2048], msg[600];

	expect(404, PROBLEM, "{\"detail\":\"a\\\"b\\\\c\\nd\\u001be\"}", ERR_NOTFOUND, "what: a\"b\\c?d?e");
	expect(404, PROBLEM, "{\"detail\":\"a\x1b[31m\x7f\r\n\"}", ERR_NOTFOUND, "what: a?[31m???");
	expect(404, PROBLEM, "{\"detail\":\"no end", ERR_NOTFOUND, "what: no end");
	expect(404, PROBLEM, "{\"detail\":\"\\", ERR_NOTFOUND, "what: \\");
	expect(404, PROBLEM, "{\"detail\":\"\\u00", ERR_NOTFOUND, "what: ?00");
	memset(msg, 'y', sizeof msg);
	msg[0] = '\0';
	snprintf(body, sizeof body, "{\"detail\":\"%01500d\"}", 0);
	snprintf(msg, sizeof msg, "what: %0511d", 0);
	expect(404, PROBLEM, body, ERR_NOTFOUND, msg);
}
END_TEST

UNIT_SUITE(net_http_problem)
{
	tcase_add_test(tc, codes_come_back);
	tcase_add_test(tc, unknown_codes_go_by_status);
	tcase_add_test(tc, hostile_text_is_tamed);
}
