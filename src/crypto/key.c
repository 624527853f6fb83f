#include "crypto/key.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include "crypto/key-internal.h"
#include "crypto/pem.h"

#define KEY_SPKI_MAX 8192
#define KEY_RSA_BYTES_MAX 1024
#define KEY_POINT_MAX 48
#define KEY_PEM_MAX (64u * 1024)
#define KEY_RSA_BITS_MIN 2048
#define KEY_RSA_BITS_MAX 8192
#define KEY_RSA_EXPONENT_MIN 65537

/* The DER of RFC 5480 before an uncompressed point (0x04, x, y) on a named curve. */
static const unsigned char key_p256_prefix[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
	0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
};
static const unsigned char key_p384_prefix[] = {
	0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
	0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
};

static const struct {
	const char *group;
	size_t coordinate; /* bytes */
	const unsigned char *prefix;
	size_t prefix_len;
} key_curves[] = {
	[KEY_P256] = {"P-256", 32, key_p256_prefix, sizeof key_p256_prefix},
	[KEY_P384] = {"P-384", 48, key_p384_prefix, sizeof key_p384_prefix},
};

struct key {
	EVP_PKEY *pkey;
	enum key_kind kind;
};

/* What libcrypto left in its queue must not be read as the next call's reason. */
static int
key_failed(struct err *e, enum err_code code, const char *what)
{
	ERR_clear_error();
	return err_set(e, code, "%s", what);
}

static enum key_kind
key_kind_of(const EVP_PKEY *pkey)
{
	char group[64];
	size_t len;

	if (EVP_PKEY_is_a(pkey, "RSA"))
		return KEY_RSA;
	if (!EVP_PKEY_is_a(pkey, "EC") ||
	    EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) != 1)
		return KEY_OTHER;
	if (strcmp(group, SN_X9_62_prime256v1) == 0 || strcmp(group, "P-256") == 0)
		return KEY_P256;
	if (strcmp(group, SN_secp384r1) == 0 || strcmp(group, "P-384") == 0)
		return KEY_P384;
	return KEY_OTHER;
}

int
key_adopt(EVP_PKEY *pkey, struct key **ret, struct err *e)
{
	struct key *k = calloc(1, sizeof *k);

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return err_nomem(e);
	}
	k->pkey = pkey;
	k->kind = key_kind_of(pkey);
	*ret = k;
	return 0;
}

int
key_generate_p256(struct key **ret, struct err *e)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");

	if (pkey == NULL)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot make a P-256 key");
	return key_adopt(pkey, ret, e);
}

/* Are these the bytes of a named curve and an uncompressed point?  They have one form. */
static bool
key_spki_point(const unsigned char *der, size_t len, enum key_kind *ret)
{
	for (enum key_kind kind = KEY_P256; kind <= KEY_P384; kind++) {
		size_t prefix = key_curves[kind].prefix_len;

		if (len == prefix + 1 + 2 * key_curves[kind].coordinate && der[prefix] == 0x04 &&
		    memcmp(der, key_curves[kind].prefix, prefix) == 0) {
			*ret = kind;
			return true;
		}
	}
	return false;
}

int
key_from_spki(const void *der, size_t len, struct key **ret, struct err *e)
{
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	const unsigned char *p = der;
	enum key_kind curve;
	EVP_PKEY *pkey;

	if (len == 0 || len > KEY_SPKI_MAX)
		return err_set(e, ERR_FORMAT, "public key: %zu bytes is no SubjectPublicKeyInfo", len);
	if (key_spki_point(der, len, &curve)) { /* what libcrypto's decoders take ten times as long for */
		size_t size = key_curves[curve].coordinate;

		p += key_curves[curve].prefix_len + 1;
		return key_from_point(curve, p, size, p + size, size, ret, e);
	}
	pkey = d2i_PUBKEY(NULL, &p, (long)len);
	if (pkey == NULL)
		return key_failed(e, ERR_FORMAT, "public key: not a DER SubjectPublicKeyInfo");
	if (key_adopt(pkey, &k, e) != 0)
		return -1;
	if (p != (const unsigned char *)der + len)
		return err_set(e, ERR_FORMAT, "public key: bytes after the SubjectPublicKeyInfo");
	if (key_spki(k, &again, e) != 0) /* the point at infinity has no encoding */
		return e->code == ERR_INTERNAL ? err_set(e, ERR_FORMAT, "public key: none that can be used") : -1;
	if (again.len != len || memcmp(again.data, der, len) != 0)
		return err_set(e, ERR_FORMAT, "public key: not canonical DER");
	/* Compressed points and explicit curve parameters survive re-encoding. */
	if (k->kind == KEY_P256 || k->kind == KEY_P384)
		return err_set(e, ERR_FORMAT,
		    "public key: not a named curve with an uncompressed point");
	*ret = k;
	k = NULL;
	return 0;
}

int
key_from_pem(const void *pem, size_t len, struct key **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT, more = BUF_INIT;
	char label[PEM_LABEL_SIZE];
	size_t offset = 0;
	bool found;

	if (len > KEY_PEM_MAX)
		return err_set(e, ERR_LIMIT, "public key: PEM text of %zu bytes", len);
	if (pem_next(pem, len, &offset, label, &der, &found, e) != 0)
		return -1;
	if (!found)
		return err_set(e, ERR_FORMAT, "public key: no PEM block");
	if (strcmp(label, "PUBLIC KEY") != 0)
		return err_set(e, ERR_FORMAT, "public key: a PEM block %s, not PUBLIC KEY", label);
	if (pem_next(pem, len, &offset, label, &more, &found, e) != 0)
		return -1;
	if (found)
		return err_set(e, ERR_FORMAT, "public key: more than one PEM block");
	return key_from_spki(der.data, der.len, ret, e);
}

/* A daemon has nobody to ask for a pass phrase. */
static int
key_no_phrase(char *ret, int cap, int writing, void *arg)
{
	(void)ret;
	(void)cap;
	(void)writing;
	(void)arg;
	return -1;
}

int
key_from_private_pem(const void *pem, size_t len, struct key **ret, struct err *e)
{
	EVP_PKEY *pkey;
	BIO *bio;

	if (len > 4 * KEY_PEM_MAX)
		return err_set(e, ERR_LIMIT, "private key: PEM text of %zu bytes", len);
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio == NULL)
		return err_nomem(e);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, key_no_phrase, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (pkey == NULL)
		return err_set(e, ERR_FORMAT, "no private key in PEM, in the clear");
	return key_adopt(pkey, ret, e);
}

static void
key_param_bld_freep(OSSL_PARAM_BLD **b)
{
	OSSL_PARAM_BLD_free(*b);
}

static void
key_params_freep(OSSL_PARAM **p)
{
	OSSL_PARAM_free(*p);
}

static void
key_ctx_freep(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static void
key_bn_freep(BIGNUM **b)
{
	BN_free(*b);
}

static int
key_from_params(const char *type, OSSL_PARAM_BLD *bld, struct key **ret, struct err *e)
{
	CLEANUP(key_params_freep) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	CLEANUP(key_ctx_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	CLEANUP(key_ctx_freep) EVP_PKEY_CTX *check = NULL;
	CLEANUP(key_freep) struct key *k = NULL;
	EVP_PKEY *pkey = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot build a public key");
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return key_failed(e, ERR_FORMAT, "public key: its numbers make no key");
	if (key_adopt(pkey, &k, e) != 0)
		return -1;
	check = EVP_PKEY_CTX_new(pkey, NULL);
	if (check == NULL)
		return err_nomem(e);
	/* the order of a point says nothing more where every point but infinity has the same */
	if ((k->kind == KEY_RSA ? EVP_PKEY_public_check(check) :
	    EVP_PKEY_public_check_quick(check)) != 1)
		return key_failed(e, ERR_FORMAT, "public key: not a valid point or modulus");
	*ret = k;
	k = NULL;
	return 0;
}

int
key_from_rsa(const void *modulus, size_t modulus_len, uint32_t exponent, struct key **ret,
    struct err *e)
{
	CLEANUP(key_param_bld_freep) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	CLEANUP(key_bn_freep) BIGNUM *n = NULL;

	if (modulus_len == 0 || modulus_len > KEY_RSA_BYTES_MAX)
		return err_set(e, ERR_FORMAT, "RSA key: a modulus of %zu bytes", modulus_len);
	if (exponent < 3 || exponent % 2 == 0)
		return err_set(e, ERR_FORMAT, "RSA key: exponent %lu", (unsigned long)exponent);
	n = BN_bin2bn(modulus, (int)modulus_len, NULL);
	if (bld == NULL || n == NULL)
		return err_nomem(e);
	if (!BN_is_odd(n))
		return err_set(e, ERR_FORMAT, "RSA key: the modulus is even");
	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_uint(bld, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot build an RSA key");
	return key_from_params("RSA", bld, ret, e);
}

int
key_from_point(enum key_kind kind, const void *x, size_t x_len, const void *y, size_t y_len,
    struct key **ret, struct err *e)
{
	CLEANUP(key_param_bld_freep) OSSL_PARAM_BLD *bld = NULL;
	unsigned char point[1 + 2 * KEY_POINT_MAX] = {0x04};
	size_t size;

	if (kind != KEY_P256 && kind != KEY_P384)
		return err_set(e, ERR_UNSUPPORTED, "only P-256 and P-384 points make a key");
	size = key_curves[kind].coordinate;
	if (x_len > size || y_len > size)
		return err_set(e, ERR_FORMAT, "%s key: a coordinate of %zu bytes",
		    key_curves[kind].group, x_len > y_len ? x_len : y_len);
	memcpy(point + 1 + size - x_len, x, x_len);
	memcpy(point + 1 + 2 * size - y_len, y, y_len);
	bld = OSSL_PARAM_BLD_new();
	if (bld == NULL)
		return err_nomem(e);
	if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
	    key_curves[kind].group, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point,
	    1 + 2 * size) != 1)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot build an EC key");
	return key_from_params("EC", bld, ret, e);
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

enum key_kind
key_kind(const struct key *k)
{
	return k->kind;
}

unsigned
key_bits(const struct key *k)
{
	int bits = EVP_PKEY_get_bits(k->pkey);

	return bits > 0 ? (unsigned)bits : 0;
}

/* A point in the one form; false: it has to be asked of libcrypto's encoders. */
static bool
key_spki_quick(const struct key *k, struct buf *ret)
{
	unsigned char point[1 + 2 * KEY_POINT_MAX + 1];
	size_t len = 0;

	if ((k->kind != KEY_P256 && k->kind != KEY_P384) ||
	    EVP_PKEY_get_octet_string_param(k->pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
	    &len) != 1 || len != 1 + 2 * key_curves[k->kind].coordinate || point[0] != 0x04)
		return false;
	buf_add(ret, key_curves[k->kind].prefix, key_curves[k->kind].prefix_len);
	buf_add(ret, point, len);
	return true;
}

int
key_spki(const struct key *k, struct buf *ret, struct err *e)
{
	unsigned char *p;
	int len;

	if (key_spki_quick(k, ret))
		return buf_check(ret, e);
	ERR_clear_error();
	len = i2d_PUBKEY(k->pkey, NULL);
	if (len <= 0)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot encode the public key");
	if (buf_reserve(ret, (size_t)len, e) != 0)
		return -1;
	p = ret->data + ret->len;
	if (i2d_PUBKEY(k->pkey, &p) != len)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot encode the public key");
	ret->len += (size_t)len;
	return buf_check(ret, e);
}

int
key_spki_digest(const struct key *k, unsigned char ret[HASH_SHA256_SIZE], struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;

	if (key_spki(k, &der, e) != 0)
		return -1;
	return hash_once(HASH_SHA256, der.data, der.len, ret, e);
}

static int
key_check_rsa(const struct key *k, struct err *e)
{
	CLEANUP(key_bn_freep) BIGNUM *exponent = NULL;
	unsigned bits = key_bits(k);

	if (bits < KEY_RSA_BITS_MIN || bits > KEY_RSA_BITS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "RSA key of %u bits: %d to %d are accepted", bits,
		    KEY_RSA_BITS_MIN, KEY_RSA_BITS_MAX);
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return key_failed(e, ERR_INTERNAL, "libcrypto cannot read the RSA exponent");
	if (!BN_is_odd(exponent) || BN_num_bits(exponent) > 32 ||
	    BN_get_word(exponent) < KEY_RSA_EXPONENT_MIN)
		return err_set(e, ERR_UNSUPPORTED, "RSA key: its exponent is not odd and from %d to 2^32",
		    KEY_RSA_EXPONENT_MIN);
	return 0;
}

int
key_check(const struct key *k, struct err *e)
{
	switch (k->kind) {
	case KEY_RSA:
		return key_check_rsa(k, e);
	case KEY_P256:
	case KEY_P384:
		return 0;
	case KEY_OTHER:
		break;
	}
	return err_set(e, ERR_UNSUPPORTED, "public key: neither RSA nor P-256 nor P-384");
}

bool
key_equal(const struct key *a, const struct key *b)
{
	bool equal = EVP_PKEY_eq(a->pkey, b->pkey) == 1;

	ERR_clear_error();
	return equal;
}

EVP_PKEY *
key_pkey(const struct key *k)
{
	return k->pkey;
}
