#include "crypto/time-stamp.h"

#include <string.h>
#include "tsa.h"
#include "unit.h"

#define NOW 1763900000 /* 2025-11-23 */
#define TEXT "a certificate"

static struct pki *root, *other, *middle, *authority;
static struct x509_cert *anchors[2];

static void
authority_new(void)
{
	root = pki_root("root");
	other = pki_root("other");
	middle = pki_ca("middle", root);
	authority = tsa_make(middle, NOW + 100);
	anchors[0] = pki_cert(other);
	anchors[1] = pki_cert(root);
}

static void
authority_free(void)
{
	pki_free(root);
	pki_free(other);
	pki_free(middle);
	pki_free(authority);
	x509_free(anchors[0]);
	x509_free(anchors[1]);
}

static bool
judged(const void *der, size_t len, size_t count, int64_t *ret_time, struct buf *reason)
{
	struct time_stamp_request rq = {.data = der, .len = len,
	    .anchors = (const struct x509_cert *const *)anchors, .anchor_count = count};
	size_t anchor = 99;
	bool ok = false;
	struct err e;

	UNIT_OK(hash_once(HASH_SHA256, TEXT, strlen(TEXT), rq.imprint, &e), &e);
	UNIT_OK(time_stamp_judge(&rq, &ok, ret_time, &anchor, reason, &e), &e);
	ck_assert_int_eq(ok, reason->len == 0);
	ck_assert(!ok || anchor == 1);
	return ok;
}

START_TEST(stamps)
{
	static const struct { bool token, sha1, sha512, alone; int64_t time; const char *text, *reason; }
	    cases[] = {
		{false, false, false, false, NOW, TEXT, NULL}, {true, false, false, false, NOW, TEXT, NULL},
		{false, false, false, false, NOW + 99, TEXT, NULL},
		{false, false, false, false, NOW, "another", "something else"},
		{true, false, false, false, NOW, TEXT "\n", "something else"},
		{false, true, false, false, NOW, TEXT, "not signed once with SHA-256"},
		{false, false, true, false, NOW, TEXT, "not of a SHA-256 digest"},
		{false, false, false, true, NOW, TEXT, "not signed by an authority"}, /* no path */
		{false, false, false, false, NOW + 101, TEXT, "at that time"},
		{false, false, false, false, 1500000000, TEXT, "at that time"},
	};
	CLEANUP(buf_free) struct buf der = BUF_INIT, reason = BUF_INIT, without = BUF_INIT;
	int64_t time = 0;
	bool ok;

	authority_new();
	tsa_stamp(&(struct tsa_stamp){.signer = authority, .above = cases[_i].alone ? NULL : middle,
	    .time = cases[_i].time, .token = cases[_i].token, .sha1 = cases[_i].sha1,
	    .sha512 = cases[_i].sha512}, cases[_i].text, strlen(cases[_i].text), &der);
	ok = judged(der.data, der.len, 2, &time, &reason);
	ck_assert_msg(ok == (cases[_i].reason == NULL), "%s", buf_str(&reason));
	ck_assert(!ok || time == cases[_i].time);
	if (!ok)
		ck_assert_msg(strstr(buf_str(&reason), cases[_i].reason) != NULL, "%s", buf_str(&reason));
	/* not without the root */
	ck_assert(!judged(der.data, der.len, 1, &time, &without));
	authority_free();
}
END_TEST

/* No byte of it can be changed to another time or to another text; nothing cut off or added. */
START_TEST(stamp_damaged)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	int64_t time = 0;

	authority_new();
	tsa_stamp(&(struct tsa_stamp){.signer = authority, .above = middle, .time = NOW, .token = _i == 1},
	    TEXT, strlen(TEXT), &der);
	for (size_t i = 0; i < der.len; i++) {
		CLEANUP(buf_free) struct buf reason = BUF_INIT;

		der.data[i] ^= (unsigned char)(1u << i % 8);
		ck_assert(!judged(der.data, der.len, 2, &time, &reason) || time == NOW);
		der.data[i] ^= (unsigned char)(1u << i % 8);
	}
	for (size_t len = 0; len < der.len; len++) {
		CLEANUP(buf_free) struct buf reason = BUF_INIT;

		ck_assert(!judged(der.data, len, 2, &time, &reason));
	}
	buf_addc(&der, 0);
	{
		CLEANUP(buf_free) struct buf reason = BUF_INIT;

		ck_assert(!judged(der.data, der.len, 2, &time, &reason));
		ck_assert_ptr_nonnull(strstr(buf_str(&reason), "not a time stamp"));
	}
	authority_free();
}
END_TEST

UNIT_SUITE(time_stamp)
{
	tcase_add_loop_test(tc, stamps, 0, 10);
	tcase_add_loop_test(tc, stamp_damaged, 0, 2);
}
