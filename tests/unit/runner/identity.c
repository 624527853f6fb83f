#include "runner/identity.h"

#include <string.h>
#include "base/hex.h"
#include "evidence/ak-public.h"
#include "fixture.h"
#include "net/http.h"
#include "unit.h"

#define NONCE "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

static void
fetch(const char *name, struct buf *ret, unsigned char ret_nonce[32])
{
	CLEANUP(http_freep) struct http *h = NULL;
	struct http_request rq = {
		.method = "GET", .path = "/v1/identity?nonce=" NONCE, .body_fd = -1,
		.max = IDENTITY_DOCUMENT_MAX,
	};
	struct http_response rs;
	struct fixture f;
	struct err e;

	fixture_start(&f, name, NULL);
	UNIT_OK(hex_decode(ret_nonce, 32, NONCE, &e), &e);
	UNIT_OK(http_new("http://local", local_socket(f.local), &h, &e), &e);
	UNIT_OK(http_do(h, &rq, &rs, &e), &e);
	ck_assert_int_eq(rs.status, 200);
	ck_assert_str_eq(rs.content_type, IDENTITY_DOCUMENT_TYPE);
	*ret = rs.body;
	fixture_stop(&f);
}

static int
judge(const struct identity *id, const unsigned char n[32], const struct runner_options *o,
    struct err *e)
{
	struct verdict *v = NULL;
	int rc = identity_judge(id, n, o, &v, e);

	ck_assert_ptr_nonnull(v); /* also of a refusal */
	verdict_free(v);
	return rc;
}

START_TEST(a_real_identity_is_accepted)
{
	CLEANUP(buf_free) struct buf doc = BUF_INIT;
	CLEANUP(identity_free) struct identity id = {0};
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	struct runner_options o = {.required = LEVEL_SIMULATED};
	unsigned char nonce[32];
	char name[137];
	struct err e;

	fetch("real", &doc, nonce);
	UNIT_OK(identity_decode(doc.data, doc.len, &id, &e), &e);
	ck_assert_int_eq((int)id.tpm, EVENT_TPM_EMBEDDED);
	ck_assert_uint_eq(id.ak_chain_count, 0);
	ck_assert_str_eq(id.version, AICERT_VERSION);
	UNIT_OK(judge(&id, nonce, &o, &e), &e);
	UNIT_OK(ak_public_decode(id.ak_public.data, id.ak_public.len, &ak, &e), &e);
	hex_encode(name, ak.name, ak.name_len);
	o.ak_name = name;
	UNIT_OK(judge(&id, nonce, &o, &e), &e);
	name[10] = name[10] == '0' ? '1' : '0';
	UNIT_FAILS(judge(&id, nonce, &o, &e), &e, ERR_REFUSED);
}
END_TEST

START_TEST(another_nonce_or_key_is_refused)
{
	CLEANUP(buf_free) struct buf doc = BUF_INIT;
	CLEANUP(identity_free) struct identity id = {0};
	struct runner_options o = {.required = LEVEL_SIMULATED};
	unsigned char nonce[32];
	struct err e;

	fetch("binding", &doc, nonce);
	UNIT_OK(identity_decode(doc.data, doc.len, &id, &e), &e);
	nonce[31] ^= 1;
	UNIT_FAILS(judge(&id, nonce, &o, &e), &e, ERR_REFUSED);
	nonce[31] ^= 1;
	id.spki.data[id.spki.len - 1] ^= 1;
	UNIT_FAILS(judge(&id, nonce, &o, &e), &e, ERR_REFUSED);
	id.spki.data[id.spki.len - 1] ^= 1;
	id.quote.pcrs.sha256[14][0] ^= 1;
	UNIT_FAILS(judge(&id, nonce, &o, &e), &e, ERR_REFUSED);
	id.quote.pcrs.sha256[14][0] ^= 1;
	id.quote.signature.data[id.quote.signature.len - 1] ^= 1;
	UNIT_FAILS(judge(&id, nonce, &o, &e), &e, ERR_REFUSED);
	id.quote.signature.data[id.quote.signature.len - 1] ^= 1;
	UNIT_OK(judge(&id, nonce, &o, &e), &e);
}
END_TEST

/* Every byte of the attestation, flipped. */
START_TEST(every_byte_of_the_quote_counts)
{
	CLEANUP(buf_free) struct buf doc = BUF_INIT;
	CLEANUP(identity_free) struct identity id = {0};
	struct runner_options o = {.required = LEVEL_SIMULATED};
	unsigned char nonce[32];
	struct err e;

	fetch("bytes", &doc, nonce);
	UNIT_OK(identity_decode(doc.data, doc.len, &id, &e), &e);
	for (size_t i = 0; i < id.quote.attest.len; i++) {
		id.quote.attest.data[i] ^= 0x10;
		ck_assert_msg(judge(&id, nonce, &o, &e) != 0, "byte %zu", i);
		id.quote.attest.data[i] ^= 0x10;
	}
	UNIT_OK(judge(&id, nonce, &o, &e), &e);
}
END_TEST

static void
swap(const struct buf *doc, const char *from, const char *to)
{
	CLEANUP(buf_free) struct buf bad = BUF_INIT;
	const char *at = strstr(buf_str(doc), from);
	struct identity id;
	struct err e;

	ck_assert_msg(at != NULL, "%s", from);
	buf_add(&bad, doc->data, (size_t)(at - buf_str(doc)));
	buf_adds(&bad, to);
	buf_adds(&bad, at + strlen(from));
	ck_assert_msg(identity_decode(bad.data, bad.len, &id, &e) != 0, "%s -> %s", from, to);
}

START_TEST(malformed_identities_are_refused)
{
	static const char *const table[][2] = {
		{"\"bootLog\":null,", ""}, {"\"bootLog\":null", "\"bootLog\":1"},
		{"\"hardware\":null", "\"hardware\":[]"}, {"\"tpm\":\"embedded\"", "\"tpm\":\"other\""},
		{"\"tpm\":\"embedded\"", "\"tpm\":null"}, {"\"tpm\":", "\"extra\":1,\"tpm\":"},
		{"\"tpm\":", "\"upm\":"}, {"identity.v1", "identity.v2"}, {"\"chain\":[]", "\"chain\":{}"},
		{"\"chain\":[]", "\"chain\":[1]"}, {"\"chain\":[]", "\"chain\":[\"%\"]"},
		{"\"chain\":[]", "\"chain\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]"},
		{"\"chain\":[]", "\"chain\":[],\"chain\":[]"}, {"\"public\":\"", "\"public\":\"*"},
		{"\"spki\":\"", "\"spki\":\"="}, {"{\"version\"", "{\"verse\""}, {"{", " {"},
		{"\"attest\":\"", "\"attest\":\" "}, {"\"signature\":", "\"signatures\":"},
	};
	CLEANUP(buf_free) struct buf doc = BUF_INIT;
	unsigned char nonce[32];
	struct identity id;
	struct err e;

	fetch("malformed", &doc, nonce);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		swap(&doc, table[i][0], table[i][1]);
	for (size_t len = 0; len < doc.len; len += 7)
		ck_assert_int_ne(identity_decode(doc.data, len, &id, &e), 0);
	UNIT_FAILS(identity_decode("null", 4, &id, &e), &e, ERR_FORMAT);
	UNIT_FAILS(identity_decode("[]", 2, &id, &e), &e, ERR_FORMAT);
}
END_TEST

UNIT_SUITE(runner_identity)
{
	tcase_add_test(tc, a_real_identity_is_accepted);
	tcase_add_test(tc, another_nonce_or_key_is_refused);
	tcase_add_test(tc, every_byte_of_the_quote_counts);
	tcase_add_test(tc, malformed_identities_are_refused);
}
