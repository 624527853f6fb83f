#include "crypto/x509-crl.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>
#include "crypto/pem.h"
#include "crypto/x509-internal.h"

#define X509_CRL_MAX (32u * 1024 * 1024)

struct x509_crl {
	X509_CRL *x;
};

static void
x509_crl_idp_freep(ISSUING_DIST_POINT **p)
{
	ISSUING_DIST_POINT_free(*p);
}

static void
x509_crl_points_freep(CRL_DIST_POINTS **p)
{
	CRL_DIST_POINTS_free(*p);
}

static int
x509_crl_decode_der(const unsigned char *der, size_t len, struct x509_crl **ret, struct err *e)
{
	const unsigned char *p = der;
	struct x509_crl *crl = calloc(1, sizeof *crl);
	unsigned char *again = NULL;
	int n;

	if (crl == NULL)
		return err_nomem(e);
	crl->x = d2i_X509_CRL(NULL, &p, (long)len);
	n = crl->x != NULL ? i2d_X509_CRL(crl->x, &again) : -1;
	ERR_clear_error();
	if (n < 0 || p != der + len || (size_t)n != len || memcmp(again, der, len) != 0) {
		OPENSSL_free(again);
		x509_crl_free(crl);
		return err_set(e, ERR_FORMAT, "revocation list: not DER of RFC 5280 and nothing else");
	}
	OPENSSL_free(again);
	*ret = crl;
	return 0;
}

static int
x509_crl_decode_pem(const void *text, size_t len, struct x509_crl **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT, more = BUF_INIT;
	char label[PEM_LABEL_SIZE] = "";
	size_t offset = 0;
	bool found;

	if (pem_next(text, len, &offset, label, &der, &found, e) != 0)
		return -1;
	if (!found || strcmp(label, "X509 CRL") != 0)
		return err_set(e, ERR_FORMAT, "revocation list: neither DER nor a PEM block X509 CRL");
	if (pem_next(text, len, &offset, label, &more, &found, e) != 0)
		return -1;
	if (found)
		return err_set(e, ERR_FORMAT, "revocation list: more than one PEM block");
	return x509_crl_decode_der(der.data, der.len, ret, e);
}

int
x509_crl_decode(const void *data, size_t len, struct x509_crl **ret, struct err *e)
{
	if (len == 0 || len > X509_CRL_MAX)
		return err_set(e, ERR_FORMAT, "revocation list: %zu bytes", len);
	return *(const unsigned char *)data == 0x30 ? x509_crl_decode_der(data, len, ret, e) :
	    x509_crl_decode_pem(data, len, ret, e);
}

void
x509_crl_free(struct x509_crl *crl)
{
	if (crl == NULL)
		return;
	X509_CRL_free(crl->x);
	free(crl);
}

static bool
x509_crl_time(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm = {0};

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return true;
}

/* Signed by the issuer, who may sign lists, with SHA-256 or better. */
static const char *
x509_crl_signature_fault(const struct x509_crl *crl, const struct x509_cert *issuer)
{
	EVP_PKEY *pkey = X509_get0_pubkey(x509_raw(issuer));
	int md = NID_undef, key;
	struct x509_profile p;
	struct err e;

	if (x509_profile(issuer, &p, &e) != 0 || !p.has_key_usage || !p.crl_sign)
		return "its issuer may not sign revocation lists";
	if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl->x), &md, &key) != 1 ||
	    (md != NID_sha256 && md != NID_sha384 && md != NID_sha512))
		return "it is not signed with SHA-256, SHA-384 or SHA-512";
	return pkey != NULL && X509_CRL_verify(crl->x, pkey) == 1 ? NULL :
	    "its signature is not its issuer's";
}

/* The critical extensions that are understood are those that narrow the list. */
static const char *
x509_crl_extension_fault(const struct x509_crl *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl->x); i++) {
		X509_EXTENSION *ext = X509_CRL_get_ext(crl->x, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));

		if (X509_EXTENSION_get_critical(ext) && nid != NID_issuing_distribution_point &&
		    nid != NID_delta_crl)
			return "it has a critical extension we do not know";
	}
	return NULL;
}

static bool
x509_crl_same_name(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
	for (int i = 0; a != NULL && b != NULL && i < sk_GENERAL_NAME_num(a); i++) {
		for (int k = 0; k < sk_GENERAL_NAME_num(b); k++) {
			if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i), sk_GENERAL_NAME_value(b, k)) == 0)
				return true;
		}
	}
	return false;
}

/* A list that is one of several parts: is it the part the certificate names? */
static bool
x509_crl_is_part_of(const DIST_POINT_NAME *part, const struct x509_cert *c)
{
	CLEANUP(x509_crl_points_freep) CRL_DIST_POINTS *points =
	    X509_get_ext_d2i(x509_raw(c), NID_crl_distribution_points, NULL, NULL);

	if (part == NULL)
		return true;
	if (part->type != 0)
		return false;
	for (int i = 0; points != NULL && i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);

		if (p->distpoint != NULL && p->distpoint->type == 0 &&
		    x509_crl_same_name(part->name.fullname, p->distpoint->name.fullname))
			return true;
	}
	return false;
}

/* issuingDistributionPoint (RFC 5280 section 5.2.5): NULL without one. */
static ISSUING_DIST_POINT *
x509_crl_idp(const struct x509_crl *crl, const char **ret_fault)
{
	int critical = -1;
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(crl->x, NID_issuing_distribution_point, &critical,
	    NULL);

	*ret_fault = idp == NULL && critical != -1 ? "its issuingDistributionPoint is malformed" :
	    idp != NULL && (idp->indirectCRL > 0 || idp->onlyattr > 0) ?
	    "it is indirect, or for attributes only" : NULL;
	return idp;
}

/* What the list does not speak of: that it does not name a certificate says nothing then. */
static const char *
x509_crl_scope_fault(const struct x509_crl *crl, const struct x509_cert *c)
{
	const char *fault;
	CLEANUP(x509_crl_idp_freep) ISSUING_DIST_POINT *idp = x509_crl_idp(crl, &fault);
	bool ca = (X509_get_extension_flags(x509_raw(c)) & EXFLAG_CA) != 0;

	if (X509_CRL_get_ext_by_NID(crl->x, NID_delta_crl, -1) >= 0)
		return "it is a delta";
	if (idp == NULL)
		return fault;
	if (idp->onlysomereasons != NULL)
		return "it is for some reasons only";
	if ((idp->onlyuser > 0 && ca) || (idp->onlyCA > 0 && !ca))
		return "it is for another kind of certificate";
	return x509_crl_is_part_of(idp->distpoint, c) ? NULL :
	    "it is a part that the certificate does not name";
}

static const char *
x509_crl_fault(const struct x509_crl *crl, const struct x509_cert *issuer)
{
	const char *fault = x509_crl_signature_fault(crl, issuer);
	CLEANUP(x509_crl_idp_freep) ISSUING_DIST_POINT *idp = NULL;

	if (fault == NULL)
		fault = x509_crl_extension_fault(crl);
	if (fault == NULL)
		idp = x509_crl_idp(crl, &fault);
	return fault;
}

/* RFC 5280 section 5.3: with a critical extension of an entry that is not understood (ours
 * are all of indirect lists) a list says of nobody that he is not revoked. */
static bool
x509_crl_entries_known(const struct x509_crl *crl)
{
	const STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(crl->x);

	for (int i = 0; all != NULL && i < sk_X509_REVOKED_num(all); i++) {
		if (X509_REVOKED_get_ext_by_critical(sk_X509_REVOKED_value(all, i), 1, -1) >= 0)
			return false;
	}
	return true;
}

static bool
x509_crl_fresh(const struct x509_crl *crl, int64_t time)
{
	int64_t from, until;

	return x509_crl_time(X509_CRL_get0_lastUpdate(crl->x), &from) &&
	    x509_crl_time(X509_CRL_get0_nextUpdate(crl->x), &until) && from <= time && time <= until;
}

/* *ret_since: when it was revoked, by an entry for it; a date that cannot be read is long ago.
 * An entry that takes a revocation back, of a delta, is none. */
static bool
x509_crl_lists(const struct x509_crl *crl, const struct x509_cert *c, int64_t *ret_since)
{
	X509_REVOKED *entry = NULL;

	if (X509_CRL_get0_by_cert(crl->x, &entry, x509_raw(c)) != 1 || entry == NULL)
		return false;
	if (!x509_crl_time(X509_REVOKED_get0_revocationDate(entry), ret_since))
		*ret_since = INT64_MIN;
	return true;
}

int
x509_crl_judge(const struct x509_crl *crl, const struct x509_cert *c,
    const struct x509_cert *issuer, int64_t time, enum x509_crl_answer *ret, struct buf *reason,
    struct err *e)
{
	bool fresh = x509_crl_fresh(crl, time), listed = false;
	int64_t since = 0;
	const char *fault;

	*ret = X509_CRL_OTHER;
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl->x), X509_get_subject_name(x509_raw(issuer))) != 0 ||
	    X509_NAME_cmp(X509_CRL_get_issuer(crl->x), X509_get_issuer_name(x509_raw(c))) != 0)
		return 0;
	fault = x509_crl_fault(crl, issuer);
	listed = fault == NULL && x509_crl_lists(crl, c, &since);
	if (fault == NULL && !listed)
		fault = x509_crl_scope_fault(crl, c);
	ERR_clear_error();
	if (fault != NULL) {
		buf_addf(reason, "a revocation list does not count: %s", fault);
	} else if (listed && (fresh || since <= time)) {
		*ret = X509_CRL_REVOKED;
		buf_adds(reason, "revoked by its issuer");
	} else if (!x509_crl_entries_known(crl)) {
		buf_adds(reason, "a revocation list does not count: an entry has a critical extension we"
		    " do not know");
	} else if (fresh) {
		*ret = X509_CRL_CLEAN;
	} else {
		*ret = X509_CRL_STALE;
		buf_adds(reason, listed ? "a revocation list of a later time has it" :
		    "a revocation list is not of this time");
	}
	return buf_check(reason, e);
}
