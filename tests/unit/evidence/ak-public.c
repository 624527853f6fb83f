#include "unit.h"

#include <string.h>
#include "base/hex.h"
#include "evidence/fixture.h"

static void
ak_public_refused(const struct buf *b, enum err_code code, const char *words)
{
	struct ak_public a = {.name_len = 99};
	struct err e;

	UNIT_FAILS(ak_public_decode(b->data, b->len, &a, &e), &e, code);
	ck_assert_msg(strstr(e.msg, words) != NULL, "%s", e.msg);
	ck_assert_uint_eq(a.name_len, 99);
}

START_TEST(ak_public_decodes)
{
	static const struct {
		enum pki_key key;
		unsigned scheme, hash;
		enum key_scheme want_scheme;
		enum hash_alg want_hash;
	} cases[] = {
		{PKI_P256, 0x0018, 0x000b, KEY_ECDSA, HASH_SHA256},
		{PKI_P256, 0x0018, 0x000c, KEY_ECDSA, HASH_SHA384},
		{PKI_RSA2048, 0x0014, 0x000b, KEY_RSASSA, HASH_SHA256},
		{PKI_RSA2048, 0x0016, 0x000d, KEY_RSAPSS, HASH_SHA512},
	};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "ak",
	    .key = cases[_i].key});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	CLEANUP(ak_public_free) struct ak_public a = {0};
	unsigned char digest[32];
	struct err e;

	fixture_public(p, cases[_i].scheme, cases[_i].hash, FIXTURE_ATTRIBUTES, &b);
	UNIT_OK(ak_public_decode(b.data, b.len, &a, &e), &e);
	ck_assert_int_eq(a.scheme, cases[_i].want_scheme);
	ck_assert_int_eq(a.scheme_hash, cases[_i].want_hash);
	ck_assert_uint_eq(a.attributes, FIXTURE_ATTRIBUTES);
	ck_assert(key_equal(a.key, k));
	UNIT_OK(hash_once(HASH_SHA256, b.data, b.len, digest, &e), &e);
	ck_assert_uint_eq(a.name_len, 34);
	ck_assert_mem_eq(a.name, "\x00\x0b", 2);
	ck_assert_mem_eq(a.name + 2, digest, 32);
	ck_assert(ak_public_attributes_ok(&a, &reason));
	ck_assert_uint_eq(reason.len, 0);
}
END_TEST

START_TEST(ak_public_refuses_schemes)
{
	static const struct {
		enum pki_key key;
		unsigned scheme, hash;
		enum err_code code;
		const char *words;
	} cases[] = {
		{PKI_P256, 0x0010, 0, ERR_UNSUPPORTED, "no signing scheme"},
		{PKI_RSA2048, 0x0010, 0, ERR_UNSUPPORTED, "no signing scheme"},
		{PKI_P256, 0x0018, 0x0004, ERR_UNSUPPORTED, "SHA-1"},
		{PKI_RSA2048, 0x0014, 0x0004, ERR_UNSUPPORTED, "SHA-1"},
		{PKI_P256, 0x0018, 0x0012, ERR_UNSUPPORTED, "0x0012"},
		{PKI_P256, 0x001c, 0x000b, ERR_UNSUPPORTED, "0x001c"}, /* ECSCHNORR */
		{PKI_P256, 0x0014, 0x000b, ERR_FORMAT, "RSASSA"},
		{PKI_RSA2048, 0x0018, 0x000b, ERR_FORMAT, "ECDSA"},
	};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "ak",
	    .key = cases[_i].key});
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	fixture_public(p, cases[_i].scheme, cases[_i].hash, FIXTURE_ATTRIBUTES, &b);
	ak_public_refused(&b, cases[_i].code, cases[_i].words);
}
END_TEST

START_TEST(ak_public_refuses_malformed)
{
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "ak"});
	CLEANUP(pki_freep) struct pki *r = pki_make(&(struct pki_options){.name = "ak",
	    .key = PKI_RSA2048});
	CLEANUP(buf_free) struct buf b = BUF_INIT, rsa = BUF_INIT;
	struct ak_public a = {0};
	struct err e;

	fixture_public(p, 0x0018, 0x000b, FIXTURE_ATTRIBUTES, &b);
	for (size_t len = 0; len < b.len; len++)
		UNIT_FAILS(ak_public_decode(b.data, len, &a, &e), &e, ERR_FORMAT);
	buf_addc(&b, 0);
	ak_public_refused(&b, ERR_FORMAT, "after the structure");
	b.len--;
	b.data[3] = 0x04; /* nameAlg SHA-1 */
	ak_public_refused(&b, ERR_UNSUPPORTED, "name algorithm");
	b.data[3] = 0x0b;
	b.data[17] = 0x05; /* curve P-521 */
	ak_public_refused(&b, ERR_UNSUPPORTED, "curve");
	b.data[17] = 0x03;
	b.data[b.len - 1] ^= 1; /* off the curve */
	ak_public_refused(&b, ERR_FORMAT, "public key");
	b.data[1] = 0x08; /* KEYEDHASH */
	UNIT_FAILS(ak_public_decode(b.data, b.len, &a, &e), &e, ERR_FORMAT);

	fixture_public(r, 0x0014, 0x000b, FIXTURE_ATTRIBUTES, &rsa);
	rsa.data[16] = 0x04; /* keyBits 1024 */
	ak_public_refused(&rsa, ERR_UNSUPPORTED, "too short");
	rsa.data[16] = 0x0c; /* keyBits 3072 with 256 bytes */
	ak_public_refused(&rsa, ERR_FORMAT, "3072 bits");
}
END_TEST

START_TEST(ak_public_attributes)
{
	static const struct {
		uint32_t bit;
		const char *words;
	} cases[] = {
		{1u << 1, "fixedTPM is not set"},
		{1u << 4, "fixedParent is not set"},
		{1u << 5, "sensitiveDataOrigin is not set"},
		{1u << 16, "restricted is not set"},
		{1u << 18, "sign is not set"},
		{1u << 17, "decrypt is set"},
		{1u << 11, "encryptedDuplication is set"},
	};
	struct ak_public a = {.attributes = FIXTURE_ATTRIBUTES};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_reset(&reason);
		a.attributes = FIXTURE_ATTRIBUTES ^ cases[i].bit;
		ck_assert(!ak_public_attributes_ok(&a, &reason));
		ck_assert_str_eq(buf_str(&reason), cases[i].words);
	}
	buf_reset(&reason);
	for (unsigned bit = 0; bit < 32; bit++) { /* what no TPM sets */
		bool reserved = bit == 0 || bit == 3 || (bit >= 12 && bit < 16) || bit >= 20;

		a.attributes = FIXTURE_ATTRIBUTES | 1u << bit;
		ck_assert(!reserved || !ak_public_attributes_ok(&a, &reason));
	}
	a.attributes = 0;
	ck_assert(!ak_public_attributes_ok(&a, &reason));
	ck_assert_ptr_nonnull(strstr(buf_str(&reason), "fixedTPM is not set, fixedParent"));
	a.attributes = FIXTURE_ATTRIBUTES & ~(1u << 10); /* noDA is optional */
	ck_assert(ak_public_attributes_ok(&a, &reason));
}
END_TEST

START_TEST(ak_public_qualified_names)
{
	static const struct {
		enum ak_hierarchy h;
		const char *handle;
	} cases[] = {
		{AK_OWNER, "40000001"}, {AK_NULL, "40000007"},
		{AK_ENDORSEMENT, "4000000b"}, {AK_PLATFORM, "4000000c"},
	};
	struct ak_public a = {.name_len = 34, .name = {0x00, 0x0b, 1, 2, 3}};
	unsigned char joined[38], got[68], digest[32];
	size_t len = 0;
	struct err e;

	for (size_t i = 0; i < 4; i++) {
		UNIT_OK(hex_decode(joined, 4, cases[i].handle, &e), &e);
		memcpy(joined + 4, a.name, 34);
		UNIT_OK(hash_once(HASH_SHA256, joined, sizeof joined, digest, &e), &e);
		UNIT_OK(ak_public_qualified(&a, cases[i].h, got, &len, &e), &e);
		ck_assert_uint_eq(len, 34);
		ck_assert_mem_eq(got, "\x00\x0b", 2);
		ck_assert_mem_eq(got + 2, digest, 32);
	}
	a.name_len = 33;
	UNIT_FAILS(ak_public_qualified(&a, AK_OWNER, got, &len, &e), &e, ERR_USAGE);
	a.name_len = 0;
	UNIT_FAILS(ak_public_qualified(&a, AK_OWNER, got, &len, &e), &e, ERR_USAGE);
}
END_TEST

UNIT_SUITE(ak_public)
{
	tcase_add_loop_test(tc, ak_public_decodes, 0, 4);
	tcase_add_loop_test(tc, ak_public_refuses_schemes, 0, 8);
	tcase_add_test(tc, ak_public_refuses_malformed);
	tcase_add_test(tc, ak_public_attributes);
	tcase_add_test(tc, ak_public_qualified_names);
}
