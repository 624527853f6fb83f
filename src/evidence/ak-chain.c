#include "evidence/ak-chain.h"

struct ak_chain_certs {
	struct x509_cert *certs[AK_CHAIN_MAX];
	size_t n;
};

static void
ak_chain_certs_free(struct ak_chain_certs *c)
{
	while (c->n > 0)
		x509_free(c->certs[--c->n]);
}

static void
ak_chain_certp(struct x509_cert **c)
{
	x509_free(*c);
}

/* Bytes that are no certificate are an answer; what kept us from looking is an error. */
static bool
ak_chain_is_answer(const struct err *found)
{
	return found->code == ERR_FORMAT || found->code == ERR_UNSUPPORTED;
}

/* *ret_ok false: reason says which one is no certificate. */
static int
ak_chain_decode(const struct buf *chain, size_t n, struct ak_chain_certs *ret, bool *ret_ok,
    struct buf *reason, struct err *e)
{
	struct err found;

	*ret_ok = true;
	for (size_t i = 0; i < n; i++) {
		if (x509_decode(chain[i].data, chain[i].len, &ret->certs[i], &found) == 0) {
			ret->n++;
			continue;
		}
		if (!ak_chain_is_answer(&found)) {
			*e = found;
			return -1;
		}
		buf_addf(reason, "certificate %zu of the chain: %s", i, found.msg);
		*ret_ok = false;
		return 0;
	}
	return 0;
}

/*
 * An anchor that did sign the last certificate and still does not make a good
 * path (expired, path length) makes the chain broken: it ends there, wrongly.
 */
static int
ak_chain_try_anchor(const struct ak_chain_certs *c, const struct x509_cert *anchor, int64_t time,
    enum ak_chain_result *ret, struct buf *reason, struct err *e)
{
	CLEANUP(buf_free) struct buf why = BUF_INIT;
	bool ok;

	if (x509_chain_ok(c->certs, c->n, anchor, time, &ok, &why, e) != 0)
		return -1;
	if (ok) {
		*ret = AK_CHAIN_GOOD;
	} else if (x509_signed_by(c->certs[c->n - 1], anchor)) {
		*ret = AK_CHAIN_BROKEN;
		buf_reset(reason);
		buf_addf(reason, "at its pinned root: %s", buf_str(&why));
	} else {
		*ret = AK_CHAIN_UNPINNED;
	}
	return buf_check(reason, e);
}

static int
ak_chain_find_anchor(const struct ak_chain_certs *c, const struct ak_chain_anchor *anchors,
    size_t anchor_count, int64_t time, enum ak_chain_result *ret, size_t *ret_anchor,
    struct buf *reason, struct err *e)
{
	enum ak_chain_result worst = AK_CHAIN_UNPINNED;

	for (size_t i = 0; i < anchor_count; i++) {
		enum ak_chain_result found;

		if (ak_chain_try_anchor(c, anchors[i].cert, time, &found, reason, e) != 0)
			return -1;
		if (found == AK_CHAIN_GOOD) {
			buf_reset(reason);
			*ret_anchor = i;
			*ret = found;
			return 0;
		}
		if (found == AK_CHAIN_BROKEN)
			worst = found;
	}
	if (worst == AK_CHAIN_UNPINNED)
		buf_adds(reason, "the chain ends at no pinned root");
	*ret = worst;
	return buf_check(reason, e);
}

int
ak_chain_judge(const struct buf *chain, size_t n, const struct ak_chain_anchor *anchors,
    size_t anchor_count, int64_t time, enum ak_chain_result *ret, size_t *ret_anchor,
    struct buf *reason, struct err *e)
{
	CLEANUP(ak_chain_certs_free) struct ak_chain_certs certs = {0};
	bool ok;

	if (n == 0 || n > AK_CHAIN_MAX) {
		buf_adds(reason, n == 0 ? "no certificate chain" : "too many certificates");
		*ret = n == 0 ? AK_CHAIN_UNPINNED : AK_CHAIN_BROKEN;
		return buf_check(reason, e);
	}
	if (ak_chain_decode(chain, n, &certs, &ok, reason, e) != 0 ||
	    (ok && x509_chain_ok(certs.certs, n, NULL, time, &ok, reason, e) != 0))
		return -1;
	if (!ok) {
		*ret = AK_CHAIN_BROKEN;
		return buf_check(reason, e);
	}
	return ak_chain_find_anchor(&certs, anchors, anchor_count, time, ret, ret_anchor, reason, e);
}

/* extendedKeyUsage decides nothing: real AKs lack it or carry the EK's. */
static const char *
ak_chain_profile_fault(const struct x509_profile *p)
{
	if (p->ca)
		return "the leaf is a CA";
	if (!p->has_key_usage)
		return "the leaf has no keyUsage";
	if (!p->digital_signature)
		return p->key_encipherment || p->key_agreement ?
		    "the leaf is for encryption: an endorsement key" :
		    "the leaf's keyUsage lacks digitalSignature";
	if (p->unknown_critical)
		return "the leaf has a critical extension we do not know";
	return NULL;
}

static int
ak_chain_leaf_fault(const struct buf *leaf, const struct key *ak, const char **ret_fault,
    struct err *e)
{
	CLEANUP(ak_chain_certp) struct x509_cert *cert = NULL;
	CLEANUP(key_freep) struct key *key = NULL;
	struct x509_profile p;

	if (x509_decode(leaf->data, leaf->len, &cert, e) != 0 || x509_profile(cert, &p, e) != 0 ||
	    x509_key(cert, &key, e) != 0)
		return -1;
	*ret_fault = ak_chain_profile_fault(&p);
	if (*ret_fault == NULL && !key_equal(key, ak))
		*ret_fault = "the leaf certifies another key than the attestation key";
	return 0;
}

int
ak_chain_leaf_ok(const struct buf *leaf, const struct key *ak, bool *ret_ok, struct buf *reason,
    struct err *e)
{
	const char *fault;
	struct err found;

	if (ak_chain_leaf_fault(leaf, ak, &fault, &found) != 0) {
		if (!ak_chain_is_answer(&found)) {
			*e = found;
			return -1;
		}
		fault = found.msg;
	}
	*ret_ok = fault == NULL;
	if (fault != NULL)
		buf_adds(reason, fault);
	return buf_check(reason, e);
}
