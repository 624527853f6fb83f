/* The signatures of key.h: ECDSA in canonical DER with low s, RSASSA, RSAPSS. */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>
#include "crypto/key-internal.h"

#define KEY_SIGN_ECDSA_MAX 128 /* P-384 in DER is at most 104 */

/* n of the curves (SEC 2, sections 2.4.2 and 2.5.1) */
static const unsigned char key_sign_p256_order[] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
static const unsigned char key_sign_p384_order[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
	0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

static void
key_sign_sig_freep(ECDSA_SIG **s)
{
	ECDSA_SIG_free(*s);
}

static void
key_sign_bn_freep(BIGNUM **b)
{
	BN_free(*b);
}

static void
key_sign_md_freep(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static int
key_sign_failed(struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, ERR_INTERNAL, "libcrypto cannot %s", what);
}

/* n/2 of the curve, rounded down: the greatest low s; and n. */
static int
key_sign_half_order(const struct key *k, BIGNUM **ret_half, BIGNUM **ret_order, struct err *e)
{
	CLEANUP(key_sign_bn_freep) BIGNUM *half = BN_new();
	CLEANUP(key_sign_bn_freep) BIGNUM *order = NULL;

	if (key_kind(k) == KEY_P256)
		order = BN_bin2bn(key_sign_p256_order, sizeof key_sign_p256_order, NULL);
	else
		order = BN_bin2bn(key_sign_p384_order, sizeof key_sign_p384_order, NULL);
	if (order == NULL || half == NULL || BN_rshift1(half, order) != 1)
		return err_nomem(e);
	*ret_half = half;
	*ret_order = order;
	half = order = NULL;
	return 0;
}

static int
key_sign_encode(const ECDSA_SIG *sig, struct buf *ret, struct err *e)
{
	unsigned char der[KEY_SIGN_ECDSA_MAX], *p = der;
	int len = i2d_ECDSA_SIG(sig, NULL);

	if (len <= 0 || len > KEY_SIGN_ECDSA_MAX || i2d_ECDSA_SIG(sig, &p) != len)
		return key_sign_failed(e, "encode a signature");
	buf_add(ret, der, (size_t)len);
	return buf_check(ret, e);
}

static int
key_sign_raw(const struct key *k, const void *data, size_t len, unsigned char *ret_der,
    size_t *ret_len, struct err *e)
{
	CLEANUP(key_sign_md_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t size = KEY_SIGN_ECDSA_MAX;

	if (ctx == NULL)
		return err_nomem(e);
	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key_pkey(k)) != 1 ||
	    EVP_DigestSign(ctx, ret_der, &size, len != 0 ? data : "", len) != 1)
		return key_sign_failed(e, "sign (is this a key pair?)");
	*ret_len = size;
	return 0;
}

int
key_sign(const struct key *k, const void *data, size_t len, struct buf *ret_der, struct err *e)
{
	CLEANUP(key_sign_sig_freep) ECDSA_SIG *sig = NULL;
	CLEANUP(key_sign_bn_freep) BIGNUM *half = NULL;
	CLEANUP(key_sign_bn_freep) BIGNUM *order = NULL;
	unsigned char der[KEY_SIGN_ECDSA_MAX];
	const unsigned char *p = der;
	size_t der_len = 0;
	BIGNUM *r, *s;

	if (key_kind(k) != KEY_P256)
		return err_set(e, ERR_USAGE, "only a P-256 key pair signs");
	if (key_sign_raw(k, data, len, der, &der_len, e) != 0 ||
	    key_sign_half_order(k, &half, &order, e) != 0)
		return -1;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
	if (sig == NULL)
		return key_sign_failed(e, "read its own signature");
	if (BN_cmp(ECDSA_SIG_get0_s(sig), half) <= 0)
		return key_sign_encode(sig, ret_der, e);
	r = BN_dup(ECDSA_SIG_get0_r(sig));
	s = BN_new();
	if (r == NULL || s == NULL || BN_sub(s, order, ECDSA_SIG_get0_s(sig)) != 1 ||
	    ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return err_nomem(e);
	}
	return key_sign_encode(sig, ret_der, e);
}

/* Is this canonical DER of two numbers from 1 up, s low where demanded? */
static int
key_sign_canonical(const struct key *k, bool low_s, const unsigned char *der, size_t len,
    bool *ret_ok, struct err *e)
{
	CLEANUP(key_sign_sig_freep) ECDSA_SIG *sig = NULL;
	CLEANUP(key_sign_bn_freep) BIGNUM *half = NULL;
	CLEANUP(key_sign_bn_freep) BIGNUM *order = NULL;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	const unsigned char *p = der;
	const BIGNUM *r, *s;

	*ret_ok = false;
	if (len == 0 || len > KEY_SIGN_ECDSA_MAX)
		return 0;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	if (sig == NULL) {
		ERR_clear_error();
		return 0;
	}
	r = ECDSA_SIG_get0_r(sig);
	s = ECDSA_SIG_get0_s(sig);
	if (p != der + len || BN_is_negative(r) || BN_is_negative(s) || BN_is_zero(r) ||
	    BN_is_zero(s) || i2d_ECDSA_SIG(sig, NULL) != (int)len)
		return 0;
	if (key_sign_encode(sig, &again, e) != 0)
		return -1;
	*ret_ok = again.len == len && memcmp(again.data, der, len) == 0;
	if (!*ret_ok || !low_s)
		return 0;
	if (key_sign_half_order(k, &half, &order, e) != 0)
		return -1;
	*ret_ok = BN_cmp(s, half) <= 0;
	return 0;
}

static const EVP_MD *
key_sign_md(enum hash_alg alg)
{
	switch (alg) {
	case HASH_SHA1:
	case HASH_SM3:
		return NULL;
	case HASH_SHA256:
		return EVP_sha256();
	case HASH_SHA384:
		return EVP_sha384();
	case HASH_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

/* RSASSA-PSS takes any salt length: TPMs use the digest's or the longest. */
static int
key_sign_padding(EVP_PKEY_CTX *ctx, enum key_scheme scheme, const EVP_MD *md)
{
	switch (scheme) {
	case KEY_ECDSA:
		return 1;
	case KEY_RSASSA:
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	case KEY_RSAPSS:
		if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
		    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1)
			return 0;
		return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO);
	}
	return 0;
}

static bool
key_sign_fits(const struct key *k, enum key_scheme scheme)
{
	switch (key_kind(k)) {
	case KEY_RSA:
		return scheme == KEY_RSASSA || scheme == KEY_RSAPSS;
	case KEY_P256:
	case KEY_P384:
		return scheme == KEY_ECDSA;
	case KEY_OTHER:
		return false;
	}
	return false;
}

int
key_verify(const struct key *k, enum key_scheme scheme, enum hash_alg alg, bool low_s,
    const void *data, size_t len, const void *sig, size_t sig_len, bool *ret_good, struct err *e)
{
	CLEANUP(key_sign_md_freep) EVP_MD_CTX *ctx = NULL;
	const EVP_MD *md = key_sign_md(alg);
	EVP_PKEY_CTX *pctx = NULL;
	bool canonical = true;

	if (md == NULL)
		return err_set(e, ERR_UNSUPPORTED, "signatures over %s are not accepted",
		    hash_name(alg));
	if (!key_sign_fits(k, scheme)) {
		*ret_good = false;
		return 0;
	}
	if (scheme == KEY_ECDSA && key_sign_canonical(k, low_s, sig, sig_len, &canonical, e) != 0)
		return -1;
	if (!canonical) {
		*ret_good = false;
		return 0;
	}
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return err_nomem(e);
	if (EVP_DigestVerifyInit(ctx, &pctx, md, NULL, key_pkey(k)) != 1 ||
	    key_sign_padding(pctx, scheme, md) != 1)
		return key_sign_failed(e, "set up a verification");
	*ret_good = EVP_DigestVerify(ctx, sig, sig_len, len != 0 ? data : "", len) == 1;
	ERR_clear_error();
	return 0;
}

int
key_ecdsa_der(const void *r, size_t r_len, const void *s, size_t s_len, struct buf *ret,
    struct err *e)
{
	CLEANUP(key_sign_sig_freep) ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *rn, *sn;

	if (r_len > 48 || s_len > 48)
		return err_set(e, ERR_FORMAT, "ECDSA signature: a number of %zu bytes",
		    r_len > s_len ? r_len : s_len);
	if (sig == NULL)
		return err_nomem(e);
	rn = BN_bin2bn(r, (int)r_len, NULL);
	sn = BN_bin2bn(s, (int)s_len, NULL);
	if (rn == NULL || sn == NULL || ECDSA_SIG_set0(sig, rn, sn) != 1) {
		BN_free(rn);
		BN_free(sn);
		return err_nomem(e);
	}
	return key_sign_encode(sig, ret, e);
}
