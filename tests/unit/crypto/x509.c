#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include "crypto/x509-crl.h"
#include "crypto/x509-internal.h"
#include "pki.h"

#define NOW 1763900000 /* 2025-11-23 */

static void
cert_freep(struct x509_cert **c)
{
	x509_free(*c);
}

START_TEST(x509_round_trip)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(buf_free) struct buf der = BUF_INIT, again = BUF_INIT, subject = BUF_INIT;
	CLEANUP(cert_freep) struct x509_cert *c = NULL;
	CLEANUP(cert_freep) struct x509_cert *d = NULL;
	unsigned char digest[32], expected[32];
	struct err e;

	pki_der(root, &der);
	UNIT_OK(x509_decode(der.data, der.len, &c, &e), &e);
	UNIT_OK(x509_der(c, &again, &e), &e);
	ck_assert_uint_eq(der.len, again.len);
	ck_assert_mem_eq(der.data, again.data, der.len);
	UNIT_OK(x509_digest(c, digest, &e), &e);
	UNIT_OK(hash_once(HASH_SHA256, der.data, der.len, expected, &e), &e);
	ck_assert_mem_eq(digest, expected, 32);
	UNIT_OK(x509_subject(c, &subject, &e), &e);
	ck_assert_str_eq(buf_str(&subject), "CN=root");
	UNIT_OK(x509_decode(der.data, der.len, &d, &e), &e);
	ck_assert(x509_equal(c, d));
	ck_assert(x509_signed_by(c, d));
}
END_TEST

START_TEST(x509_decode_refuses)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct x509_cert *c = NULL;
	struct err e;

	pki_der(root, &der);
	for (size_t len = 0; len < der.len; len++)
		UNIT_FAILS(x509_decode(der.data, len, &c, &e), &e, ERR_FORMAT);
	buf_addc(&der, 0);
	UNIT_FAILS(x509_decode(der.data, der.len, &c, &e), &e, ERR_FORMAT);
	ck_assert_ptr_null(c);
}
END_TEST

START_TEST(x509_subject_is_escaped)
{
	CLEANUP(pki_freep) struct pki *p = pki_root("a\x1b[31m\nb,c\xc3\xa9");
	CLEANUP(cert_freep) struct x509_cert *c = pki_cert(p);
	CLEANUP(buf_free) struct buf subject = BUF_INIT;
	struct err e;

	UNIT_OK(x509_subject(c, &subject, &e), &e);
	for (size_t i = 0; i < subject.len; i++)
		ck_assert(subject.data[i] >= 0x20 && subject.data[i] < 0x7f);
}
END_TEST

START_TEST(x509_pem_lists)
{
	CLEANUP(pki_freep) struct pki *a = pki_root("a");
	CLEANUP(pki_freep) struct pki *b = pki_root("b");
	CLEANUP(buf_free) struct buf pem = BUF_INIT;
	CLEANUP(cert_freep) struct x509_cert *ca = pki_cert(a);
	CLEANUP(cert_freep) struct x509_cert *cb = pki_cert(b);
	struct x509_cert *got[3] = {NULL};
	size_t n = 99;
	struct err e;

	UNIT_FAILS(x509_decode_pem("", 0, 2, got, &n, &e), &e, ERR_FORMAT);
	UNIT_FAILS(x509_decode_pem("text\n", 5, 2, got, &n, &e), &e, ERR_FORMAT);
	buf_adds(&pem, "a comment\n");
	pki_pem(a, &pem);
	pki_pem(b, &pem);
	UNIT_OK(x509_decode_pem(pem.data, pem.len, 2, got, &n, &e), &e);
	ck_assert_uint_eq(n, 2);
	ck_assert(x509_equal(got[0], ca));
	ck_assert(x509_equal(got[1], cb));
	x509_free(got[0]);
	x509_free(got[1]);
	UNIT_FAILS(x509_decode_pem(pem.data, pem.len, 1, got, &n, &e), &e, ERR_LIMIT);
	UNIT_FAILS(x509_decode_pem(pem.data, pem.len - 40, 3, got, &n, &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(n, 2);
}
END_TEST

START_TEST(x509_profiles)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *ek = pki_make(&(struct pki_options){.name = "ek",
	    .issuer = root, .usage = "keyEncipherment,keyAgreement", .eku = "2.23.133.8.1",
	    .unknown_critical = true, .from = 100, .until = 200});
	CLEANUP(cert_freep) struct x509_cert *c = pki_cert(root);
	CLEANUP(cert_freep) struct x509_cert *d = pki_cert(ek);
	struct x509_profile p;
	struct err e;

	UNIT_OK(x509_profile(c, &p, &e), &e);
	ck_assert(p.ca && p.has_key_usage && p.key_cert_sign);
	ck_assert(!p.digital_signature && !p.key_encipherment && !p.key_agreement);
	ck_assert(!p.eku_ek && !p.unknown_critical);
	UNIT_OK(x509_profile(d, &p, &e), &e);
	ck_assert(!p.ca && p.has_key_usage && !p.key_cert_sign && !p.digital_signature);
	ck_assert(p.key_encipherment && p.key_agreement && p.eku_ek && p.unknown_critical);
	ck_assert_int_eq(p.not_before, 100);
	ck_assert_int_eq(p.not_after, 200);
	{ /* purposes, and none among them */
		static const struct pki_extension none[] = {
			{"2.5.29.37", {0x30, 0x00}, 2}, {NULL, {0}, 0},
		};
		CLEANUP(pki_freep) struct pki *odd = pki_make(&(struct pki_options){.name = "odd",
		    .issuer = root, .usage = "digitalSignature", .extensions = none});
		CLEANUP(cert_freep) struct x509_cert *o = pki_cert(odd);

		UNIT_OK(x509_profile(o, &p, &e), &e);
		ck_assert(p.eku_other);
	}
}
END_TEST

/* root <- middle <- leaf, with one thing changed */
struct chain_case {
	const char *what;
	struct pki_options middle, leaf;
	int64_t time;
	bool ok;
	const char *reason; /* part of it */
};

#define CA "critical,CA:TRUE"
#define SIGN "critical,keyCertSign"
#define MIDDLE .name = "middle", .basic = CA, .usage = SIGN
#define LEAF .name = "leaf", .usage = "digitalSignature"

/* policyConstraints: requireExplicitPolicy 0 */
static const struct pki_extension demands_policy[] = {
	{"2.5.29.36", {0x30, 0x03, 0x80, 0x01, 0x00}, 5}, {NULL, {0}, 0},
};

static const struct chain_case chain_cases[] = {
	{"plain", {MIDDLE}, {LEAF}, NOW, true, ""},
	{"rsa", {MIDDLE, .key = PKI_RSA2048}, {LEAF, .key = PKI_RSA2048}, NOW, true, ""},
	{"first second", {MIDDLE}, {LEAF, .from = NOW}, NOW, true, ""},
	{"leaf not yet", {MIDDLE}, {LEAF, .from = NOW + 1}, NOW, false, "not yet valid"},
	{"leaf expired", {MIDDLE}, {LEAF, .until = NOW - 1}, NOW, false, "expired"},
	{"middle expired", {MIDDLE, .until = NOW - 1}, {LEAF}, NOW, false, "certificate 1"},
	{"all expired", {MIDDLE}, {LEAF}, 3000000000, false, "expired"},
	{"middle no CA", {.name = "middle", .basic = "CA:FALSE", .usage = SIGN}, {LEAF}, NOW, false,
	    "certificate 1"},
	{"middle no basicConstraints", {.name = "middle", .usage = SIGN}, {LEAF}, NOW, false,
	    "certificate 1"},
	{"middle no keyCertSign", {.name = "middle", .basic = CA, .usage = "digitalSignature"},
	    {LEAF}, NOW, false, ""},
	{"middle no keyUsage", {.name = "middle", .basic = CA}, {LEAF}, NOW, false, "keyCertSign"},
	{"unknown critical in middle", {MIDDLE, .unknown_critical = true}, {LEAF}, NOW, false,
	    "critical"},
	{"unknown critical in leaf", {MIDDLE}, {LEAF, .unknown_critical = true}, NOW, false,
	    "critical"},
	{"middle for time stamps", {MIDDLE, .eku = "critical,timeStamping"}, {LEAF}, NOW, false,
	    "time stamps"},
	{"middle for more", {MIDDLE, .eku = "timeStamping,2.23.133.8.3"}, {LEAF}, NOW, true, ""},
	{"middle that demands a policy", {MIDDLE, .extensions = demands_policy}, {LEAF}, NOW, false,
	    "policy"},
	{"SHA-1 leaf", {MIDDLE}, {LEAF, .sha1 = true}, NOW, false, "weak"},
	{"SHA-1 middle", {MIDDLE, .sha1 = true}, {LEAF}, NOW, false, "weak"},
	{"short leaf key", {MIDDLE}, {LEAF, .key = PKI_RSA1024}, NOW, false, "too weak"},
	{"short middle key", {MIDDLE, .key = PKI_RSA1024}, {LEAF}, NOW, false, "too weak"},
};

START_TEST(x509_chains)
{
	const struct chain_case *t = &chain_cases[_i];
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	struct pki_options mo = t->middle, lo = t->leaf;
	CLEANUP(pki_freep) struct pki *middle = NULL;
	CLEANUP(pki_freep) struct pki *leaf = NULL;
	CLEANUP(cert_freep) struct x509_cert *anchor = pki_cert(root);
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct x509_cert *chain[2];
	bool ok = !t->ok;
	struct err e;

	mo.issuer = root;
	middle = pki_make(&mo);
	lo.issuer = middle;
	leaf = pki_make(&lo);
	chain[0] = pki_cert(leaf);
	chain[1] = pki_cert(middle);
	UNIT_OK(x509_chain_ok(chain, 2, anchor, t->time, &ok, &reason, &e), &e);
	ck_assert_msg(ok == t->ok, "%s: %s", t->what, buf_str(&reason));
	ck_assert_msg(strstr(buf_str(&reason), t->reason) != NULL, "%s: %s", t->what, buf_str(&reason));
	ck_assert_int_eq(reason.len == 0, t->ok);
	x509_free(chain[0]);
	x509_free(chain[1]);
}
END_TEST

static bool
chain_is_ok(struct x509_cert *const *chain, size_t n, const struct x509_cert *anchor)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	bool ok;
	struct err e;

	UNIT_OK(x509_chain_ok(chain, n, anchor, NOW, &ok, &reason, &e), &e);
	return ok;
}

START_TEST(x509_chain_order_and_anchor)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *twin = pki_root("root");
	CLEANUP(pki_freep) struct pki *upper = pki_ca("upper", root);
	CLEANUP(pki_freep) struct pki *lower = pki_ca("lower", upper);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", lower);
	CLEANUP(cert_freep) struct x509_cert *r = pki_cert(root);
	CLEANUP(cert_freep) struct x509_cert *w = pki_cert(twin);
	CLEANUP(cert_freep) struct x509_cert *u = pki_cert(upper);
	CLEANUP(cert_freep) struct x509_cert *l = pki_cert(lower);
	CLEANUP(cert_freep) struct x509_cert *f = pki_cert(leaf);

	ck_assert(chain_is_ok((struct x509_cert *[]){f, l, u}, 3, r));
	ck_assert(chain_is_ok((struct x509_cert *[]){f, l, u}, 3, NULL));
	ck_assert(chain_is_ok((struct x509_cert *[]){f, l, u, r}, 4, r));
	ck_assert(chain_is_ok((struct x509_cert *[]){f, l, u, r}, 4, NULL));
	ck_assert(chain_is_ok((struct x509_cert *[]){f}, 1, l));    /* a pinned intermediate */
	ck_assert(chain_is_ok((struct x509_cert *[]){f, l}, 2, u));
	ck_assert(chain_is_ok((struct x509_cert *[]){f, l, u}, 3, l));
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, l, u}, 3, w));   /* same name, other key */
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, u, l}, 3, r));   /* order */
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, u}, 2, r));      /* a hole */
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, u}, 2, NULL));
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, l, u, u}, 4, r));
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, l, u, w}, 4, NULL)); /* a stranger on top */
	ck_assert(!chain_is_ok((struct x509_cert *[]){l, f}, 2, NULL));
	ck_assert(x509_signed_by(u, r));
	ck_assert(!x509_signed_by(u, w));
	ck_assert(!x509_signed_by(r, u));
}
END_TEST

START_TEST(x509_chain_anchor_purpose)
{
	CLEANUP(pki_freep) struct pki *root = pki_make(&(struct pki_options){.name = "root",
	    .basic = CA, .usage = SIGN, .eku = "timeStamping"});
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", root);
	CLEANUP(cert_freep) struct x509_cert *r = pki_cert(root);
	CLEANUP(cert_freep) struct x509_cert *f = pki_cert(leaf);

	ck_assert(!chain_is_ok((struct x509_cert *[]){f}, 1, r));
}
END_TEST

/* A list of the issuer with one entry, for another certificate, with an extension if asked. */
static void
crl_make(const struct pki *issuer, const struct x509_cert *cert, bool critical, struct buf *ret)
{
	CLEANUP(buf_free) struct buf pem = BUF_INIT;
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, NOW - 60);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;
	EVP_PKEY *pkey;
	BIO *bio;
	unsigned char *der = NULL;
	int n;

	pki_private_pem(issuer, &pem);
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	ASN1_INTEGER_set(serial, 0x123456);
	X509_REVOKED_set_serialNumber(entry, serial);
	X509_REVOKED_set_revocationDate(entry, t);
	ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2);
	ext = X509_EXTENSION_create_by_NID(NULL, NID_netscape_comment, critical, value);
	X509_REVOKED_add_ext(entry, ext, -1);
	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_issuer_name(x509_raw(cert)));
	X509_CRL_set1_lastUpdate(crl, t);
	ASN1_TIME_set(t, NOW + 60);
	X509_CRL_set1_nextUpdate(crl, t);
	X509_CRL_add0_revoked(crl, entry);
	ck_assert_int_gt(X509_CRL_sign(crl, pkey, EVP_sha256()), 0);
	n = i2d_X509_CRL(crl, &der);
	ck_assert_int_gt(n, 0);
	buf_add(ret, der, (size_t)n);
	OPENSSL_free(der);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_TIME_free(t);
	ASN1_INTEGER_free(serial);
	X509_CRL_free(crl);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
}

static enum x509_crl_answer
crl_answer(const struct pki *issuer, const struct x509_cert *cert, bool critical)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT, reason = BUF_INIT;
	CLEANUP(cert_freep) struct x509_cert *ca = pki_cert(issuer);
	enum x509_crl_answer answer = X509_CRL_REVOKED;
	struct x509_crl *crl;
	struct err e;

	crl_make(issuer, cert, critical, &der);
	UNIT_OK(x509_crl_decode(der.data, der.len, &crl, &e), &e);
	UNIT_OK(x509_crl_judge(crl, cert, ca, NOW, &answer, &reason, &e), &e);
	x509_crl_free(crl);
	return answer;
}

/* What is said of others in words we do not know: the list says of nobody that he is good. */
START_TEST(x509_crl_unknown_entry)
{
	CLEANUP(pki_freep) struct pki *root = pki_make(&(struct pki_options){.name = "root",
	    .basic = CA, .usage = "critical,keyCertSign,cRLSign"});
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", root);
	CLEANUP(cert_freep) struct x509_cert *f = pki_cert(leaf);

	ck_assert_int_eq(crl_answer(root, f, false), X509_CRL_CLEAN);
	ck_assert_int_eq(crl_answer(root, f, true), X509_CRL_OTHER);
}
END_TEST

START_TEST(x509_chain_path_length)
{
	CLEANUP(pki_freep) struct pki *root = pki_make(&(struct pki_options){.name = "root",
	    .basic = "critical,CA:TRUE,pathlen:0", .usage = SIGN});
	CLEANUP(pki_freep) struct pki *upper = pki_ca("upper", root);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", upper);
	CLEANUP(pki_freep) struct pki *direct = pki_leaf("direct", root);
	CLEANUP(cert_freep) struct x509_cert *r = pki_cert(root);
	CLEANUP(cert_freep) struct x509_cert *u = pki_cert(upper);
	CLEANUP(cert_freep) struct x509_cert *f = pki_cert(leaf);
	CLEANUP(cert_freep) struct x509_cert *d = pki_cert(direct);

	ck_assert(chain_is_ok((struct x509_cert *[]){d}, 1, r));
	ck_assert(!chain_is_ok((struct x509_cert *[]){f, u}, 2, r));
}
END_TEST

/* No byte of a certificate may change unnoticed. */
START_TEST(x509_chain_every_byte_counts)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", root);
	CLEANUP(cert_freep) struct x509_cert *r = pki_cert(root);
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct err e;

	pki_der(leaf, &der);
	for (size_t i = 0; i < der.len; i++) {
		CLEANUP(cert_freep) struct x509_cert *c = NULL;

		der.data[i] ^= 0x01;
		if (x509_decode(der.data, der.len, &c, &e) == 0)
			ck_assert_msg(!chain_is_ok(&c, 1, r), "byte %zu", i);
		der.data[i] ^= 0x01;
	}
}
END_TEST

UNIT_SUITE(x509)
{
	tcase_add_test(tc, x509_round_trip);
	tcase_add_test(tc, x509_decode_refuses);
	tcase_add_test(tc, x509_subject_is_escaped);
	tcase_add_test(tc, x509_pem_lists);
	tcase_add_test(tc, x509_profiles);
	tcase_add_loop_test(tc, x509_chains, 0, (int)(sizeof chain_cases / sizeof *chain_cases));
	tcase_add_test(tc, x509_chain_order_and_anchor);
	tcase_add_test(tc, x509_chain_path_length);
	tcase_add_test(tc, x509_chain_anchor_purpose);
	tcase_add_test(tc, x509_crl_unknown_entry);
	tcase_add_test(tc, x509_chain_every_byte_counts);
}
