/*
 * The certificate chain of an AK.
 *
 * The chain is leaf first, each certificate issued by the next.  The pinned
 * root need not be in it; where it stands last it is taken for what it is and
 * not counted twice.  A root is never taken from a chain.
 */
#ifndef EVIDENCE_AK_CHAIN_H
#define EVIDENCE_AK_CHAIN_H

#include "crypto/x509.h"

#define AK_CHAIN_MAX 8

enum ak_chain_result { AK_CHAIN_BROKEN, AK_CHAIN_UNPINNED, AK_CHAIN_GOOD };

struct ak_chain_request {
	const struct buf *chain;                    /* DER, leaf first */
	size_t n;
	const struct x509_cert *const *anchors;     /* pinned: a chain may end here */
	size_t anchor_count;
	const struct x509_cert *const *helpers;     /* intermediates that carry no trust: where the
	                                             * chain stops short, the next may be one of them */
	size_t helper_count;
	int64_t time;
};

/* The path that was judged, without the anchor; owned. */
struct ak_chain_path {
	struct x509_cert *certs[AK_CHAIN_MAX];
	size_t n;
	const struct x509_cert *anchor;             /* AK_CHAIN_GOOD: one of the request's; else NULL */
	size_t anchor_index;
};

/* *ret AK_CHAIN_BROKEN: not valid in itself at this time, or at its pinned root; reason
 * says why.  AK_CHAIN_UNPINNED: ends at no anchor.  *path is filled in any case; the
 * caller frees it. */
int ak_chain_judge(const struct ak_chain_request *rq, enum ak_chain_result *ret,
    struct ak_chain_path *path, struct buf *reason, struct err *e) MUST_CHECK;
void ak_chain_path_free(struct ak_chain_path *path);

/* Leaf profile: a key RSA >= 2048, P-256 or P-384; keyUsage with digitalSignature; no CA;
 * no endorsement key; no certificate for another trade; no critical extension unknown to us.
 * ak NULL: no key to compare with. */
int ak_chain_leaf_ok(const struct buf *leaf, const struct key *ak, bool *ret_ok,
    struct buf *reason, struct err *e) MUST_CHECK;

#endif
