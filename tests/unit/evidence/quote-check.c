#include "unit.h"

#include <string.h>
#include "evidence/fixture.h"

static const struct {
	enum pki_key key;
	unsigned scheme, hash;
	enum hash_alg alg;
} kinds[] = {
	{PKI_P256, 0x0018, 0x000b, HASH_SHA256},
	{PKI_P256, 0x0018, 0x000c, HASH_SHA384},
	{PKI_RSA2048, 0x0014, 0x000b, HASH_SHA256},
	{PKI_RSA2048, 0x0014, 0x000d, HASH_SHA512},
	{PKI_RSA2048, 0x0016, 0x000b, HASH_SHA256},
};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

static bool
structure(const struct fixture_quote *q, enum hash_alg alg, struct buf *reason)
{
	bool ok = false;
	struct err e;

	buf_reset(reason);
	UNIT_OK(quote_check_structure(q->attest.data, q->attest.len, q->extra, &q->pcrs, alg, &ok,
	    reason, &e), &e);
	ck_assert_int_eq(ok, reason->len == 0);
	return ok;
}

static bool
signature(const struct fixture_quote *q, struct buf *reason)
{
	bool ok = false;
	struct err e;

	buf_reset(reason);
	UNIT_OK(quote_check_signature(&q->ak, q->attest.data, q->attest.len, q->signature.data,
	    q->signature.len, &ok, reason, &e), &e);
	ck_assert_int_eq(ok, reason->len == 0);
	return ok;
}

START_TEST(quote_check_good)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	fixture_make(&q, kinds[_i].key, kinds[_i].scheme, kinds[_i].hash);
	ck_assert_msg(structure(&q, kinds[_i].alg, &reason), "%s", buf_str(&reason));
	ck_assert_msg(signature(&q, &reason), "%s", buf_str(&reason));
}
END_TEST

START_TEST(quote_check_every_signed_bit_counts)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	fixture_make(&q, kinds[_i].key, kinds[_i].scheme, kinds[_i].hash);
	for (size_t i = 0; i < q.attest.len; i++) {
		q.attest.data[i] ^= 0x10;
		ck_assert_msg(!signature(&q, &reason), "byte %zu", i);
		q.attest.data[i] ^= 0x10;
	}
	for (size_t i = 0; i < q.signature.len; i++) {
		q.signature.data[i] ^= 0x01;
		ck_assert_msg(!signature(&q, &reason), "byte %zu", i);
		q.signature.data[i] ^= 0x01;
	}
	while (q.signature.len > 0) {
		q.signature.len--;
		ck_assert(!signature(&q, &reason));
	}
}
END_TEST

START_TEST(quote_check_signature_has_no_tail)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	buf_addc(&q.signature, 0);
	ck_assert(!signature(&q, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "after the structure"));
}
END_TEST

/* Scheme and hash are the key's to say: a good signature of another kind is refused. */
START_TEST(quote_check_scheme_is_the_keys)
{
	static const struct {
		unsigned scheme, hash;
		const char *words;
	} cases[] = {
		{0x0016, 0x000b, "RSAPSS with sha256, but the key signs RSASSA"},
		{0x0014, 0x000c, "RSASSA with sha384, but"},
		{0x0014, 0x0004, "SHA-1"},
	};
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	fixture_make(&q, PKI_RSA2048, 0x0014, 0x000b);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&q.signature);
		fixture_sign(q.pki, cases[i].scheme, cases[i].hash, &q.attest, &q.signature);
		ck_assert(!signature(&q, &reason));
		ck_assert_msg(strstr(buf_str(&reason), cases[i].words) != NULL, "%s",
		    buf_str(&reason));
	}
}
END_TEST

START_TEST(quote_check_other_key)
{
	CLEANUP(fixture_free) struct fixture_quote q, other;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	bool ok = true;
	struct err e;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	fixture_make(&other, PKI_P256, 0x0018, 0x000b);
	UNIT_OK(quote_check_signature(&other.ak, q.attest.data, q.attest.len, q.signature.data,
	    q.signature.len, &ok, &reason, &e), &e);
	ck_assert(!ok);
}
END_TEST

START_TEST(quote_check_values_and_extra)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	for (unsigned pcr = 0; pcr < 24; pcr++) {
		q.sha256[pcr][31] ^= 1;
		ck_assert(!structure(&q, HASH_SHA256, &reason));
		q.sha256[pcr][31] ^= 1;
		q.sha384[pcr][0] ^= 1;
		ck_assert(!structure(&q, HASH_SHA256, &reason));
		ck_assert_str_eq(buf_str(&reason), "pcrDigest is not the digest of the values");
		q.sha384[pcr][0] ^= 1;
	}
	for (size_t i = 0; i < sizeof q.extra; i++) {
		q.extra[i] ^= 1;
		ck_assert(!structure(&q, HASH_SHA256, &reason));
		ck_assert_str_eq(buf_str(&reason), "extraData is not the expected one");
		q.extra[i] ^= 1;
	}
	ck_assert(structure(&q, HASH_SHA256, &reason));
}
END_TEST

START_TEST(quote_check_digest_follows_the_signature)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct attest a;
	bool ok = true;
	struct err e;

	fixture_make(&q, PKI_P256, 0x0018, 0x000c);
	ck_assert(!structure(&q, HASH_SHA256, &reason));
	ck_assert(!structure(&q, HASH_SHA512, &reason));
	ck_assert(structure(&q, HASH_SHA384, &reason));
	ck_assert(!structure(&q, HASH_SHA1, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "SHA-1"));
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	UNIT_FAILS(quote_check_digest(&a, &q.pcrs, HASH_SHA1, &ok, &e), &e, ERR_UNSUPPORTED);
	UNIT_OK(quote_check_digest(&a, &q.pcrs, HASH_SHA384, &ok, &e), &e);
	ck_assert(ok);
	UNIT_OK(quote_check_digest(&a, &q.pcrs, HASH_SHA256, &ok, &e), &e);
	ck_assert(!ok);
}
END_TEST

START_TEST(quote_check_banks_present)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct attest a;
	bool ok = true;
	struct err e;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	q.pcrs.has_sha384 = false;
	ck_assert(!structure(&q, HASH_SHA256, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "selection"));
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	UNIT_OK(quote_check_digest(&a, &q.pcrs, HASH_SHA256, &ok, &e), &e);
	ck_assert(!ok);
	q.pcrs.has_sha256 = false;
	ck_assert(!structure(&q, HASH_SHA256, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "no values"));
}
END_TEST

/* A quote that is right in itself, of other PCRs than AICert asks for. */
START_TEST(quote_check_selection)
{
	static const struct attest_selection cases[][2] = {
		{{HASH_SHA384, 0xffffff}, {HASH_SHA256, 0xffffff}},
		{{HASH_SHA256, 0xfeffff}, {HASH_SHA384, 0xffffff}},
		{{HASH_SHA256, 0xffffff}, {HASH_SHA384, 0x00c000}},
		{{HASH_SHA256, 0xffffff}, {HASH_SHA1, 0xffffff}},
	};
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct attest a;
	struct err e;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	memcpy(a.selection, cases[_i], sizeof cases[_i]);
	buf_reset(&q.attest);
	fixture_attest(&a, &q.attest);
	ck_assert(!structure(&q, HASH_SHA256, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "selection"));
	ck_assert_int_eq(strstr(buf_str(&reason), "SHA-1") != NULL, _i == 3);
}
END_TEST

START_TEST(quote_check_one_bank_tpm)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct attest a;
	struct err e;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	a.selection_count = 1;
	a.selection[0] = (struct attest_selection){HASH_SHA384, 0xffffff};
	UNIT_OK(hash_once(HASH_SHA256, q.sha384, sizeof q.sha384, a.pcr_digest, &e), &e);
	buf_reset(&q.attest);
	fixture_attest(&a, &q.attest);
	q.pcrs.has_sha256 = false;
	ck_assert_msg(structure(&q, HASH_SHA256, &reason), "%s", buf_str(&reason));
}
END_TEST

/* Bytes that are no quote are an answer, not an error. */
START_TEST(quote_check_garbage_is_false)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	q.attest.data[5] = 0x17; /* TPM_ST_ATTEST_CERTIFY */
	ck_assert(!structure(&q, HASH_SHA256, &reason));
	q.attest.len = 0;
	ck_assert(!structure(&q, HASH_SHA256, &reason));
	q.signature.data[1] = 0x05; /* HMAC */
	ck_assert(!signature(&q, &reason));
	q.signature.len = 0;
	ck_assert(!signature(&q, &reason));
}
END_TEST

UNIT_SUITE(quote_check)
{
	tcase_add_loop_test(tc, quote_check_good, 0, KINDS);
	tcase_add_loop_test(tc, quote_check_every_signed_bit_counts, 0, KINDS);
	tcase_add_test(tc, quote_check_signature_has_no_tail);
	tcase_add_test(tc, quote_check_scheme_is_the_keys);
	tcase_add_test(tc, quote_check_other_key);
	tcase_add_test(tc, quote_check_values_and_extra);
	tcase_add_test(tc, quote_check_digest_follows_the_signature);
	tcase_add_test(tc, quote_check_banks_present);
	tcase_add_loop_test(tc, quote_check_selection, 0, 4);
	tcase_add_test(tc, quote_check_one_bank_tpm);
	tcase_add_test(tc, quote_check_garbage_is_false);
}
