/*
 * Path validation (RFC 5280 section 6) by libcrypto, narrowed: one anchor, no
 * default paths, a stated time, and the path built must be the chain given, in
 * its order.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <time.h>
#include "crypto/x509-internal.h"

/* 112 bits: no SHA-1 signatures, no RSA below 2048. */
#define X509_CHAIN_LEVEL 2
#define X509_CHAIN_MAX 16

static void
x509_chain_store_freep(X509_STORE **s)
{
	X509_STORE_free(*s);
}

static void
x509_chain_ctx_freep(X509_STORE_CTX **c)
{
	X509_STORE_CTX_free(*c);
}

/* The certificates stay the caller's. */
static void
x509_chain_stack_freep(STACK_OF(X509) **s)
{
	sk_X509_free(*s);
}

static void
x509_chain_explain(X509_STORE_CTX *ctx, struct buf *reason)
{
	buf_addf(reason, "certificate %d of the chain: %s", X509_STORE_CTX_get_error_depth(ctx),
	    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
}

/* libcrypto lets a CA without keyUsage pass; RFC 5280 section 4.2.1.3 does not. */
static bool
x509_chain_may_issue(const struct x509_cert *c, size_t i, struct buf *reason)
{
	struct x509_profile p;
	struct err e;

	if (x509_profile(c, &p, &e) != 0) {
		buf_addf(reason, "certificate %zu of the chain: %s", i, e.msg);
		return false;
	}
	if (p.ca && p.key_cert_sign && !p.eku_other)
		return true;
	buf_addf(reason, "certificate %zu of the chain: %s", i, !p.ca ? "not a CA" :
	    !p.key_cert_sign ? "keyUsage without keyCertSign" :
	    "a CA for servers, code, mail or time stamps alone");
	return false;
}

/*
 * A root of time stamps that was pinned by mistake is none of attestation keys, and what
 * does not say that it is a CA signs nothing but itself, though libcrypto lets it.  Without
 * keyUsage a pinned root is taken: whoever pinned it said what it is for.
 */
static bool
x509_chain_anchor_ok(const struct x509_cert *c, size_t i, bool itself, struct buf *reason)
{
	struct x509_profile p;
	const char *fault = NULL;
	struct err e;

	if (x509_profile(c, &p, &e) != 0)
		fault = e.msg;
	else if (p.eku_other)
		fault = "a root for servers, code, mail or time stamps alone";
	else if (!itself && !p.ca)
		fault = "a root whose basicConstraints do not say that it is a CA";
	else if (!itself && p.has_key_usage && !p.key_cert_sign)
		fault = "a root whose keyUsage lacks keyCertSign";
	if (fault != NULL)
		buf_addf(reason, "certificate %zu of the chain: %s", i, fault);
	return fault == NULL;
}

/* SHA-256 or better, stated by the signature itself (also RSASSA-PSS); what has its
 * hash inside (EdDSA) is not among the algorithms we name. */
static bool
x509_chain_signature_ok(const struct x509_cert *c, size_t i, struct buf *reason)
{
	int md = NID_undef;

	if (X509_get_signature_info(x509_raw(c), &md, NULL, NULL, NULL) == 1 &&
	    (md == NID_sha256 || md == NID_sha384 || md == NID_sha512))
		return true;
	buf_addf(reason, "certificate %zu of the chain: signed with %s, not SHA-256, SHA-384 or"
	    " SHA-512", i, md != NID_undef ? OBJ_nid2sn(md) : "an unknown hash");
	return false;
}

/* RSA or an elliptic curve; of an RSA key libcrypto's level looks at its length alone. */
static bool
x509_chain_key_ok(const struct x509_cert *c, size_t i, struct buf *reason)
{
	EVP_PKEY *pkey = X509_get0_pubkey(x509_raw(c));
	BIGNUM *e = NULL;
	bool ok = true;

	if (pkey != NULL && !EVP_PKEY_is_a(pkey, "RSA") && !EVP_PKEY_is_a(pkey, "RSA-PSS") &&
	    !EVP_PKEY_is_a(pkey, "EC")) {
		buf_addf(reason, "certificate %zu of the chain: a key that is neither RSA nor of an elliptic"
		    " curve", i);
		return false;
	}
	if (pkey != NULL && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
		ok = BN_is_odd(e) && BN_num_bits(e) <= 32 && BN_get_word(e) >= 65537;
	BN_free(e);
	if (!ok)
		buf_addf(reason, "certificate %zu of the chain: an RSA exponent that is not odd and"
		    " from 65537 to 2^32", i);
	return ok;
}

/* What was built must be chain[0..], up to the trusted one; nothing left over unless
 * that one is itself in the chain. */
static bool
x509_chain_in_order(X509_STORE_CTX *ctx, struct x509_cert *const *chain, size_t n,
    const struct x509_cert *anchor)
{
	STACK_OF(X509) *built = X509_STORE_CTX_get0_chain(ctx);
	int count = sk_X509_num(built);

	if (count <= 0 || (size_t)count > n + 1 || (anchor == NULL && (size_t)count != n))
		return false;
	for (int i = 0; i < count; i++) {
		const X509 *wanted = (size_t)i < n ? x509_raw(chain[i]) : x509_raw(anchor);

		if (X509_cmp(sk_X509_value(built, i), wanted) != 0)
			return false;
	}
	return anchor == NULL || X509_cmp(sk_X509_value(built, count - 1), x509_raw(anchor)) == 0;
}

/* The certificates above the leaf, borrowed. */
static STACK_OF(X509) *
x509_chain_above(struct x509_cert *const *chain, size_t n)
{
	STACK_OF(X509) *above = sk_X509_new_reserve(NULL, X509_CHAIN_MAX);

	for (size_t i = 1; above != NULL && i < n && i < X509_CHAIN_MAX; i++)
		sk_X509_push(above, x509_raw(chain[i]));
	return above;
}

/* notAfter is a certificate's last second, not the first without it (RFC 5280 section
 * 4.1.2.5); libcrypto counts one less. */
static int
x509_chain_last_second(int ok, X509_STORE_CTX *ctx)
{
	const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	const X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	struct tm tm = {0};

	if (ok == 1 || x == NULL || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_CERT_HAS_EXPIRED ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1 ||
	    timegm(&tm) != X509_VERIFY_PARAM_get_time(param))
		return ok;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static int
x509_chain_setup(X509_STORE_CTX *ctx, X509_STORE *store, const struct x509_cert *leaf,
    STACK_OF(X509) *above, int64_t time)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, store, x509_raw(leaf), above) != 1)
		return -1;
	X509_STORE_CTX_set_verify_cb(ctx, x509_chain_last_second);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)time);
	X509_VERIFY_PARAM_set_auth_level(param, X509_CHAIN_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, X509_CHAIN_MAX);
	/* an anchor is trusted because it is pinned, self-signed or not; any policy will do, but
	 * what a CA demands of policies holds (RFC 5280 section 6.1.5) */
	return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
	    X509_V_FLAG_CHECK_SS_SIGNATURE | X509_V_FLAG_POLICY_CHECK) == 1 ? 0 : -1;
}

int
x509_chain_ok(struct x509_cert *const *chain, size_t n, const struct x509_cert *anchor,
    int64_t time, bool *ret_ok, struct buf *reason, struct err *e)
{
	CLEANUP(x509_chain_store_freep) X509_STORE *store = X509_STORE_new();
	CLEANUP(x509_chain_stack_freep) STACK_OF(X509) *above = x509_chain_above(chain, n);
	CLEANUP(x509_chain_ctx_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok;

	if (n == 0 || n > X509_CHAIN_MAX)
		return err_set(e, ERR_USAGE, "a chain of %zu certificates", n);
	if (store == NULL || above == NULL || ctx == NULL ||
	    X509_STORE_add_cert(store, x509_raw(anchor != NULL ? anchor : chain[n - 1])) != 1 ||
	    x509_chain_setup(ctx, store, chain[0], above, time) != 0)
		return err_nomem(e);
	ok = X509_verify_cert(ctx) == 1;
	if (!ok) {
		x509_chain_explain(ctx, reason);
	} else if (!x509_chain_in_order(ctx, chain, n, anchor)) {
		buf_adds(reason, "the certificates do not form one chain in their order");
		ok = false;
	}
	for (size_t i = 0; ok && i < n; i++)
		ok = x509_chain_signature_ok(chain[i], i, reason) &&
		    x509_chain_key_ok(chain[i], i, reason) &&
		    (i == 0 || x509_chain_may_issue(chain[i], i, reason));
	if (ok && anchor != NULL)
		ok = x509_chain_key_ok(anchor, n, reason) &&
		    x509_chain_anchor_ok(anchor, n, x509_equal(anchor, chain[0]), reason);
	ERR_clear_error();
	*ret_ok = ok;
	return buf_check(reason, e);
}
