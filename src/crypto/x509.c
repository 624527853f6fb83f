#include "crypto/x509.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>
#include "crypto/pem.h"
#include "crypto/x509-internal.h"

#define X509_DER_MAX (64u * 1024)
#define X509_PEM_MAX (1024u * 1024)
#define X509_URL_MAX 2048
#define X509_OID_EK "2.23.133.8.1" /* tcg-kp-EKCertificate */

struct x509_cert {
	X509 *x;
};

static int
x509_failed(struct err *e, enum err_code code, const char *what)
{
	ERR_clear_error();
	return err_set(e, code, "certificate: %s", what);
}

static int
x509_adopt(X509 *x, struct x509_cert **ret, struct err *e)
{
	struct x509_cert *c = calloc(1, sizeof *c);

	if (c == NULL) {
		X509_free(x);
		return err_nomem(e);
	}
	c->x = x;
	*ret = c;
	return 0;
}

/* What is signed keeps its bytes; the outer structure is encoded anew here. */
static bool
x509_same(X509 *x, const void *der, size_t len)
{
	unsigned char *again = NULL;
	int n = i2d_X509(x, &again);
	bool same = n > 0 && (size_t)n == len && memcmp(again, der, len) == 0;

	OPENSSL_free(again);
	return same;
}

int
x509_decode(const void *der, size_t len, struct x509_cert **ret, struct err *e)
{
	const unsigned char *p = der;
	X509 *x;

	if (len == 0 || len > X509_DER_MAX)
		return err_set(e, ERR_FORMAT, "certificate: %zu bytes", len);
	x = d2i_X509(NULL, &p, (long)len);
	if (x == NULL)
		return x509_failed(e, ERR_FORMAT, "not DER of RFC 5280");
	if (p != (const unsigned char *)der + len) {
		X509_free(x);
		return x509_failed(e, ERR_FORMAT, "bytes after its end");
	}
	if (!x509_same(x, der, len)) {
		X509_free(x);
		return x509_failed(e, ERR_FORMAT, "not its one encoding");
	}
	return x509_adopt(x, ret, e);
}

static void
x509_bio_freep(BIO **b)
{
	BIO_free(*b);
}

static int
x509_read_pem(const void *pem, size_t len, size_t max, struct x509_cert **ret, size_t *n,
    struct err *e)
{
	size_t offset = 0;

	for (;;) {
		CLEANUP(buf_free) struct buf der = BUF_INIT;
		char label[PEM_LABEL_SIZE];
		bool found;

		if (pem_next(pem, len, &offset, label, &der, &found, e) != 0)
			return -1;
		if (!found)
			break;
		if (strcmp(label, "CERTIFICATE") != 0)
			return err_set(e, ERR_FORMAT, "PEM: a block %s among certificates", label);
		if (*n == max)
			return err_set(e, ERR_LIMIT, "more than %zu certificates", max);
		if (x509_decode(der.data, der.len, &ret[*n], e) != 0)
			return -1;
		(*n)++;
	}
	if (*n == 0)
		return x509_failed(e, ERR_FORMAT, "no PEM certificate");
	return 0;
}

int
x509_decode_pem(const void *pem, size_t len, size_t max, struct x509_cert **ret, size_t *ret_n,
    struct err *e)
{
	size_t n = 0;

	if (len > X509_PEM_MAX)
		return err_set(e, ERR_LIMIT, "PEM file of %zu bytes", len);
	if (x509_read_pem(pem, len, max, ret, &n, e) != 0) {
		while (n > 0) {
			x509_free(ret[--n]);
			ret[n] = NULL; /* an owner of the array frees what is in it */
		}
		return -1;
	}
	*ret_n = n;
	return 0;
}

void
x509_free(struct x509_cert *c)
{
	if (c == NULL)
		return;
	X509_free(c->x);
	free(c);
}

static int
x509_time(const ASN1_TIME *t, int64_t *ret, struct err *e)
{
	struct tm tm = {0};

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return x509_failed(e, ERR_FORMAT, "a time of validity is malformed");
	*ret = timegm(&tm);
	return 0;
}

/* Purposes of other trades: a certificate for nothing but these is no key of a TPM. */
static const char *const x509_other_purposes[] = {
	"1.3.6.1.5.5.7.3.1", /* serverAuth */
	"1.3.6.1.5.5.7.3.3", /* codeSigning */
	"1.3.6.1.5.5.7.3.4", /* emailProtection */
	"1.3.6.1.5.5.7.3.8", /* timeStamping */
	"1.3.6.1.5.5.7.3.9", /* OCSPSigning */
};

static bool
x509_is_other_purpose(const char *oid)
{
	for (size_t i = 0; i < sizeof x509_other_purposes / sizeof *x509_other_purposes; i++) {
		if (strcmp(oid, x509_other_purposes[i]) == 0)
			return true;
	}
	return false;
}

static bool
x509_purpose_is(const ASN1_OBJECT *o, const char *oid)
{
	char text[80];
	int len = OBJ_obj2txt(text, sizeof text, o, 1);

	return len > 0 && (size_t)len < sizeof text && strcmp(text, oid) == 0;
}

bool
x509_has_purpose(const struct x509_cert *c, const char *oid)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(c->x, NID_ext_key_usage, NULL, NULL);
	int n = eku != NULL ? sk_ASN1_OBJECT_num(eku) : 0;
	bool found = false;

	for (int i = 0; i < n; i++)
		found = found || x509_purpose_is(sk_ASN1_OBJECT_value(eku, i), oid);
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return found;
}

/* A missing extension is no purpose, and no other purpose. */
static void
x509_purposes(const X509 *x, struct x509_profile *p)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	int n = eku != NULL ? sk_ASN1_OBJECT_num(eku) : 0, others = 0;

	for (int i = 0; i < n; i++) {
		char text[80];
		int len = OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(eku, i), 1);

		if (len <= 0 || (size_t)len >= sizeof text)
			continue;
		p->eku_ek |= strcmp(text, X509_OID_EK) == 0;
		others += x509_is_other_purpose(text) ? 1 : 0;
	}
	p->eku_foreign = others > 0;
	p->eku_other = eku != NULL && others == n; /* an empty list is for nothing */
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
}

int
x509_profile(const struct x509_cert *c, struct x509_profile *ret, struct err *e)
{
	uint32_t flags = X509_get_extension_flags(c->x);
	uint32_t usage = X509_get_key_usage(c->x);
	struct x509_profile p = {0};

	if ((flags & EXFLAG_INVALID) != 0)
		return x509_failed(e, ERR_FORMAT, "a malformed or repeated extension");
	if (x509_time(X509_get0_notBefore(c->x), &p.not_before, e) != 0 ||
	    x509_time(X509_get0_notAfter(c->x), &p.not_after, e) != 0)
		return -1;
	p.ca = (flags & EXFLAG_CA) != 0;
	p.has_key_usage = (flags & EXFLAG_KUSAGE) != 0;
	if (p.has_key_usage) {
		p.digital_signature = (usage & KU_DIGITAL_SIGNATURE) != 0;
		p.key_encipherment = (usage & KU_KEY_ENCIPHERMENT) != 0;
		p.key_agreement = (usage & KU_KEY_AGREEMENT) != 0;
		p.key_cert_sign = (usage & KU_KEY_CERT_SIGN) != 0;
		p.crl_sign = (usage & KU_CRL_SIGN) != 0;
	}
	x509_purposes(c->x, &p);
	p.unknown_critical = (flags & EXFLAG_CRITICAL) != 0;
	*ret = p;
	return 0;
}

static void
x509_spki_freep(unsigned char **p)
{
	OPENSSL_free(*p);
}

int
x509_key(const struct x509_cert *c, struct key **ret, struct err *e)
{
	CLEANUP(x509_spki_freep) unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c->x), &der);

	if (len <= 0)
		return x509_failed(e, ERR_UNSUPPORTED, "a public key we cannot read");
	if (key_from_spki(der, (size_t)len, ret, e) != 0)
		return err_prefix(e, "certificate");
	return 0;
}

int
x509_der(const struct x509_cert *c, struct buf *ret, struct err *e)
{
	int len = i2d_X509(c->x, NULL);
	unsigned char *p;

	if (len <= 0)
		return x509_failed(e, ERR_INTERNAL, "cannot be encoded");
	if (buf_reserve(ret, (size_t)len, e) != 0)
		return -1;
	p = ret->data + ret->len;
	if (i2d_X509(c->x, &p) != len)
		return x509_failed(e, ERR_INTERNAL, "cannot be encoded");
	ret->len += (size_t)len;
	return buf_check(ret, e);
}

int
x509_digest(const struct x509_cert *c, unsigned char ret[HASH_SHA256_SIZE], struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;

	if (x509_der(c, &der, e) != 0)
		return -1;
	return hash_once(HASH_SHA256, der.data, der.len, ret, e);
}

int
x509_subject(const struct x509_cert *c, struct buf *ret, struct err *e)
{
	CLEANUP(x509_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (bio == NULL)
		return err_nomem(e);
	/* RFC 4514: control characters and non-ASCII come out escaped */
	if (X509_NAME_print_ex(bio, X509_get_subject_name(c->x), 0, XN_FLAG_RFC2253) < 0)
		return x509_failed(e, ERR_FORMAT, "a subject that cannot be printed");
	len = BIO_get_mem_data(bio, &text);
	if (len > 0)
		buf_add(ret, text, (size_t)len);
	return buf_check(ret, e);
}

/* RFC 5280 section 4.2 allows one of a kind; X509_get_ext_by_OBJ alone would take the first. */
static int
x509_find_extension(const X509 *x, const char *oid, int *ret, struct err *e)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	int at, again = -1;

	if (obj == NULL)
		return err_nomem(e);
	at = X509_get_ext_by_OBJ(x, obj, -1);
	if (at >= 0)
		again = X509_get_ext_by_OBJ(x, obj, at);
	ASN1_OBJECT_free(obj);
	if (at < 0)
		return err_set(e, ERR_NOTFOUND, "certificate: no extension %s", oid);
	if (again >= 0)
		return err_set(e, ERR_FORMAT, "certificate: extension %s occurs twice", oid);
	*ret = at;
	return 0;
}

int
x509_extension(const struct x509_cert *c, const char *oid, struct buf *ret, struct err *e)
{
	const ASN1_OCTET_STRING *value;
	int at = -1;

	if (x509_find_extension(c->x, oid, &at, e) != 0)
		return -1;
	value = X509_EXTENSION_get_data(X509_get_ext(c->x, at));
	buf_add(ret, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	return buf_check(ret, e);
}

static void
x509_access_freep(AUTHORITY_INFO_ACCESS **a)
{
	AUTHORITY_INFO_ACCESS_free(*a);
}

/* Printable ASCII without blanks, of a scheme we fetch. */
static bool
x509_is_url(const ASN1_STRING *s)
{
	const char *text = (const char *)ASN1_STRING_get0_data(s);
	int len = ASN1_STRING_length(s);

	if (len > X509_URL_MAX || len < 8 ||
	    (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0))
		return false;
	for (int i = 0; i < len; i++) {
		if (text[i] <= 0x20 || text[i] > 0x7e)
			return false;
	}
	return true;
}

int
x509_issuer_url(const struct x509_cert *c, struct buf *ret, struct err *e)
{
	CLEANUP(x509_access_freep) AUTHORITY_INFO_ACCESS *all =
	    X509_get_ext_d2i(c->x, NID_info_access, NULL, NULL);

	for (int i = 0; all != NULL && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
		const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(all, i);
		int type = -1;
		const ASN1_STRING *url = GENERAL_NAME_get0_value(a->location, &type);

		if (OBJ_obj2nid(a->method) != NID_ad_ca_issuers || type != GEN_URI || !x509_is_url(url))
			continue;
		buf_add(ret, ASN1_STRING_get0_data(url), (size_t)ASN1_STRING_length(url));
		return buf_check(ret, e);
	}
	return err_set(e, ERR_NOTFOUND, "certificate: it does not say where its issuer's is");
}

bool
x509_equal(const struct x509_cert *a, const struct x509_cert *b)
{
	return X509_cmp(a->x, b->x) == 0;
}

bool
x509_signed_by(const struct x509_cert *c, const struct x509_cert *issuer)
{
	EVP_PKEY *pkey = X509_get0_pubkey(issuer->x);
	bool yes = pkey != NULL &&
	    X509_NAME_cmp(X509_get_issuer_name(c->x), X509_get_subject_name(issuer->x)) == 0 &&
	    X509_verify(c->x, pkey) == 1;

	ERR_clear_error();
	return yes;
}

X509 *
x509_raw(const struct x509_cert *c)
{
	return c->x;
}
