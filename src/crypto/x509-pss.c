/*
 * RSASSA-PSS in certificates (RFC 4055 section 3): libcrypto verifies with
 * whatever parameters the certificate states, so what they are is checked here.
 */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "crypto/x509-internal.h"

#define X509_PSS_TRAILER 1 /* trailerFieldBC */

static void
x509_pss_params_freep(RSA_PSS_PARAMS **p)
{
	RSA_PSS_PARAMS_free(*p);
}

static void
x509_pss_algor_freep(X509_ALGOR **a)
{
	X509_ALGOR_free(*a);
}

static int
x509_pss_nid(enum hash_alg alg)
{
	switch (alg) {
	case HASH_SHA1:
	case HASH_SM3:
		return NID_undef;
	case HASH_SHA256:
		return NID_sha256;
	case HASH_SHA384:
		return NID_sha384;
	case HASH_SHA512:
		return NID_sha512;
	}
	return NID_undef;
}

/* NULL: another algorithm, or parameters that cannot be read. */
static RSA_PSS_PARAMS *
x509_pss_params(const X509 *x)
{
	const X509_ALGOR *algor = NULL;
	const ASN1_OBJECT *oid = NULL;
	const void *value = NULL;
	int type = V_ASN1_UNDEF;

	X509_get0_signature(NULL, &algor, x);
	X509_ALGOR_get0(&oid, &type, &value, algor);
	if (OBJ_obj2nid(oid) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
		return NULL;
	return ASN1_item_unpack(value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
}

/* A member that is absent has the default of RFC 4055: SHA-1, never what is wanted. */
static bool
x509_pss_is(const X509_ALGOR *algor, int nid)
{
	const ASN1_OBJECT *oid = NULL;

	if (algor == NULL)
		return false;
	X509_ALGOR_get0(&oid, NULL, NULL, algor);
	return OBJ_obj2nid(oid) == nid;
}

static bool
x509_pss_mask_is(const X509_ALGOR *mask, int nid)
{
	CLEANUP(x509_pss_algor_freep) X509_ALGOR *hash = NULL;
	const void *value = NULL;
	int type = V_ASN1_UNDEF;

	if (!x509_pss_is(mask, NID_mgf1))
		return false;
	X509_ALGOR_get0(NULL, &type, &value, mask);
	if (type != V_ASN1_SEQUENCE)
		return false;
	hash = ASN1_item_unpack(value, ASN1_ITEM_rptr(X509_ALGOR));
	return x509_pss_is(hash, nid);
}

int
x509_pss(const struct x509_cert *c, enum hash_alg alg, struct err *e)
{
	CLEANUP(x509_pss_params_freep) RSA_PSS_PARAMS *p = x509_pss_params(x509_raw(c));
	int nid = x509_pss_nid(alg);
	bool ok = p != NULL && nid != NID_undef && x509_pss_is(p->hashAlgorithm, nid) &&
	    x509_pss_mask_is(p->maskGenAlgorithm, nid) && p->saltLength != NULL &&
	    ASN1_INTEGER_get(p->saltLength) == (long)hash_size(alg) &&
	    (p->trailerField == NULL || ASN1_INTEGER_get(p->trailerField) == X509_PSS_TRAILER);

	ERR_clear_error();
	if (ok)
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "certificate: not signed with RSASSA-PSS, %s, MGF1 of it"
	    " and a salt of %zu bytes", hash_name(alg), hash_size(alg));
}
