#include "evidence/ak-chain.h"

static void
ak_chain_certp(struct x509_cert **c)
{
	x509_free(*c);
}

void
ak_chain_path_free(struct ak_chain_path *path)
{
	while (path->n > 0)
		x509_free(path->certs[--path->n]);
	*path = (struct ak_chain_path){0};
}

/* Bytes that are no certificate are an answer; what kept us from looking is an error. */
static bool
ak_chain_is_answer(const struct err *found)
{
	return found->code == ERR_FORMAT || found->code == ERR_UNSUPPORTED;
}

static bool
ak_chain_repeats(const struct ak_chain_path *path, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (x509_equal(path->certs[k], path->certs[i]))
			return true;
	}
	return false;
}

/* *ret_ok false: reason says which one is no certificate, or stands there again. */
static int
ak_chain_decode(const struct ak_chain_request *rq, struct ak_chain_path *path, bool *ret_ok,
    struct buf *reason, struct err *e)
{
	struct err found;

	*ret_ok = true;
	for (size_t i = 0; i < rq->n; i++) {
		if (x509_decode(rq->chain[i].data, rq->chain[i].len, &path->certs[i], &found) == 0) {
			path->n++;
			if (!ak_chain_repeats(path, i))
				continue;
			buf_addf(reason, "certificate %zu of the chain is there twice", i);
			*ret_ok = false;
			return 0;
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

/* A pinned root that the chain repeats at its end, or has another issue of: the same name and
 * key, in a certificate that nobody pinned. */
static void
ak_chain_drop_root(const struct ak_chain_request *rq, struct ak_chain_path *path)
{
	const struct x509_cert *last;

	if (path->n < 2)
		return;
	last = path->certs[path->n - 1];
	if (!x509_signed_by(last, last))
		return;
	for (size_t i = 0; i < rq->anchor_count; i++) {
		if (x509_signed_by(last, rq->anchors[i]) &&
		    x509_signed_by(path->certs[path->n - 2], rq->anchors[i])) {
			x509_free(path->certs[--path->n]);
			return;
		}
	}
}

static bool
ak_chain_anchored(const struct ak_chain_request *rq, const struct x509_cert *last)
{
	for (size_t i = 0; i < rq->anchor_count; i++) {
		if (x509_signed_by(last, rq->anchors[i]))
			return true;
	}
	return false;
}

static const struct x509_cert *
ak_chain_helper(const struct ak_chain_request *rq, const struct ak_chain_path *path)
{
	for (size_t i = 0; i < rq->helper_count; i++) {
		bool known = false;

		for (size_t k = 0; k < path->n; k++)
			known |= x509_equal(path->certs[k], rq->helpers[i]);
		if (!known && x509_signed_by(path->certs[path->n - 1], rq->helpers[i]))
			return rq->helpers[i];
	}
	return NULL;
}

/* Intermediates the chain left out. */
static int
ak_chain_extend(const struct ak_chain_request *rq, struct ak_chain_path *path, struct err *e)
{
	const struct x509_cert *next;

	while (path->n < AK_CHAIN_MAX && !ak_chain_anchored(rq, path->certs[path->n - 1]) &&
	    (next = ak_chain_helper(rq, path)) != NULL) {
		CLEANUP(buf_free) struct buf der = BUF_INIT;

		if (x509_der(next, &der, e) != 0 ||
		    x509_decode(der.data, der.len, &path->certs[path->n], e) != 0)
			return -1;
		path->n++;
	}
	return 0;
}

/*
 * An anchor that did sign the last certificate and still does not make a good
 * path (expired, path length) makes the chain broken: it ends there, wrongly.
 */
static int
ak_chain_try_anchor(const struct ak_chain_path *path, const struct x509_cert *anchor, int64_t time,
    enum ak_chain_result *ret, struct buf *reason, struct err *e)
{
	CLEANUP(buf_free) struct buf why = BUF_INIT;
	bool ok;

	if (x509_chain_ok(path->certs, path->n, anchor, time, &ok, &why, e) != 0)
		return -1;
	if (ok) {
		*ret = AK_CHAIN_GOOD;
	} else if (x509_signed_by(path->certs[path->n - 1], anchor)) {
		*ret = AK_CHAIN_BROKEN;
		buf_reset(reason);
		buf_addf(reason, "at its pinned root: %s", buf_str(&why));
	} else {
		*ret = AK_CHAIN_UNPINNED;
	}
	return buf_check(reason, e);
}

static int
ak_chain_find_anchor(const struct ak_chain_request *rq, struct ak_chain_path *path,
    enum ak_chain_result *ret, struct buf *reason, struct err *e)
{
	enum ak_chain_result worst = AK_CHAIN_UNPINNED;

	for (size_t i = 0; i < rq->anchor_count; i++) {
		enum ak_chain_result found;

		if (ak_chain_try_anchor(path, rq->anchors[i], rq->time, &found, reason, e) != 0)
			return -1;
		if (found == AK_CHAIN_GOOD) {
			buf_reset(reason);
			path->anchor = rq->anchors[i];
			path->anchor_index = i;
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
ak_chain_judge(const struct ak_chain_request *rq, enum ak_chain_result *ret,
    struct ak_chain_path *path, struct buf *reason, struct err *e)
{
	bool ok;

	*path = (struct ak_chain_path){0};
	if (rq->n == 0 || rq->n > AK_CHAIN_MAX) {
		buf_adds(reason, rq->n == 0 ? "no certificate chain" : "too many certificates");
		*ret = rq->n == 0 ? AK_CHAIN_UNPINNED : AK_CHAIN_BROKEN;
		return buf_check(reason, e);
	}
	if (ak_chain_decode(rq, path, &ok, reason, e) != 0)
		return -1;
	if (ok) {
		ak_chain_drop_root(rq, path);
		if (ak_chain_extend(rq, path, e) != 0 ||
		    x509_chain_ok(path->certs, path->n, NULL, rq->time, &ok, reason, e) != 0)
			return -1;
	}
	if (!ok) {
		*ret = AK_CHAIN_BROKEN;
		return buf_check(reason, e);
	}
	return ak_chain_find_anchor(rq, path, ret, reason, e);
}

/*
 * An extendedKeyUsage is not asked for: real AKs lack it, or carry the EK's.
 * An EK is told by what its key is for: encryption, never signing alone.
 */
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
	if (p->eku_ek && (p->key_encipherment || p->key_agreement))
		return "the leaf is an endorsement key: for encryption, by keyUsage and by purpose";
	if (p->key_cert_sign)
		return "the leaf may sign certificates";
	if (p->eku_foreign || p->eku_other)
		return "the leaf is a certificate for servers, code, mail or time stamps";
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
	    x509_key(cert, &key, e) != 0 || key_check(key, e) != 0)
		return -1;
	*ret_fault = ak_chain_profile_fault(&p);
	if (*ret_fault == NULL && ak != NULL && !key_equal(key, ak))
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
