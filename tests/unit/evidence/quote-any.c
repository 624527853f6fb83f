/* Signatures, PCR values and structures of quotes that are not AICert's. */
#include "unit.h"

#include <string.h>
#include "evidence/fixture.h"
#include "evidence/quote-any.h"
#include "evidence/tpm-signature.h"

/* --- signatures --- */

static struct tpm_signature_found
judge(const struct fixture_quote *q, const char *format, const struct buf *sig, struct buf *reason)
{
	struct tpm_signature_format f;
	struct tpm_signature_found found;
	struct err e;

	buf_reset(reason);
	UNIT_OK(tpm_signature_format(format, &f, &e), &e);
	UNIT_OK(tpm_signature_judge(&f, q->ak.key, &q->attest, sig, &found, reason, &e), &e);
	ck_assert_int_eq(found.ok, reason->len == 0);
	return found;
}

START_TEST(signature_formats)
{
	static const struct {
		enum pki_key key;
		unsigned scheme, hash;
		enum key_scheme s;
		enum hash_alg h;
		const char *bare;
	} cases[] = {
		{PKI_P256, 0x0018, 0x000b, KEY_ECDSA, HASH_SHA256, "ecdsa-sha256-der"},
		{PKI_P256, 0x0018, 0x000c, KEY_ECDSA, HASH_SHA384, "ecdsa-sha384-der"},
		{PKI_RSA2048, 0x0014, 0x000b, KEY_RSASSA, HASH_SHA256, "rsassa-sha256"},
		{PKI_RSA2048, 0x0014, 0x000d, KEY_RSASSA, HASH_SHA512, "rsassa-sha512"},
		{PKI_RSA2048, 0x0016, 0x000c, KEY_RSAPSS, HASH_SHA384, "rsapss-sha384"},
	};
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT, bare = BUF_INIT;
	struct tpm_signature_found found;

	fixture_make(&q, cases[_i].key, cases[_i].scheme, cases[_i].hash);
	found = judge(&q, "tpmt", &q.signature, &reason);
	ck_assert_msg(found.ok && found.hash_known && found.hash == cases[_i].h, "%s",
	    buf_str(&reason));
	pki_sign(q.pki, cases[_i].s, cases[_i].h, q.attest.data, q.attest.len, &bare);
	ck_assert(judge(&q, cases[_i].bare, &bare, &reason).ok);
	ck_assert(!judge(&q, "tpmt", &bare, &reason).ok);
	ck_assert(!judge(&q, cases[_i].bare, &q.signature, &reason).ok);
	ck_assert(!judge(&q, "rsapss-sha512", &bare, &reason).ok);
	ck_assert(!judge(&q, "ecdsa-sha512-der", &bare, &reason).ok);
	ck_assert(!judge(&q, "rsassa-sha1", &bare, &reason).ok);
	buf_addc(&bare, 0);
	ck_assert(!judge(&q, cases[_i].bare, &bare, &reason).ok);
	bare.len = 0;
	ck_assert(!judge(&q, cases[_i].bare, &bare, &reason).ok);
}
END_TEST

START_TEST(signature_format_names)
{
	static const char *const bad[] = {"", "tpm", "rsassa", "rsassa-md5", "ecdsa-sha256",
	    "RSASSA-SHA256", "rsapss-sha256-der", "tpmt ", "rsassa-sm3"};
	struct tpm_signature_format f;
	struct err e;

	UNIT_FAILS(tpm_signature_format(bad[_i], &f, &e), &e, ERR_USAGE);
}
END_TEST

/* r and s as long as the field, or without leading zeros; nothing else. */
START_TEST(signature_number_sizes)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT, sig = BUF_INIT;
	unsigned char n[48] = {0};

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	for (size_t size = 0; size <= 48; size++) {
		buf_reset(&sig);
		fixture_u16(&sig, 0x0018);
		fixture_u16(&sig, 0x000b);
		n[0] = size < 32 ? 1 : 0;
		n[1] = 1;
		fixture_2b(&sig, n, size);
		fixture_2b(&sig, q.signature.data + 6, 32);
		ck_assert(!judge(&q, "tpmt", &sig, &reason).ok);
		ck_assert_msg((strstr(buf_str(&reason), "no ECDSA signature") != NULL) ==
		    (size > 0 && size <= 32), "%zu: %s", size, buf_str(&reason));
	}
	buf_reset(&sig);
	fixture_u16(&sig, 0x0018);
	fixture_u16(&sig, 0x000b);
	fixture_2b(&sig, "\0\1", 2);
	fixture_2b(&sig, q.signature.data + 6, 32);
	ck_assert(!judge(&q, "tpmt", &sig, &reason).ok);
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "a number of 2 bytes"));
}
END_TEST

/* --- values --- */

START_TEST(values_are_read)
{
	static const char text[] = " {\"sha256\": {\"0\":\"0000000000000000000000000000000000000000"
	    "0000000000000000000000fF\", \"23\":\"11111111111111111111111111111111111111111111111111"
	    "11111111111111\"}, \"sha1\":{\"7\":\"2222222222222222222222222222222222222222\"}}\n";
	struct pcr_values v;
	struct err e;

	UNIT_OK(pcr_values_decode(text, strlen(text), &v, &e), &e);
	ck_assert_uint_eq(v.given[HASH_SHA256], 0x800001);
	ck_assert_uint_eq(v.given[HASH_SHA1], 0x80);
	ck_assert_uint_eq(pcr_values_get(&v, HASH_SHA256, 0)[31], 0xff);
	ck_assert_ptr_null(pcr_values_get(&v, HASH_SHA256, 1));
	ck_assert_ptr_null(pcr_values_get(&v, HASH_SHA384, 0));
	ck_assert_ptr_null(pcr_values_get(&v, HASH_SHA256, 24));
	ck_assert_ptr_null(pcr_values_get(&v, HASH_SM3, 0));
}
END_TEST

/* A bank we do not know is no value, and no reason to read none. */
START_TEST(values_of_unknown_banks)
{
	static const char text[] = "{\"sm3_256\":{\"0\":\"00\"},\"sm3\":[],\"SHA256\":{},"
	    "\"sha1\":{\"7\":\"2222222222222222222222222222222222222222\"},"
	    "\"a name that is longer than any bank's will ever be\":{}}";
	struct pcr_values v;
	struct err e;

	UNIT_OK(pcr_values_decode(text, strlen(text), &v, &e), &e);
	ck_assert_str_eq(v.unknown, "SHA256"); /* the first by name */
	ck_assert_uint_eq(v.given[HASH_SHA1], 0x80);
	ck_assert_uint_eq(v.given[HASH_SHA256], 0);
	UNIT_OK(pcr_values_decode("{}", 2, &v, &e), &e);
	ck_assert_str_eq(v.unknown, "");
}
END_TEST

START_TEST(values_refused)
{
	static const char *const bad[] = {
		"", "[]", "{\"sha256\":null}", "{\"sha256\":{\"0\":null}}", "{\"sha256\":{\"0\":\"\"}}",
		"{\"sha256\":{},\"sha256\":{}}",
		"{\"sha1\":{\"01\":\"2222222222222222222222222222222222222222\"}}",
		"{\"sha1\":{\"24\":\"2222222222222222222222222222222222222222\"}}",
		"{\"sha1\":{\"-1\":\"2222222222222222222222222222222222222222\"}}",
		"{\"sha1\":{\"1\":\"222222222222222222222222222222222222222G\"}}",
		"{\"sha1\":{\"1\":\"22222222222222222222222222222222222222222\"}}",
	};
	struct pcr_values v = {.given = {7}};
	struct err e;

	ck_assert_int_eq(pcr_values_decode(bad[_i], strlen(bad[_i]), &v, &e), -1);
	ck_assert(e.code == ERR_FORMAT || e.code == ERR_UNSUPPORTED);
	ck_assert_uint_eq(v.given[0], 7);
}
END_TEST

/* --- structure --- */

static void
fill(const struct fixture_quote *q, struct pcr_values *v)
{
	memset(v, 0, sizeof *v);
	v->given[HASH_SHA256] = v->given[HASH_SHA384] = 0xffffff;
	for (unsigned i = 0; i < 24; i++) {
		memcpy(v->value[HASH_SHA256][i], q->sha256[i], 32);
		memcpy(v->value[HASH_SHA384][i], q->sha384[i], 48);
	}
}

static bool
structure(const struct attest *a, const char *require, const enum hash_alg *alg, struct buf *reason)
{
	uint32_t wanted[PCR_VALUES_BANKS] = {0};
	struct err e;
	bool ok;

	buf_reset(reason);
	if (require != NULL)
		UNIT_OK(quote_any_require(require, wanted, &e), &e);
	UNIT_OK(quote_any_structure(a, wanted, alg, &ok, reason, &e), &e);
	ck_assert_int_eq(ok, reason->len == 0);
	return ok;
}

START_TEST(structures)
{
	static const enum hash_alg sha256 = HASH_SHA256, sha384 = HASH_SHA384;
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct attest a, b;
	struct err e;

	fixture_make(&q, PKI_P256, 0x0018, 0x000b);
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	ck_assert(structure(&a, NULL, &sha256, &reason));
	ck_assert(structure(&a, "sha384:0,23", NULL, &reason));
	ck_assert(!structure(&a, "sha512:0", NULL, &reason));
	ck_assert(!structure(&a, "sha1:0", NULL, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "SHA-1"));
	ck_assert(!structure(&a, NULL, &sha384, &reason));
	b = a;
	b.selection[1].mask = 0xfe;
	ck_assert(!structure(&b, "sha384:0", NULL, &reason));
	b.selection[0].bank = HASH_SHA1;
	ck_assert(structure(&b, NULL, NULL, &reason));
	b.selection_count = 1;
	ck_assert(!structure(&b, NULL, NULL, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "only the SHA-1 bank"));
	b = a;
	b.pcr_digest_len = 20;
	ck_assert(!structure(&b, NULL, NULL, &reason));
	b.pcr_digest_len = 33;
	ck_assert(!structure(&b, NULL, NULL, &reason));
	b = a;
	b.signer_len = 4;
	ck_assert(!structure(&b, NULL, NULL, &reason));
	b = a;
	b.signer[1] = 0xff;
	ck_assert(!structure(&b, NULL, NULL, &reason));
}
END_TEST

/* Values count in the order of the selection, by the signature's hash. */
START_TEST(digests)
{
	CLEANUP(fixture_free) struct fixture_quote q;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct pcr_values v;
	struct attest a;
	bool ok = false;
	struct err e;

	fixture_make(&q, PKI_RSA2048, 0x0014, 0x000d);
	UNIT_OK(attest_decode(q.attest.data, q.attest.len, &a, &e), &e);
	fill(&q, &v);
	UNIT_OK(quote_any_pcrs(&a, &v, HASH_SHA512, &ok, &reason, &e), &e);
	ck_assert_msg(ok, "%s", buf_str(&reason));
	UNIT_OK(quote_any_pcrs(&a, &v, HASH_SHA256, &ok, &reason, &e), &e);
	ck_assert(!ok);
	UNIT_FAILS(quote_any_pcrs(&a, &v, HASH_SHA1, &ok, &reason, &e), &e, ERR_UNSUPPORTED);
	for (unsigned pcr = 0; pcr < 24; pcr++) {
		v.value[HASH_SHA384][pcr][0] ^= 1;
		UNIT_OK(quote_any_pcrs(&a, &v, HASH_SHA512, &ok, &reason, &e), &e);
		ck_assert(!ok);
		v.value[HASH_SHA384][pcr][0] ^= 1;
		v.given[HASH_SHA256] ^= 1u << pcr;
		buf_reset(&reason);
		UNIT_OK(quote_any_pcrs(&a, &v, HASH_SHA512, &ok, &reason, &e), &e);
		ck_assert(!ok && strstr(buf_str(&reason), "not given") != NULL);
		v.given[HASH_SHA256] ^= 1u << pcr;
	}
	a.selection[0].bank = HASH_SHA384;
	a.selection[1].bank = HASH_SHA256;
	UNIT_OK(quote_any_pcrs(&a, &v, HASH_SHA512, &ok, &reason, &e), &e);
	ck_assert(!ok);
}
END_TEST

START_TEST(requirements)
{
	static const char *const bad[] = {"", "sha256", "sha256:", ":0", "sha256:24", "sha256:00",
	    "sha256:0,", "sha256:,0", "sha256:0 ", "sha256:0x1", "sm3:0", "sha999999999999999:0"};
	uint32_t require[PCR_VALUES_BANKS] = {0};
	struct err e;

	UNIT_FAILS(quote_any_require(bad[_i], require, &e), &e, ERR_USAGE);
	for (unsigned i = 0; i < PCR_VALUES_BANKS; i++)
		ck_assert_uint_eq(require[i], 0);
	UNIT_OK(quote_any_require("sha256:0,10,23,0", require, &e), &e);
	ck_assert_uint_eq(require[HASH_SHA256], 0x800401);
}
END_TEST

UNIT_SUITE(quote_any)
{
	tcase_add_loop_test(tc, signature_formats, 0, 5);
	tcase_add_loop_test(tc, signature_format_names, 0, 9);
	tcase_add_test(tc, signature_number_sizes);
	tcase_add_test(tc, values_are_read);
	tcase_add_test(tc, values_of_unknown_banks);
	tcase_add_loop_test(tc, values_refused, 0, 11);
	tcase_add_test(tc, structures);
	tcase_add_test(tc, digests);
	tcase_add_loop_test(tc, requirements, 0, 12);
}
