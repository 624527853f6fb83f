#include "pki.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include "unit.h"

#define PKI_FROM 1577836800  /* 2020-01-01 */
#define PKI_UNTIL 2208988800 /* 2040-01-01 */

struct pki {
	EVP_PKEY *key;
	X509 *cert;
};

static EVP_PKEY *
pki_new_key(enum pki_key kind)
{
	switch (kind) {
	case PKI_P256:
		return EVP_EC_gen("P-256");
	case PKI_RSA2048:
		return EVP_RSA_gen(2048);
	case PKI_RSA1024:
		return EVP_RSA_gen(1024);
	case PKI_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
	return NULL;
}

static void
pki_extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (value == NULL)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	ck_assert_ptr_nonnull(ext);
	ck_assert_int_eq(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void
pki_extend_unknown(X509 *x)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.2.3.4.5.6.7", 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ck_assert_int_eq(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05\x00", 2), 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
	ck_assert_int_eq(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

struct pki *
pki_make(const struct pki_options *o)
{
	struct pki *p = calloc(1, sizeof *p);
	const struct pki *issuer = o->issuer != NULL ? o->issuer : p;
	const struct pki *signer = o->forger != NULL ? o->forger : issuer;
	X509_NAME *name;
	const EVP_MD *md = o->sha1 ? EVP_sha1() : EVP_sha256();

	ck_assert_ptr_nonnull(p);
	p->key = pki_new_key(o->key);
	p->cert = X509_new();
	X509_set_version(p->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(p->cert), 1);
	name = X509_get_subject_name(p->cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)o->name, -1,
	    -1, 0);
	X509_set_issuer_name(p->cert, X509_get_subject_name(issuer->cert));
	ASN1_TIME_set(X509_getm_notBefore(p->cert), o->from != 0 ? o->from : PKI_FROM);
	ASN1_TIME_set(X509_getm_notAfter(p->cert), o->until != 0 ? o->until : PKI_UNTIL);
	ck_assert_int_eq(X509_set_pubkey(p->cert, p->key), 1);
	pki_extend(p->cert, NID_basic_constraints, o->basic);
	pki_extend(p->cert, NID_key_usage, o->usage);
	pki_extend(p->cert, NID_ext_key_usage, o->eku);
	if (o->unknown_critical)
		pki_extend_unknown(p->cert);
	ck_assert_int_gt(X509_sign(p->cert, signer->key,
	    EVP_PKEY_is_a(signer->key, "ED25519") ? NULL : md), 0);
	return p;
}

struct pki *
pki_root(const char *name)
{
	return pki_make(&(struct pki_options){.name = name, .basic = "critical,CA:TRUE",
	    .usage = "critical,keyCertSign,cRLSign"});
}

struct pki *
pki_ca(const char *name, const struct pki *issuer)
{
	return pki_make(&(struct pki_options){.name = name, .issuer = issuer,
	    .basic = "critical,CA:TRUE", .usage = "critical,keyCertSign"});
}

struct pki *
pki_leaf(const char *name, const struct pki *issuer)
{
	return pki_make(&(struct pki_options){.name = name, .issuer = issuer,
	    .basic = "CA:FALSE", .usage = "critical,digitalSignature"});
}

void
pki_free(struct pki *p)
{
	if (p == NULL)
		return;
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	free(p);
}

void
pki_der(const struct pki *p, struct buf *ret)
{
	unsigned char *der = NULL;
	int len = i2d_X509(p->cert, &der);

	ck_assert_int_gt(len, 0);
	buf_add(ret, der, (size_t)len);
	OPENSSL_free(der);
}

void
pki_pem(const struct pki *p, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_X509(bio, p->cert), 1);
	len = BIO_get_mem_data(bio, &text);
	buf_add(ret, text, (size_t)len);
	BIO_free(bio);
}

struct x509_cert *
pki_cert(const struct pki *p)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct x509_cert *c = NULL;
	struct err e;

	pki_der(p, &der);
	UNIT_OK(x509_decode(der.data, der.len, &c, &e), &e);
	return c;
}

struct key *
pki_key(const struct pki *p)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(p->key, &der);
	struct key *k = NULL;
	struct err e;

	ck_assert_int_gt(len, 0);
	UNIT_OK(key_from_spki(der, (size_t)len, &k, &e), &e);
	OPENSSL_free(der);
	return k;
}

void
pki_sign(const struct pki *p, enum key_scheme scheme, enum hash_alg alg, const void *data,
    size_t len, struct buf *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	unsigned char sig[512];
	size_t size = sizeof sig;

	ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, EVP_get_digestbyname(hash_name(alg)), NULL,
	    p->key), 1);
	if (scheme == KEY_RSAPSS)
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
	ck_assert_int_eq(EVP_DigestSign(ctx, sig, &size, data, len), 1);
	buf_add(ret, sig, size);
	EVP_MD_CTX_free(ctx);
}
