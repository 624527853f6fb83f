#include "crypto/time-stamp.h"

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <time.h>
#include "crypto/x509-internal.h"

#define TIME_STAMP_LEVEL 2          /* 112 bits, as for other chains */

static void
time_stamp_token_freep(PKCS7 **p)
{
	PKCS7_free(*p);
}

static void
time_stamp_response_freep(TS_RESP **r)
{
	TS_RESP_free(*r);
}

static void
time_stamp_info_freep(TS_TST_INFO **i)
{
	TS_TST_INFO_free(*i);
}

static void
time_stamp_ctx_freep(TS_VERIFY_CTX **c)
{
	TS_VERIFY_CTX_free(*c);
}

/* The token inside an answer that grants it; NULL: none. */
static PKCS7 *
time_stamp_granted(const unsigned char *der, size_t len, struct buf *reason)
{
	CLEANUP(time_stamp_response_freep) TS_RESP *r = NULL;
	const unsigned char *p = der;
	long status;

	r = d2i_TS_RESP(NULL, &p, (long)len);
	if (r == NULL || p != der + len)
		return NULL;
	status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(r)));
	if ((status != TS_STATUS_GRANTED && status != TS_STATUS_GRANTED_WITH_MODS) ||
	    TS_RESP_get_token(r) == NULL) {
		buf_addf(reason, "an answer that grants no time stamp (status %ld)", status);
		return NULL;
	}
	return PKCS7_dup(TS_RESP_get_token(r));
}

static PKCS7 *
time_stamp_read(const struct time_stamp_request *rq, struct buf *reason)
{
	const unsigned char *der = rq->data, *p = der;
	PKCS7 *token = time_stamp_granted(der, rq->len, reason);

	if (token != NULL || reason->len > 0)
		return token;
	token = d2i_PKCS7(NULL, &p, (long)rq->len);
	if (token != NULL && p == der + rq->len)
		return token;
	PKCS7_free(token);
	buf_adds(reason, "not a time stamp of RFC 3161 in DER");
	return NULL;
}

static bool
time_stamp_hash_ok(const X509_ALGOR *a)
{
	int nid = a != NULL ? OBJ_obj2nid(a->algorithm) : NID_undef;

	return nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

/* One signer, with a hash of ours, over the digest that was asked about. */
static bool
time_stamp_content_ok(PKCS7 *token, TS_TST_INFO *info, const unsigned char *imprint,
    struct buf *reason)
{
	STACK_OF(PKCS7_SIGNER_INFO) *signers = PKCS7_get_signer_info(token);
	TS_MSG_IMPRINT *m = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OCTET_STRING *digest = TS_MSG_IMPRINT_get_msg(m);

	if (sk_PKCS7_SIGNER_INFO_num(signers) != 1 ||
	    !time_stamp_hash_ok(sk_PKCS7_SIGNER_INFO_value(signers, 0)->digest_alg)) {
		buf_adds(reason, "not signed once with SHA-256, SHA-384 or SHA-512");
		return false;
	}
	if (OBJ_obj2nid(TS_MSG_IMPRINT_get_algo(m)->algorithm) != NID_sha256) {
		buf_adds(reason, "not of a SHA-256 digest");
		return false;
	}
	if (ASN1_STRING_length(digest) != HASH_SHA256_SIZE ||
	    !hash_equal(ASN1_STRING_get0_data(digest), imprint, HASH_SHA256_SIZE)) {
		buf_adds(reason, "of something else");
		return false;
	}
	return true;
}

static int
time_stamp_time(const TS_TST_INFO *info, int64_t *ret)
{
	struct tm tm = {0};

	if (ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
		return -1;
	*ret = timegm(&tm);
	return 0;
}

/* Signature, signing certificate and its path to this one anchor, at the time stated. */
static int
time_stamp_by(PKCS7 *token, const struct time_stamp_request *rq, const struct x509_cert *anchor,
    int64_t time, bool *ret_ok, struct err *e)
{
	CLEANUP(time_stamp_ctx_freep) TS_VERIFY_CTX *ctx = TS_VERIFY_CTX_new();
	unsigned char *imprint = OPENSSL_memdup(rq->imprint, sizeof rq->imprint);
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param;

	if (ctx != NULL) { /* takes both over */
		(void)TS_VERIFY_CTX_set_imprint(ctx, imprint, sizeof rq->imprint);
		(void)TS_VERIFY_CTX_set_store(ctx, store);
	} else {
		OPENSSL_free(imprint);
		X509_STORE_free(store);
	}
	if (ctx == NULL || imprint == NULL || store == NULL ||
	    X509_STORE_add_cert(store, x509_raw(anchor)) != 1)
		return err_nomem(e);
	param = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(param, (time_t)time);
	X509_VERIFY_PARAM_set_auth_level(param, TIME_STAMP_LEVEL);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CHECK_SS_SIGNATURE);
	TS_VERIFY_CTX_set_flags(ctx, TS_VFY_VERSION | TS_VFY_SIGNATURE | TS_VFY_IMPRINT);
	*ret_ok = TS_RESP_verify_token(ctx, token) == 1;
	ERR_clear_error();
	return 0;
}

static int
time_stamp_find(PKCS7 *token, const struct time_stamp_request *rq, int64_t time, bool *ret_ok,
    size_t *ret_anchor, struct err *e)
{
	*ret_ok = false;
	for (size_t i = 0; !*ret_ok && i < rq->anchor_count; i++) {
		if (time_stamp_by(token, rq, rq->anchors[i], time, ret_ok, e) != 0)
			return -1;
		*ret_anchor = i;
	}
	return 0;
}

int
time_stamp_judge(const struct time_stamp_request *rq, bool *ret_ok, int64_t *ret_time,
    size_t *ret_anchor, struct buf *reason, struct err *e)
{
	CLEANUP(time_stamp_token_freep) PKCS7 *token = NULL;
	CLEANUP(time_stamp_info_freep) TS_TST_INFO *info = NULL;
	size_t anchor = 0;
	int64_t time = 0;

	*ret_ok = false;
	if (rq->len > TIME_STAMP_BYTES_MAX) {
		buf_adds(reason, "too large for a time stamp");
		return buf_check(reason, e);
	}
	token = time_stamp_read(rq, reason);
	if (token != NULL && PKCS7_type_is_signed(token))
		info = PKCS7_to_TS_TST_INFO(token);
	ERR_clear_error();
	if (token != NULL && (info == NULL || time_stamp_time(info, &time) != 0))
		buf_adds(reason, "a signed message that is no time stamp");
	else if (token != NULL && time_stamp_content_ok(token, info, rq->imprint, reason) &&
	    time_stamp_find(token, rq, time, ret_ok, &anchor, e) != 0)
		return -1;
	if (!*ret_ok && reason->len == 0)
		buf_adds(reason, "not signed by an authority that a trust entry vouches for, or not for"
		    " that purpose or at that time");
	if (buf_check(reason, e) != 0 || !*ret_ok)
		return buf_check(reason, e);
	*ret_time = time;
	*ret_anchor = anchor;
	return 0;
}
