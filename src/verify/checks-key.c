/* The attestation key: who vouches for it, and is it one. */
#include "verify/checks.h"

#include <string.h>
#include "base/printable.h"
#include "evidence/ak-chain.h"

/* Entries that may end an AK's chain, at this time; *ret_index maps back. */
static size_t
checks_key_anchors(const struct check_ctx *x, struct ak_chain_anchor *anchors, size_t *ret_index)
{
	size_t n = 0;

	for (size_t i = 0; x->trust != NULL && i < x->trust->count; i++) {
		const struct trust_entry *t = &x->trust->entries[i];

		if (t->purpose != TRUST_AK || x->time < t->not_before || x->time > t->not_after)
			continue;
		anchors[n].cert = t->cert;
		ret_index[n++] = i;
	}
	return n;
}

static int
checks_key_broken(struct check_ctx *x, const char *reason, struct err *e)
{
	if (x->rq->time_source == NULL || strcmp(x->rq->time_source, "now") == 0) {
		if (verdict_note(x->v, e, "The AK's chain was judged at the present time: evidence of"
		    " when the run was, or --at, may change this.") != 0)
			return -1;
	}
	return checks_fail(x, CHECK_AK_CHAIN, "a chain that is valid in itself", e, "%s", reason);
}

static int
checks_key_judge(struct check_ctx *x, struct ak_chain_anchor *anchors, size_t *index,
    struct err *e)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	size_t n = checks_key_anchors(x, anchors, index), end = 0;
	enum ak_chain_result result;
	struct err why;

	if (ak_chain_judge(x->ak_chain, x->ak_chain_count, anchors, n, x->time, &result, &end,
	    &reason, &why) != 0)
		return checks_error(x, CHECK_AK_CHAIN, "a chain that is valid in itself", &why, e);
	switch (result) {
	case AK_CHAIN_GOOD: /* by one of the anchors, so there are trust entries */
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
		x->facts.ak_grant = x->trust->entries[index[end]].grants;
		x->v->root = printable(x->trust->entries[index[end]].name, e);
		if (x->v->root == NULL)
			return -1;
		return checks_pass(x, CHECK_AK_CHAIN, e);
	case AK_CHAIN_UNPINNED:
		return checks_skip(x, CHECK_AK_CHAIN, "the chain ends at no trust entry", e);
	case AK_CHAIN_BROKEN:
		break;
	}
	return checks_key_broken(x, buf_str(&reason), e);
}

int
checks_key_chain(struct check_ctx *x, struct err *e)
{
	CLEANUP(cleanup_free) struct ak_chain_anchor *anchors = NULL;
	CLEANUP(cleanup_free) size_t *index = NULL;
	size_t count = x->trust != NULL ? x->trust->count : 0;

	if (x->ak_chain_count == 0)
		return checks_skip(x, CHECK_AK_CHAIN, "no chain: nobody vouches for the AK", e);
	anchors = calloc(count + 1, sizeof *anchors);
	index = calloc(count + 1, sizeof *index);
	if (anchors == NULL || index == NULL)
		return err_nomem(e);
	return checks_key_judge(x, anchors, index, e);
}

static int
checks_key_leaf(struct check_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err why;
	bool ok;

	if (x->ak_chain_count == 0)
		return 0;
	if (ak_chain_leaf_ok(&x->ak_chain[0], x->ak.key, &ok, &reason, &why) != 0)
		return checks_error(x, CHECK_AK_KEY, "an AK certificate", &why, e);
	if (!ok)
		return checks_fail(x, CHECK_AK_KEY, "an AK certificate for this key", e, "%s",
		    buf_str(&reason));
	return 0;
}

static int
checks_key_find(struct check_ctx *x, const struct attest *a, bool *ret_found,
    enum ak_hierarchy *ret, struct err *e)
{
	static const enum ak_hierarchy all[] = {AK_ENDORSEMENT, AK_OWNER, AK_PLATFORM, AK_NULL};
	unsigned char name[68];
	size_t len;

	*ret_found = false;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (ak_public_qualified(&x->ak, all[i], name, &len, e) != 0)
			return -1;
		if (len == a->signer_len && hash_equal(name, a->signer, len)) {
			*ret_found = true;
			*ret = all[i];
			return 0;
		}
	}
	return 0;
}

/* A primary key of a lasting hierarchy; any other place needs a chain that vouches. */
static int
checks_key_signer(struct check_ctx *x, const struct checks_quote *q, struct err *e)
{
	static const char wanted[] =
	    "this key as a primary of the endorsement, owner or platform hierarchy";
	enum ak_hierarchy h = AK_NULL;
	bool found;

	if (!q->decoded)
		return 0;
	if (checks_key_find(x, &q->attest, &found, &h, e) != 0)
		return -1;
	if (found && h == AK_NULL)
		return checks_fail(x, CHECK_AK_KEY, wanted, e,
		    "%s: a key of the null hierarchy, gone at the next boot", q->name);
	if (!found && x->v->checks[CHECK_AK_CHAIN].result != VERDICT_PASS)
		return checks_fail(x, CHECK_AK_KEY, wanted, e, "%s: another qualified signer", q->name);
	x->has_hierarchy = found;
	x->hierarchy = h;
	return 0;
}

int
checks_key_ak(struct check_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err why;

	if (ak_public_decode(x->ak_public->data, x->ak_public->len, &x->ak, &why) != 0)
		return checks_error(x, CHECK_AK_KEY, "the TPMT_PUBLIC of an attestation key", &why, e);
	x->has_ak = true;
	if (!ak_public_attributes_ok(&x->ak, &reason))
		return checks_fail(x, CHECK_AK_KEY, "a restricted signing key that never leaves its TPM",
		    e, "%s", buf_str(&reason));
	if (checks_key_leaf(x, e) != 0 || checks_key_signer(x, &x->quote, e) != 0 ||
	    (x->start.raw != NULL && checks_key_signer(x, &x->start, e) != 0))
		return -1;
	if (x->v->checks[CHECK_AK_KEY].result == VERDICT_FAIL)
		return 0;
	if (!x->quote.decoded || (x->start.raw != NULL && !x->start.decoded))
		return checks_skip(x, CHECK_AK_KEY, "the quote that names the signer cannot be read", e);
	return checks_pass(x, CHECK_AK_KEY, e);
}
