#include "serve/identity.h"

#include <string.h>
#include "harness.h"
#include "unit.h"

#define NONCE "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

START_TEST(nonces_are_checked)
{
	static const char *const bad[] = {
		"/v1/identity", "/v1/identity?", "/v1/identity?nonce=", "/v1/identity?nonce",
		"/v1/identity?nonce=00", "/v1/identity?nonce=" NONCE "00", "/v1/identity?nonce=" NONCE "&x=1",
		"/v1/identity?nonce=" NONCE "&nonce=" NONCE, "/v1/identity?Nonce=" NONCE,
		"/v1/identity?nonce=0102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
		"/v1/identity?nonce=%30102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2", NULL,
	};
	struct harness h;

	harness_start(&h, "nonces");
	for (size_t i = 0; bad[i] != NULL; i++) {
		int status = harness_do(&h, "GET", bad[i], NULL, NULL, 0, NULL);

		ck_assert_msg(status == 400, "%s: %d", bad[i], status);
	}
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

/* The text of a member of two documents. */
static bool
same_member(const struct buf *a, const struct buf *b, const char *name)
{
	const char *x = strstr(buf_str(a), name), *y = strstr(buf_str(b), name);

	ck_assert(x != NULL && y != NULL);
	x += strlen(name);
	y += strlen(name);
	return strcspn(x, "\"") == strcspn(y, "\"") && strncmp(x, y, strcspn(x, "\"")) == 0;
}

START_TEST(the_key_stays_and_the_quote_changes)
{
	struct http_response a, b;
	struct harness h;

	harness_start(&h, "identity");
	ck_assert_int_eq(harness_do(&h, "GET", "/v1/identity?nonce=" NONCE, NULL, NULL, 0, &a), 200);
	ck_assert_int_eq(harness_do(&h, "GET", "/v1/identity?nonce=" NONCE, NULL, NULL, 0, &b), 200);
	ck_assert_str_eq(a.content_type, IDENTITY_MEDIA_TYPE);
	ck_assert(same_member(&a.body, &b.body, "\"spki\":\""));
	ck_assert(same_member(&a.body, &b.body, "\"public\":\""));
	ck_assert(!same_member(&a.body, &b.body, "\"signature\":\"")); /* signed anew */
	http_response_free(&b);
	/* the channel key is made at each start */
	ck_assert_int_eq(harness_stop(&h), 0);
	harness_restart(&h);
	ck_assert_int_eq(harness_do(&h, "GET", "/v1/identity?nonce=" NONCE, NULL, NULL, 0, &b), 200);
	ck_assert(!same_member(&a.body, &b.body, "\"spki\":\""));
	http_response_free(&a);
	http_response_free(&b);
	ck_assert_int_eq(harness_stop(&h), 0);
}
END_TEST

UNIT_SUITE(serve_identity)
{
	tcase_add_test(tc, nonces_are_checked);
	tcase_add_test(tc, the_key_stays_and_the_quote_changes);
}
