#include "tsa.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ts.h>
#include "unit.h"

struct pki *
tsa_make(const struct pki *issuer, int64_t until)
{
	return pki_make(&(struct pki_options){.name = "authority", .issuer = issuer,
	    .usage = "critical,digitalSignature", .eku = "critical,timeStamping", .until = until});
}

static X509 *
tsa_cert(const struct pki *p)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	const unsigned char *at;

	pki_der(p, &der);
	at = der.data;
	return d2i_X509(NULL, &at, (long)der.len);
}

static EVP_PKEY *
tsa_key(const struct pki *p)
{
	CLEANUP(buf_free) struct buf pem = BUF_INIT;
	EVP_PKEY *key;
	BIO *b;

	pki_private_pem(p, &pem);
	b = BIO_new_mem_buf(pem.data, (int)pem.len);
	key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	return key;
}

static ASN1_INTEGER *
tsa_serial(TS_RESP_CTX *c UNUSED, void *arg UNUSED)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	ASN1_INTEGER_set(n, 7);
	return n;
}

static int
tsa_time(TS_RESP_CTX *c UNUSED, void *arg, long *sec, long *usec)
{
	*sec = (long)*(const int64_t *)arg;
	*usec = 0;
	return 1;
}

/* What a client asks. */
static BIO *
tsa_request(const void *data, size_t len, bool sha512)
{
	enum hash_alg alg = sha512 ? HASH_SHA512 : HASH_SHA256;
	unsigned char digest[HASH_SIZE_MAX];
	TS_MSG_IMPRINT *m = TS_MSG_IMPRINT_new();
	X509_ALGOR *a = X509_ALGOR_new();
	TS_REQ *r = TS_REQ_new();
	BIO *b = BIO_new(BIO_s_mem());
	struct err e;

	UNIT_OK(hash_once(alg, data, len, digest, &e), &e);
	X509_ALGOR_set0(a, OBJ_nid2obj(sha512 ? NID_sha512 : NID_sha256), V_ASN1_NULL, NULL);
	TS_MSG_IMPRINT_set_algo(m, a);
	TS_MSG_IMPRINT_set_msg(m, digest, (int)hash_size(alg));
	TS_REQ_set_version(r, 1);
	TS_REQ_set_msg_imprint(r, m);
	TS_REQ_set_cert_req(r, 1);
	ck_assert_int_eq(i2d_TS_REQ_bio(b, r), 1);
	X509_ALGOR_free(a);
	TS_MSG_IMPRINT_free(m);
	TS_REQ_free(r);
	return b;
}

static TS_RESP_CTX *
tsa_setup(const struct tsa_stamp *s, X509 *cert, EVP_PKEY *key, STACK_OF(X509) *above)
{
	ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4", 1);
	TS_RESP_CTX *c = TS_RESP_CTX_new();

	ck_assert_int_eq(TS_RESP_CTX_set_signer_cert(c, cert), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_signer_key(c, key), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_signer_digest(c, s->sha1 ? EVP_sha1() : EVP_sha256()), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_ess_cert_id_digest(c, EVP_sha256()), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_certs(c, above), 1);
	ck_assert_int_eq(TS_RESP_CTX_set_def_policy(c, policy), 1);
	ck_assert_int_eq(TS_RESP_CTX_add_md(c, EVP_sha256()), 1);
	ck_assert_int_eq(TS_RESP_CTX_add_md(c, EVP_sha512()), 1);
	TS_RESP_CTX_set_serial_cb(c, tsa_serial, NULL);
	TS_RESP_CTX_set_time_cb(c, tsa_time, (void *)(uintptr_t)&s->time);
	ASN1_OBJECT_free(policy);
	return c;
}

void
tsa_stamp(const struct tsa_stamp *s, const void *data, size_t len, struct buf *ret)
{
	STACK_OF(X509) *above = sk_X509_new_null();
	X509 *cert = tsa_cert(s->signer), *next = s->above != NULL ? tsa_cert(s->above) : NULL;
	EVP_PKEY *key = tsa_key(s->signer);
	BIO *request = tsa_request(data, len, s->sha512);
	unsigned char *der = NULL;
	TS_RESP_CTX *c;
	TS_RESP *r;
	int n;

	if (next != NULL)
		sk_X509_push(above, next);
	c = tsa_setup(s, cert, key, above);
	r = TS_RESP_create_response(c, request);
	ck_assert_ptr_nonnull(r);
	n = s->token ? i2d_PKCS7(TS_RESP_get_token(r), &der) : i2d_TS_RESP(r, &der);
	ck_assert_int_gt(n, 0);
	buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	TS_RESP_free(r);
	TS_RESP_CTX_free(c);
	BIO_free(request);
	EVP_PKEY_free(key);
	X509_free(cert);
	X509_free(next);
	sk_X509_free(above);
}
