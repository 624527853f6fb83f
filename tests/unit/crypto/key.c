#include "unit.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "crypto/random.h"
#include "pki.h"

/* the generator of P-256 and of P-384: points everybody knows to be on the curve */
static const char p256_x[] = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
static const char p256_y[] = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
static const char p384_x[] = "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
    "5502f25dbf55296c3a545e3872760ab7";
static const char p384_y[] = "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
    "0a60b1ce1d7e819d7a431d7c90ea0e5f";
static const char p256_half[] = "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8";
static const char p256_order[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static void
unhex(unsigned char *ret, size_t len, const char *text)
{
	struct err e;

	UNIT_OK(hex_decode(ret, len, text, &e), &e);
}

static bool
verifies(const struct key *k, const char *data, const struct buf *sig, bool low_s)
{
	bool good = false;
	struct err e;

	UNIT_OK(key_verify(k, KEY_ECDSA, HASH_SHA256, low_s, data, strlen(data), sig->data,
	    sig->len, &good, &e), &e);
	return good;
}

/* Only s: the last number of the DER. */
static void
get_s(const struct buf *sig, unsigned char ret[32])
{
	const unsigned char *p = sig->data;
	size_t r_len = p[3], s_len = p[5 + r_len];
	const unsigned char *s = p + 6 + r_len;

	memset(ret, 0, 32);
	if (s_len == 33) {
		s++;
		s_len--;
	}
	memcpy(ret + 32 - s_len, s, s_len);
}

/* n - s */
static void
negate_s(unsigned char s[32])
{
	unsigned char n[32];
	int borrow = 0;

	unhex(n, 32, p256_order);
	for (int i = 31; i >= 0; i--) {
		int d = n[i] - s[i] - borrow;

		borrow = d < 0;
		s[i] = (unsigned char)(d & 0xff);
	}
}

START_TEST(key_signs_with_low_s)
{
	CLEANUP(key_freep) struct key *k = NULL;
	unsigned char half[32], s[32];
	struct err e;

	unhex(half, 32, p256_half);
	UNIT_OK(key_generate_p256(&k, &e), &e);
	ck_assert_int_eq(key_kind(k), KEY_P256);
	ck_assert_uint_eq(key_bits(k), 256);
	for (int i = 0; i < 64; i++) {
		CLEANUP(buf_free) struct buf sig = BUF_INIT;

		UNIT_OK(key_sign(k, "text", 4, &sig, &e), &e);
		get_s(&sig, s);
		ck_assert_int_le(memcmp(s, half, 32), 0);
		ck_assert(verifies(k, "text", &sig, true));
		ck_assert(!verifies(k, "texT", &sig, true));
	}
}
END_TEST

START_TEST(key_refuses_high_s_when_told)
{
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_free) struct buf sig = BUF_INIT, high = BUF_INIT;
	unsigned char r[32] = {0}, s[32];
	size_t r_len;
	struct err e;

	UNIT_OK(key_generate_p256(&k, &e), &e);
	UNIT_OK(key_sign(k, "text", 4, &sig, &e), &e);
	r_len = sig.data[3];
	memcpy(r + (r_len < 32 ? 32 - r_len : 0), sig.data + 4 + (r_len > 32), r_len > 32 ? 32 : r_len);
	get_s(&sig, s);
	negate_s(s);
	UNIT_OK(key_ecdsa_der(r, 32, s, 32, &high, &e), &e);
	ck_assert(verifies(k, "text", &high, false));
	ck_assert(!verifies(k, "text", &high, true));
}
END_TEST

/* The halves of both curves' orders, against libcrypto's own. */
START_TEST(key_low_s_of_p384)
{
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "p384",
	    .key = PKI_P384});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
	BIGNUM *half = BN_new();
	size_t low = 0;
	struct err e;

	BN_rshift1(half, EC_GROUP_get0_order(group));
	for (int i = 0; i < 32; i++) {
		CLEANUP(buf_free) struct buf sig = BUF_INIT;
		const unsigned char *at;
		ECDSA_SIG *raw;
		bool is_low, good;

		pki_sign(p, KEY_ECDSA, HASH_SHA384, "text", 4, &sig);
		at = sig.data;
		raw = d2i_ECDSA_SIG(NULL, &at, (long)sig.len);
		is_low = BN_cmp(ECDSA_SIG_get0_s(raw), half) <= 0;
		ECDSA_SIG_free(raw);
		low += is_low;
		UNIT_OK(key_verify(k, KEY_ECDSA, HASH_SHA384, true, "text", 4, sig.data, sig.len, &good,
		    &e), &e);
		ck_assert_int_eq(good, is_low);
		UNIT_OK(key_verify(k, KEY_ECDSA, HASH_SHA384, false, "text", 4, sig.data, sig.len, &good,
		    &e), &e);
		ck_assert(good);
	}
	ck_assert(low > 0 && low < 32);
	BN_free(half);
	EC_GROUP_free(group);
}
END_TEST

/* What is read by its fixed bytes is what libcrypto's decoder reads, and nothing more. */
START_TEST(key_spki_of_a_named_curve)
{
	static const enum pki_key kinds[] = {PKI_P256, PKI_P384};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "curve",
	    .key = kinds[_i]});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	struct err e;

	UNIT_OK(key_spki(k, &spki, &e), &e);
	for (size_t i = 0; i < spki.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			const unsigned char *at = spki.data;
			struct key *ours = NULL;
			EVP_PKEY *theirs;

			spki.data[i] ^= (unsigned char)(1u << bit);
			theirs = d2i_PUBKEY(NULL, &at, (long)spki.len);
			if (key_from_spki(spki.data, spki.len, &ours, &e) == 0) {
				ck_assert_ptr_nonnull(theirs);
				ck_assert(!key_equal(ours, k));
				key_free(ours);
			}
			EVP_PKEY_free(theirs);
			spki.data[i] ^= (unsigned char)(1u << bit);
		}
	}
	memset(spki.data + spki.len - 32, 0xff, 32); /* a coordinate that is no element of the field */
	{
		struct key *ours = NULL;

		UNIT_FAILS(key_from_spki(spki.data, spki.len, &ours, &e), &e, ERR_FORMAT);
	}
}
END_TEST

START_TEST(key_refuses_every_flipped_bit)
{
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_free) struct buf sig = BUF_INIT;
	struct err e;

	UNIT_OK(key_generate_p256(&k, &e), &e);
	UNIT_OK(key_sign(k, "text", 4, &sig, &e), &e);
	for (size_t i = 0; i < sig.len * 8; i++) {
		sig.data[i / 8] ^= (unsigned char)(1 << i % 8);
		ck_assert(!verifies(k, "text", &sig, false));
		sig.data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	for (; sig.len > 0; sig.len--) {
		sig.len--;
		ck_assert(!verifies(k, "text", &sig, false));
		sig.len++;
	}
	ck_assert(!verifies(k, "text", &sig, false));
}
END_TEST

START_TEST(key_refuses_bytes_after_the_signature)
{
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_free) struct buf sig = BUF_INIT;
	struct err e;

	UNIT_OK(key_generate_p256(&k, &e), &e);
	UNIT_OK(key_sign(k, "", 0, &sig, &e), &e);
	ck_assert(verifies(k, "", &sig, true));
	buf_addc(&sig, 0);
	ck_assert(!verifies(k, "", &sig, true));
}
END_TEST

START_TEST(key_spki_round_trip)
{
	static const enum pki_key kinds[] = {PKI_P256, PKI_RSA2048, PKI_ED25519};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "x",
	    .key = kinds[_i]});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	CLEANUP(key_freep) struct key *again = NULL;
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	unsigned char digest[32], expected[32];
	struct err e;

	UNIT_OK(key_spki(k, &der, &e), &e);
	UNIT_OK(key_from_spki(der.data, der.len, &again, &e), &e);
	ck_assert(key_equal(k, again));
	ck_assert_int_eq(key_kind(k), kinds[_i] == PKI_P256 ? KEY_P256 :
	    kinds[_i] == PKI_RSA2048 ? KEY_RSA : KEY_OTHER);
	UNIT_OK(key_spki_digest(k, digest, &e), &e);
	UNIT_OK(hash_once(HASH_SHA256, der.data, der.len, expected, &e), &e);
	ck_assert_mem_eq(digest, expected, 32);

	key_free(again);
	again = NULL;
	for (size_t len = 0; len < der.len; len++)
		UNIT_FAILS(key_from_spki(der.data, len, &again, &e), &e, ERR_FORMAT);
	buf_addc(&der, 0);
	UNIT_FAILS(key_from_spki(der.data, der.len, &again, &e), &e, ERR_FORMAT);
	ck_assert_ptr_null(again);
}
END_TEST

/* The same key as compressed point: decodes elsewhere, has another digest. */
START_TEST(key_refuses_compressed_points)
{
	static const char prefix[] = "3039301306072a8648ce3d020106082a8648ce3d030107032200";
	unsigned char der[26 + 33];
	struct key *k = NULL;
	struct err e;

	unhex(der, 26, prefix);
	der[26] = 0x03; /* the generator's y is odd */
	unhex(der + 27, 32, p256_x);
	UNIT_FAILS(key_from_spki(der, sizeof der, &k, &e), &e, ERR_FORMAT);
}
END_TEST

START_TEST(key_from_points)
{
	unsigned char x[48], y[48];
	CLEANUP(key_freep) struct key *a = NULL;
	CLEANUP(key_freep) struct key *b = NULL;
	struct key *bad = NULL;
	struct err e;

	unhex(x, 32, p256_x);
	unhex(y, 32, p256_y);
	UNIT_OK(key_from_point(KEY_P256, x, 32, y, 32, &a, &e), &e);
	ck_assert_int_eq(key_kind(a), KEY_P256);
	y[31] ^= 1;
	UNIT_FAILS(key_from_point(KEY_P256, x, 32, y, 32, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_point(KEY_P256, x, 33, y, 32, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_point(KEY_P256, x, 0, y, 0, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_point(KEY_RSA, x, 32, y, 32, &bad, &e), &e, ERR_UNSUPPORTED);
	UNIT_FAILS(key_from_point(KEY_OTHER, x, 32, y, 32, &bad, &e), &e, ERR_UNSUPPORTED);
	unhex(x, 48, p384_x);
	unhex(y, 48, p384_y);
	UNIT_OK(key_from_point(KEY_P384, x, 48, y, 48, &b, &e), &e);
	ck_assert_uint_eq(key_bits(b), 384);
	ck_assert(!key_equal(a, b));
	UNIT_FAILS(key_from_point(KEY_P256, x, 48, y, 48, &bad, &e), &e, ERR_FORMAT);
	ck_assert_ptr_null(bad);
}
END_TEST

START_TEST(key_from_rsa_numbers)
{
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "r",
	    .key = PKI_RSA2048});
	CLEANUP(key_freep) struct key *whole = pki_key(p);
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct key *bad = NULL;
	unsigned char *n;
	struct err e;

	UNIT_OK(key_spki(whole, &der, &e), &e);
	ck_assert_uint_eq(der.len, 294);
	n = der.data + 33;
	UNIT_OK(key_from_rsa(n, 256, 65537, &k, &e), &e);
	ck_assert(key_equal(k, whole));
	ck_assert_int_eq(key_kind(k), KEY_RSA);
	ck_assert_uint_eq(key_bits(k), 2048);
	UNIT_FAILS(key_from_rsa(n, 256, 0, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_rsa(n, 256, 1, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_rsa(n, 256, 65536, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_rsa(n, 0, 65537, &bad, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_rsa(n, 1025, 65537, &bad, &e), &e, ERR_FORMAT);
	n[255] ^= 1;
	UNIT_FAILS(key_from_rsa(n, 256, 65537, &bad, &e), &e, ERR_FORMAT);
	memset(n, 0xc5, 256); /* odd, but a multiple of 5 */
	UNIT_FAILS(key_from_rsa(n, 256, 65537, &bad, &e), &e, ERR_FORMAT);
	ck_assert_ptr_null(bad);
}
END_TEST

START_TEST(key_scheme_and_hash_are_stated)
{
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_free) struct buf sig = BUF_INIT;
	bool good = true;
	struct err e;

	UNIT_OK(key_generate_p256(&k, &e), &e);
	UNIT_OK(key_sign(k, "text", 4, &sig, &e), &e);
	UNIT_FAILS(key_verify(k, KEY_ECDSA, HASH_SHA1, false, "text", 4, sig.data, sig.len, &good,
	    &e), &e, ERR_UNSUPPORTED);
	UNIT_OK(key_verify(k, KEY_RSASSA, HASH_SHA256, false, "text", 4, sig.data, sig.len, &good,
	    &e), &e);
	ck_assert(!good);
	good = true;
	UNIT_OK(key_verify(k, KEY_ECDSA, HASH_SHA384, false, "text", 4, sig.data, sig.len, &good,
	    &e), &e);
	ck_assert(!good);
}
END_TEST

START_TEST(key_public_part_does_not_sign)
{
	CLEANUP(pki_freep) struct pki *p = pki_root("x");
	CLEANUP(pki_freep) struct pki *r = pki_make(&(struct pki_options){.name = "r",
	    .key = PKI_RSA2048});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	CLEANUP(key_freep) struct key *rsa = pki_key(r);
	CLEANUP(buf_free) struct buf sig = BUF_INIT;
	struct err e;

	UNIT_FAILS(key_sign(k, "text", 4, &sig, &e), &e, ERR_INTERNAL);
	UNIT_FAILS(key_sign(rsa, "text", 4, &sig, &e), &e, ERR_USAGE);
	ck_assert_uint_eq(sig.len, 0);
}
END_TEST

START_TEST(key_ecdsa_der_bounds)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	unsigned char n[49];
	struct err e;

	memset(n, 0xff, sizeof n);
	UNIT_OK(key_ecdsa_der(n, 48, n, 48, &der, &e), &e);
	ck_assert_uint_eq(der.len, 104);
	UNIT_FAILS(key_ecdsa_der(n, 49, n, 48, &der, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_ecdsa_der(n, 48, n, 49, &der, &e), &e, ERR_FORMAT);
	buf_reset(&der);
	memset(n, 0, sizeof n);
	n[47] = 1;
	UNIT_OK(key_ecdsa_der(n, 48, n, 48, &der, &e), &e);
	ck_assert_uint_eq(der.len, 8);
	ck_assert_mem_eq(der.data, "\x30\x06\x02\x01\x01\x02\x01\x01", 8);
}
END_TEST

UNIT_SUITE(key)
{
	tcase_add_test(tc, key_signs_with_low_s);
	tcase_add_test(tc, key_low_s_of_p384);
	tcase_add_loop_test(tc, key_spki_of_a_named_curve, 0, 2);
	tcase_add_test(tc, key_refuses_high_s_when_told);
	tcase_add_test(tc, key_refuses_every_flipped_bit);
	tcase_add_test(tc, key_refuses_bytes_after_the_signature);
	tcase_add_loop_test(tc, key_spki_round_trip, 0, 3);
	tcase_add_test(tc, key_refuses_compressed_points);
	tcase_add_test(tc, key_from_points);
	tcase_add_test(tc, key_from_rsa_numbers);
	tcase_add_test(tc, key_scheme_and_hash_are_stated);
	tcase_add_test(tc, key_public_part_does_not_sign);
	tcase_add_test(tc, key_ecdsa_der_bounds);
}
