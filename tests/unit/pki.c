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
	case PKI_P384:
		return EVP_EC_gen("P-384");
	case PKI_RSA4096:
		return EVP_RSA_gen(4096);
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
pki_extend_raw(X509 *x, const struct pki_extension *e, bool critical)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(e->oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ck_assert_int_eq(ASN1_OCTET_STRING_set(value, e->value, (int)e->len), 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
	ck_assert_int_eq(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

static void
pki_sign_cert(X509 *x, EVP_PKEY *key, const struct pki_options *o)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	const char *hash = o->pss.hash != NULL ? o->pss.hash : o->sha1 ? "SHA1" : "SHA256";

	ck_assert_int_eq(EVP_DigestSignInit(ctx, &pctx, EVP_PKEY_is_a(key, "ED25519") ? NULL :
	    EVP_get_digestbyname(hash), NULL, key), 1);
	if (o->pss.hash != NULL) {
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
		    o->pss.salt != 0 ? o->pss.salt : RSA_PSS_SALTLEN_DIGEST), 1);
		ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx,
		    EVP_get_digestbyname(o->pss.mask != NULL ? o->pss.mask : hash)), 1);
	}
	ck_assert_int_gt(X509_sign_ctx(x, ctx), 0);
	EVP_MD_CTX_free(ctx);
}

struct pki *
pki_make(const struct pki_options *o)
{
	struct pki *p = calloc(1, sizeof *p);
	const struct pki *issuer = o->issuer != NULL ? o->issuer : p;
	const struct pki *signer = o->forger != NULL ? o->forger : issuer;
	X509_NAME *name;

	ck_assert_ptr_nonnull(p);
	if (o->same_key != NULL && EVP_PKEY_up_ref(o->same_key->key) == 1)
		p->key = o->same_key->key;
	else
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
		pki_extend_raw(p->cert, &(struct pki_extension){"1.2.3.4.5.6.7", {5, 0}, 2}, true);
	for (const struct pki_extension *e = o->extensions; e != NULL && e->oid != NULL; e++)
		pki_extend_raw(p->cert, e, false);
	pki_sign_cert(p->cert, signer->key, o);
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

void
pki_private_pem(const struct pki *p, struct buf *ret)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, p->key, NULL, NULL, 0, NULL, NULL), 1);
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
