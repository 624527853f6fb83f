#include "crypto/x509-make.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include "crypto/key-internal.h"
#include "crypto/random.h"

static int
x509_make_failed(struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, ERR_INTERNAL, "%s", what);
}

static void
x509_make_free_bio(BIO **b)
{
	BIO_free(*b);
}

static void
x509_make_free_cert(X509 **c)
{
	X509_free(*c);
}

static int
x509_make_take(BIO *bio, struct buf *ret, struct err *e)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	if (len <= 0 || data == NULL)
		return x509_make_failed(e, "cannot write PEM");
	/* grown in one step, so that no copy of a key is left behind by a realloc */
	if (buf_reserve(ret, (size_t)len, e) != 0)
		return -1;
	buf_add(ret, data, (size_t)len);
	return buf_check(ret, e);
}

static bool
x509_make_extension(X509 *c, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *x;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, c, c, NULL, NULL, 0);
	x = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = x != NULL && X509_add_ext(c, x, -1) == 1;
	X509_EXTENSION_free(x);
	return ok;
}

static bool
x509_make_fill(X509 *c, EVP_PKEY *pkey, const char *name, unsigned days, uint64_t serial)
{
	X509_NAME *subject = X509_get_subject_name(c);

	return X509_set_version(c, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial >> 1 | 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(c), -3600) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(c), (long)days * 86400) != NULL &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
	    -1, 0) == 1 &&
	    X509_set_issuer_name(c, subject) == 1 && X509_set_pubkey(c, pkey) == 1 &&
	    x509_make_extension(c, NID_basic_constraints, "critical,CA:FALSE") &&
	    x509_make_extension(c, NID_key_usage, "critical,digitalSignature") &&
	    x509_make_extension(c, NID_ext_key_usage, "serverAuth") &&
	    X509_sign(c, pkey, EVP_sha256()) > 0;
}

int
x509_make_self_signed(const struct key *k, const char *name, unsigned days, struct buf *ret_pem,
    struct err *e)
{
	CLEANUP(x509_make_free_cert) X509 *c = X509_new();
	CLEANUP(x509_make_free_bio) BIO *bio = BIO_new(BIO_s_mem());
	uint64_t serial;

	if (c == NULL || bio == NULL)
		return err_nomem(e);
	if (random_bytes(&serial, sizeof serial, e) != 0)
		return -1;
	if (!x509_make_fill(c, key_pkey(k), name, days, serial) || PEM_write_bio_X509(bio, c) != 1)
		return x509_make_failed(e, "cannot make a certificate for the channel");
	return x509_make_take(bio, ret_pem, e);
}

int
x509_make_key_pem(const struct key *k, struct buf *ret_pem, struct err *e)
{
	CLEANUP(x509_make_free_bio) BIO *bio = BIO_new(BIO_s_secmem());

	if (bio == NULL)
		return err_nomem(e);
	if (PEM_write_bio_PrivateKey(bio, key_pkey(k), NULL, NULL, 0, NULL, NULL) != 1)
		return x509_make_failed(e, "the key is a public one");
	return x509_make_take(bio, ret_pem, e);
}
