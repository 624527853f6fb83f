/* The certificate chain of an AK: profile of FACTS 3 and path validation. */
#ifndef EVIDENCE_AK_CHAIN_H
#define EVIDENCE_AK_CHAIN_H

#include "crypto/x509.h"

#define AK_CHAIN_MAX 8

enum ak_chain_result { AK_CHAIN_BROKEN, AK_CHAIN_UNPINNED, AK_CHAIN_GOOD };

struct ak_chain_anchor {
	const struct x509_cert *cert;
};

/* chain: DER, leaf first, without the root. Broken at `time`: reason says why.
 * Good: *ret_anchor is the index of the anchor it ends at. */
int ak_chain_judge(const struct buf *chain, size_t n, const struct ak_chain_anchor *anchors,
    size_t anchor_count, int64_t time, enum ak_chain_result *ret, size_t *ret_anchor,
    struct buf *reason, struct err *e) MUST_CHECK;
/* Leaf profile: digitalSignature, no CA, not an EK, key equals. */
int ak_chain_leaf_ok(const struct buf *leaf, const struct key *ak, bool *ret_ok,
    struct buf *reason, struct err *e) MUST_CHECK;

#endif
