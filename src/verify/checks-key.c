/* The attestation key: who vouches for it, and is it one. */
#include "verify/checks.h"

#include <string.h>
#include "base/printable.h"
#include "base/timestamp.h"
#include "evidence/ak-revoked.h"

/* What trust entries give an AK's chain at this time; index maps anchors back to entries. */
struct checks_key_pool {
	const struct x509_cert **anchors, **helpers;
	size_t *index;
	size_t anchor_count, helper_count;
};

static void
checks_key_pool_free(struct checks_key_pool *p)
{
	free(p->anchors);
	free(p->helpers);
	free(p->index);
}

static int
checks_key_pool_fill(const struct trust *trust, int64_t time, struct checks_key_pool *p,
    struct err *e)
{
	size_t count = trust != NULL ? trust->count : 0;

	p->anchors = calloc(count + 1, sizeof *p->anchors);
	p->helpers = calloc(count + 1, sizeof *p->helpers);
	p->index = calloc(count + 1, sizeof *p->index);
	if (p->anchors == NULL || p->helpers == NULL || p->index == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < count; i++) {
		const struct trust_entry *t = &trust->entries[i];

		if (time < t->not_before || time > t->not_after)
			continue;
		if (t->purpose == TRUST_INTERMEDIATE)
			p->helpers[p->helper_count++] = t->cert;
		if (t->purpose != TRUST_AK)
			continue;
		p->anchors[p->anchor_count] = t->cert;
		p->index[p->anchor_count++] = i;
	}
	return 0;
}

static int
checks_key_broken(struct check_ctx *x, const char *reason, struct err *e)
{
	if (strcmp(x->v->time_source, "now") == 0) {
		if (verdict_note(x->v, e, "The AK's chain was judged at the present time: a time stamp"
		    " (--time-stamp) or --at may change this.") != 0)
			return -1;
	}
	return checks_fail(x, CHECK_AK_CHAIN, "a chain that is valid in itself", e, "%s", reason);
}

/* What ak_chain_judge() answered, of which a memo keeps the whole. */
struct checks_key_chain {
	enum ak_chain_result result;
	struct ak_chain_path path;
	size_t entry;               /* AK_CHAIN_GOOD: of the trust entries */
	int64_t not_before;         /* AK_CHAIN_GOOD: of the AK's certificate */
	struct buf reason;
};

static void
checks_key_chain_free(struct checks_key_chain *k)
{
	ak_chain_path_free(&k->path);
	buf_free(&k->reason);
	free(k);
}

static void
checks_key_chain_freep(struct checks_key_chain **k)
{
	if (*k != NULL)
		checks_key_chain_free(*k);
}

static void
checks_key_chain_drop(void *value)
{
	checks_key_chain_free(value);
}

/* An entry may vouch only for AKs certified from a day on. */
static int
checks_key_good(struct check_ctx *x, const struct checks_key_chain *k, struct err *e)
{
	const struct trust_entry *t = &x->trust->entries[k->entry];
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	char from[TIMESTAMP_SIZE];

	if (!trust_leaf_ok(t, k->path.certs[0], &reason))
		return checks_fail(x, CHECK_AK_CHAIN, "an AK certificate as the trust entry asks for", e,
		    "%s", buf_str(&reason));
	x->facts.ak_grant = t->grants;
	x->ak_certified = k->not_before;
	free(x->v->root);
	x->v->root = printable(t->name, e);
	if (x->v->root == NULL)
		return -1;
	if (k->not_before < t->ak_not_before) {
		x->facts.ak_grant = LEVEL_NONE;
		if (timestamp_format(from, t->ak_not_before, e) != 0 ||
		    verdict_note(x->v, e, "The AK was certified before %s: trust entry %s grants such"
		    " keys no level.", from, t->name) != 0)
			return -1;
	}
	return checks_pass(x, CHECK_AK_CHAIN, e);
}

static int
checks_key_ask(const struct check_ctx *x, struct checks_key_chain *k, struct err *e)
{
	CLEANUP(checks_key_pool_free) struct checks_key_pool pool = {0};
	struct ak_chain_request rq = {.chain = x->ak_chain, .n = x->ak_chain_count, .time = x->time};
	struct x509_profile leaf;

	if (checks_key_pool_fill(x->trust, x->time, &pool, e) != 0)
		return -1;
	rq.anchors = pool.anchors;
	rq.anchor_count = pool.anchor_count;
	rq.helpers = pool.helpers;
	rq.helper_count = pool.helper_count;
	if (ak_chain_judge(&rq, &k->result, &k->path, &k->reason, e) != 0)
		return -1;
	if (k->result != AK_CHAIN_GOOD)
		return 0;
	if (x509_profile(k->path.certs[0], &leaf, e) != 0)
		return -1;
	k->entry = pool.index[k->path.anchor_index];
	k->not_before = leaf.not_before;
	return 0;
}

/* Everything the answer depends on: certificates, time, trust entries. */
static int
checks_key_question(const struct check_ctx *x, unsigned char ret[HASH_SHA256_SIZE], struct err *e)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	buf_addf(&b, "chain %lld %p %zu %zu\n", (long long)x->time, (const void *)x->trust,
	    x->trust != NULL ? x->trust->count : 0, x->ak_chain_count);
	if (x->trust != NULL)
		buf_add(&b, x->trust->digest.b, OID_SIZE);
	for (size_t i = 0; i < x->ak_chain_count; i++) {
		buf_addf(&b, "%zu\n", x->ak_chain[i].len);
		buf_add(&b, x->ak_chain[i].data, x->ak_chain[i].len);
	}
	return buf_check(&b, e) != 0 ? -1 : hash_once(HASH_SHA256, b.data, b.len, ret, e);
}

static int
checks_key_chain_load(struct check_ctx *x, struct err *e)
{
	CLEANUP(checks_key_chain_freep) struct checks_key_chain *k = NULL;
	unsigned char key[HASH_SHA256_SIZE];
	struct checks_key_chain *given;

	if (checks_key_question(x, key, e) != 0)
		return -1;
	x->chain_item = memo_get(x->memo, key);
	if (x->chain_item != NULL)
		return 0;
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return err_nomem(e);
	if (checks_key_ask(x, k, e) != 0)
		return -1;
	given = k;
	k = NULL;
	return memo_put(x->memo, key, given, checks_key_chain_drop, &x->chain_item, e);
}

int
checks_key_chain(struct check_ctx *x, struct err *e)
{
	const struct checks_key_chain *k;
	struct err why;

	if (x->ak_chain_count == 0)
		return checks_skip(x, CHECK_AK_CHAIN, "no chain: nobody vouches for the AK", e);
	if (checks_key_chain_load(x, &why) != 0)
		return checks_error(x, CHECK_AK_CHAIN, "a chain that is valid in itself", &why, e);
	k = x->chain_item->value;
	x->ak_path = &k->path;
	switch (k->result) {
	case AK_CHAIN_GOOD: /* by one of the anchors, so there are trust entries */
		return checks_key_good(x, k, e);
	case AK_CHAIN_UNPINNED:
		return checks_skip(x, CHECK_AK_CHAIN, "the chain ends at no trust entry", e);
	case AK_CHAIN_BROKEN:
		break;
	}
	return checks_key_broken(x, buf_str(&k->reason), e);
}

/* What nobody vouches for, nobody revokes.  A list that cannot be read is no list: it was
 * given to be counted, so that the check fails. */
int
checks_revocation(struct check_ctx *x, struct err *e)
{
	static const char wanted[] = "no certificate of the AK's chain revoked";
	CLEANUP(buf_free) struct buf notes = BUF_INIT;
	enum ak_revoked_result result;
	struct err why;

	if (x->rq->crl_count == 0)
		return checks_skip(x, CHECK_REVOCATION, "no revocation lists were given", e);
	if (x->ak_path == NULL || x->ak_path->n == 0)
		return checks_skip(x, CHECK_REVOCATION, "no chain that could be revoked", e);
	if (ak_revoked(x->ak_path, x->rq->crls, x->rq->crl_count, x->time, &result, &notes,
	    &why) != 0)
		return checks_error(x, CHECK_REVOCATION, wanted, &why, e);
	switch (result) {
	case AK_REVOKED_SOME:
		return checks_fail(x, CHECK_REVOCATION, wanted, e, "%s", buf_str(&notes));
	case AK_REVOKED_NONE:
		return checks_pass(x, CHECK_REVOCATION, e);
	case AK_REVOKED_UNKNOWN:
		break;
	}
	return checks_skip(x, CHECK_REVOCATION, buf_str(&notes), e);
}

/* Is the chain's first certificate one for this key?  The answer, kept. */
struct checks_key_leaf {
	bool ok;
	struct buf reason;
};

static void
checks_key_leaf_drop(void *value)
{
	struct checks_key_leaf *l = value;

	buf_free(&l->reason);
	free(l);
}

static int
checks_key_leaf_load(struct check_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	unsigned char key[HASH_SHA256_SIZE];
	struct checks_key_leaf *l;

	buf_addf(&b, "leaf %zu\n", x->ak_public->len);
	buf_add(&b, x->ak_public->data, x->ak_public->len);
	buf_add(&b, x->ak_chain[0].data, x->ak_chain[0].len);
	if (buf_check(&b, e) != 0 || hash_once(HASH_SHA256, b.data, b.len, key, e) != 0)
		return -1;
	x->leaf_item = memo_get(x->memo, key);
	if (x->leaf_item != NULL)
		return 0;
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return err_nomem(e);
	if (ak_chain_leaf_ok(&x->ak_chain[0], x->ak->key, &l->ok, &l->reason, e) != 0) {
		checks_key_leaf_drop(l);
		return -1;
	}
	return memo_put(x->memo, key, l, checks_key_leaf_drop, &x->leaf_item, e);
}

static int
checks_key_leaf(struct check_ctx *x, struct err *e)
{
	const struct checks_key_leaf *l;
	struct err why;

	if (x->ak_chain_count == 0)
		return 0;
	if (checks_key_leaf_load(x, &why) != 0)
		return checks_error(x, CHECK_AK_KEY, "an AK certificate", &why, e);
	l = x->leaf_item->value;
	if (!l->ok)
		return checks_fail(x, CHECK_AK_KEY, "an AK certificate for this key", e, "%s",
		    buf_str(&l->reason));
	return 0;
}

static void
checks_key_public_drop(void *value)
{
	ak_public_free(value);
	free(value);
}

/* The key itself; what cannot be read is no item. */
static int
checks_key_public_load(struct check_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	unsigned char key[HASH_SHA256_SIZE];
	struct ak_public *ak;

	buf_adds(&b, "key\n");
	buf_add(&b, x->ak_public->data, x->ak_public->len);
	if (buf_check(&b, e) != 0 || hash_once(HASH_SHA256, b.data, b.len, key, e) != 0)
		return -1;
	x->ak_item = memo_get(x->memo, key);
	if (x->ak_item != NULL)
		return 0;
	ak = calloc(1, sizeof *ak);
	if (ak == NULL)
		return err_nomem(e);
	if (ak_public_decode(x->ak_public->data, x->ak_public->len, ak, e) != 0) {
		free(ak);
		return -1;
	}
	return memo_put(x->memo, key, ak, checks_key_public_drop, &x->ak_item, e);
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
		if (ak_public_qualified(x->ak, all[i], name, &len, e) != 0)
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

	if (checks_key_public_load(x, &why) != 0)
		return checks_error(x, CHECK_AK_KEY, "the TPMT_PUBLIC of an attestation key", &why, e);
	x->ak = x->ak_item->value;
	if (!ak_public_attributes_ok(x->ak, &reason))
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
