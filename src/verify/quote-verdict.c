#include "verify/quote-verdict.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "evidence/ak-revoked.h"
#include "evidence/event-log.h"
#include "verify/verdict-internal.h"

static const enum verdict_check quote_verdict_checks[] = {
	CHECK_AK_CHAIN, CHECK_AK_KEY, CHECK_QUOTE_STRUCTURE, CHECK_QUOTE_SIGNATURE,
	CHECK_QUOTE_BINDING, CHECK_QUOTE_PCRS, CHECK_BOOT_LOG,
};

struct quote_verdict_ctx {
	const struct quote_verdict_request *rq;
	struct verdict *v;
	struct key *key;                /* NULL: none that could be read */
	struct buf chain[AK_CHAIN_MAX]; /* DER, leaf first */
	size_t chain_len;
	struct attest attest;
	bool decoded;
	struct tpm_signature_found signature;
	struct pcr_values pcrs;
	bool has_pcrs;                  /* given and well formed */
};

static void
quote_verdict_ctx_free(struct quote_verdict_ctx *x)
{
	key_free(x->key);
	for (size_t i = 0; i < AK_CHAIN_MAX; i++)
		buf_free(&x->chain[i]);
}

static int
quote_verdict_fail(struct quote_verdict_ctx *x, enum verdict_check c, const char *expected,
    const char *found, struct err *e)
{
	return verdict_set(x->v, c, VERDICT_FAIL, expected, found, e);
}

static int
quote_verdict_pass(struct quote_verdict_ctx *x, enum verdict_check c, struct err *e)
{
	return verdict_set(x->v, c, VERDICT_PASS, NULL, NULL, e);
}

static int
quote_verdict_skip(struct quote_verdict_ctx *x, enum verdict_check c, const char *why,
    struct err *e)
{
	return verdict_set(x->v, c, VERDICT_SKIP, NULL, why, e);
}

/* Out of memory is passed on, anything else is what the check found. */
static int
quote_verdict_error(struct quote_verdict_ctx *x, enum verdict_check c, const char *expected,
    const struct err *found, struct err *e)
{
	if (found->code == ERR_NOMEM || found->code == ERR_INTERNAL) {
		*e = *found;
		return -1;
	}
	return quote_verdict_fail(x, c, expected, found->msg, e);
}

/* The verdict of a function that says yes or no with a reason. */
static int
quote_verdict_answer(struct quote_verdict_ctx *x, enum verdict_check c, const char *expected,
    bool ok, const struct buf *reason, struct err *e)
{
	return ok ? quote_verdict_pass(x, c, e) :
	    quote_verdict_fail(x, c, expected, buf_str(reason), e);
}

/* --- the key --- */

static int
quote_verdict_load_key(struct quote_verdict_ctx *x, struct err *e)
{
	static const char wanted[] = "a public key in PEM: RSA of 2048 bits or more, P-256 or P-384";
	const struct buf *pem = x->rq->key_pem;
	struct err why;

	if (quote_verdict_skip(x, CHECK_AK_CHAIN,
	    "no chain: nobody vouches for the key, and the origin of the quote is not proven", e) != 0)
		return -1;
	if (key_from_pem(pem->data, pem->len, &x->key, &why) != 0 || key_check(x->key, &why) != 0) {
		key_free(x->key);
		x->key = NULL;
		return quote_verdict_error(x, CHECK_AK_KEY, wanted, &why, e);
	}
	return quote_verdict_pass(x, CHECK_AK_KEY, e);
}

static int
quote_verdict_load_chain(struct quote_verdict_ctx *x, struct err *e)
{
	static const char wanted[] = "certificates in PEM, leaf first";
	const struct buf *pem = x->rq->chain_pem;
	struct x509_cert *certs[AK_CHAIN_MAX];
	struct err why;
	size_t n = 0;
	int rc = 0;

	if (x509_decode_pem(pem->data, pem->len, AK_CHAIN_MAX, certs, &n, &why) != 0)
		return quote_verdict_error(x, CHECK_AK_CHAIN, wanted, &why, e);
	for (size_t i = 0; i < n; i++) {
		if (rc == 0)
			rc = x509_der(certs[i], &x->chain[i], e);
		if (rc == 0)
			x->chain_len++;
	}
	if (rc == 0 && (x509_key(certs[0], &x->key, &why) != 0 || key_check(x->key, &why) != 0)) {
		key_free(x->key);
		x->key = NULL;
		rc = quote_verdict_error(x, CHECK_AK_KEY, "a key we can judge by", &why, e);
	}
	while (n > 0)
		x509_free(certs[--n]);
	return rc;
}

/* --- the chain --- */

/* Anchors and helpers: of the request, else of the trust entries. */
struct quote_verdict_pool {
	const struct x509_cert **anchors, **helpers;
	const struct trust_entry **entries;     /* of the anchors; NULL for a --root */
	size_t anchor_count, helper_count;
};

static void
quote_verdict_pool_free(struct quote_verdict_pool *p)
{
	free(p->anchors);
	free(p->helpers);
	free(p->entries);
}

static void
quote_verdict_pool_trust(const struct quote_verdict_request *rq, struct quote_verdict_pool *p)
{
	for (size_t i = 0; rq->trust != NULL && i < rq->trust->count; i++) {
		const struct trust_entry *t = &rq->trust->entries[i];

		if (rq->time < t->not_before || rq->time > t->not_after)
			continue;
		if (t->purpose == TRUST_INTERMEDIATE)
			p->helpers[p->helper_count++] = t->cert;
		if (t->purpose != TRUST_AK)
			continue;
		p->entries[p->anchor_count] = t;
		p->anchors[p->anchor_count++] = t->cert;
	}
}

static int
quote_verdict_pool_fill(const struct quote_verdict_request *rq, struct quote_verdict_pool *p,
    struct err *e)
{
	size_t room = rq->root_count + rq->fetched_count + 1 +
	    (rq->trust != NULL ? rq->trust->count : 0);

	p->anchors = calloc(room, sizeof *p->anchors);
	p->helpers = calloc(room, sizeof *p->helpers);
	p->entries = calloc(room, sizeof *p->entries);
	if (p->anchors == NULL || p->helpers == NULL || p->entries == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < rq->fetched_count; i++)
		p->helpers[p->helper_count++] = rq->fetched[i];
	for (size_t i = 0; i < rq->root_count; i++)
		p->anchors[p->anchor_count++] = rq->roots[i];
	if (rq->root_count == 0)
		quote_verdict_pool_trust(rq, p);
	return 0;
}

/* Which root, and what its entry thinks of the key's age. */
static int
quote_verdict_anchored(struct quote_verdict_ctx *x, const struct ak_chain_path *path,
    const struct trust_entry *t, struct err *e)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT;
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct x509_profile leaf, root;
	char from[TIMESTAMP_SIZE];

	if (t != NULL && !trust_leaf_ok(t, path->certs[0], &reason))
		return quote_verdict_fail(x, CHECK_AK_CHAIN, "an AK certificate as the trust entry asks for",
		    buf_str(&reason), e);
	if (x509_profile(path->anchor, &root, e) != 0 || (!root.has_key_usage && verdict_note(x->v, e,
	    "The root has no keyUsage: nothing in it says that it signs certificates.") != 0))
		return -1;
	if (x509_subject(path->anchor, &name, e) != 0 ||
	    verdict_note(x->v, e, "The chain ends at %s%s: %s.", t != NULL ? "trust entry " :
	    "the root given", t != NULL ? t->name : "", buf_str(&name)) != 0)
		return -1;
	if (t != NULL && t->ak_not_before != 0) {
		if (x509_profile(path->certs[0], &leaf, e) != 0 ||
		    timestamp_format(from, t->ak_not_before, e) != 0)
			return -1;
		if (leaf.not_before < t->ak_not_before && verdict_note(x->v, e, "The AK was certified"
		    " before %s: that trust entry grants such keys no level.", from) != 0)
			return -1;
	}
	return quote_verdict_pass(x, CHECK_AK_CHAIN, e);
}

static int
quote_verdict_broken(struct quote_verdict_ctx *x, const struct buf *reason, struct err *e)
{
	if (strcmp(x->rq->time_source, "now") == 0 && verdict_note(x->v, e, "The chain was judged at"
	    " the present time: --at may change this.") != 0)
		return -1;
	return quote_verdict_fail(x, CHECK_AK_CHAIN, "a chain that is valid at this time and ends at a"
	    " pinned root", buf_str(reason), e);
}

/* Lists that are given can take the chain away; they are never asked for. */
static int
quote_verdict_revoked(struct quote_verdict_ctx *x, const struct ak_chain_path *path, struct err *e)
{
	static const char wanted[] = "no certificate of the chain revoked";
	CLEANUP(buf_free) struct buf notes = BUF_INIT;
	enum ak_revoked_result result;
	struct err why;

	if (x->rq->crl_count == 0)
		return 0;
	if (ak_revoked(path, x->rq->crls, x->rq->crl_count, x->rq->time, &result, &notes, &why) != 0)
		return quote_verdict_error(x, CHECK_AK_CHAIN, wanted, &why, e);
	switch (result) {
	case AK_REVOKED_SOME:
		return quote_verdict_fail(x, CHECK_AK_CHAIN, wanted, buf_str(&notes), e);
	case AK_REVOKED_NONE:
		return verdict_note(x->v, e, "No certificate of the chain is revoked, by lists of this"
		    " time.");
	case AK_REVOKED_UNKNOWN:
		break;
	}
	return verdict_note(x->v, e, "Not shown to be unrevoked: %s.", buf_str(&notes));
}

static int
quote_verdict_chain(struct quote_verdict_ctx *x, struct err *e)
{
	CLEANUP(quote_verdict_pool_free) struct quote_verdict_pool pool = {0};
	CLEANUP(ak_chain_path_free) struct ak_chain_path path = {0};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct ak_chain_request rq = {.chain = x->chain, .n = x->chain_len, .time = x->rq->time};
	enum ak_chain_result result;

	if (x->chain_len == 0)
		return 0; /* said already */
	if (quote_verdict_pool_fill(x->rq, &pool, e) != 0)
		return -1;
	rq.anchors = pool.anchors;
	rq.anchor_count = pool.anchor_count;
	rq.helpers = pool.helpers;
	rq.helper_count = pool.helper_count;
	if (ak_chain_judge(&rq, &result, &path, &reason, e) != 0)
		return -1;
	if (result != AK_CHAIN_GOOD)
		return quote_verdict_broken(x, &reason, e);
	return quote_verdict_anchored(x, &path, pool.entries[path.anchor_index], e) != 0 ||
	    quote_verdict_revoked(x, &path, e) != 0 ? -1 : 0;
}

static int
quote_verdict_leaf(struct quote_verdict_ctx *x, struct err *e)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	bool ok;

	if (x->chain_len == 0)
		return quote_verdict_fail(x, CHECK_AK_KEY, "a certificate for the key",
		    "none that could be read", e);
	if (ak_chain_leaf_ok(&x->chain[0], x->key, &ok, &reason, e) != 0)
		return -1;
	return quote_verdict_answer(x, CHECK_AK_KEY, "a certificate for an attestation key", ok,
	    &reason, e);
}

/* --- the quote --- */

static int
quote_verdict_signature(struct quote_verdict_ctx *x, struct err *e)
{
	static const char wanted[] = "a signature of the key over the quote, SHA-256 or better";
	CLEANUP(buf_free) struct buf reason = BUF_INIT;

	if (x->key == NULL)
		return quote_verdict_skip(x, CHECK_QUOTE_SIGNATURE, "no key to judge by", e);
	if (tpm_signature_judge(&x->rq->format, x->key, x->rq->attest, x->rq->signature,
	    &x->signature, &reason, e) != 0)
		return -1;
	return quote_verdict_answer(x, CHECK_QUOTE_SIGNATURE, wanted, x->signature.ok, &reason, e);
}

static int
quote_verdict_structure(struct quote_verdict_ctx *x, struct err *e)
{
	static const char wanted[] = "the TPMS_ATTEST of a quote, with what is required of it";
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err why;
	bool ok;

	if (attest_decode(x->rq->attest->data, x->rq->attest->len, &x->attest, &why) != 0)
		return quote_verdict_error(x, CHECK_QUOTE_STRUCTURE, wanted, &why, e);
	x->decoded = true;
	if (quote_any_structure(&x->attest, x->rq->require,
	    x->signature.hash_known ? &x->signature.hash : NULL, &ok, &reason, e) != 0)
		return -1;
	return quote_verdict_answer(x, CHECK_QUOTE_STRUCTURE, wanted, ok, &reason, e);
}

static int
quote_verdict_binding(struct quote_verdict_ctx *x, struct err *e)
{
	const struct buf *nonce = x->rq->nonce;
	char found[2 * sizeof x->attest.extra + 1];
	CLEANUP(cleanup_free) char *wanted = NULL;

	if (x->rq->any_nonce)
		return quote_verdict_skip(x, CHECK_QUOTE_BINDING,
		    "any nonce was allowed: nothing says that the quote is fresh", e);
	if (nonce == NULL)
		return verdict_missing(x->v, CHECK_QUOTE_BINDING, "the nonce: neither --nonce nor"
		    " --any-nonce was given", e);
	if (!x->decoded)
		return quote_verdict_skip(x, CHECK_QUOTE_BINDING, "the quote cannot be read", e);
	if (nonce->len == x->attest.extra_len &&
	    hash_equal(nonce->data, x->attest.extra, nonce->len))
		return quote_verdict_pass(x, CHECK_QUOTE_BINDING, e);
	hex_encode(found, x->attest.extra, x->attest.extra_len);
	wanted = malloc(2 * nonce->len + 1);
	if (wanted == NULL)
		return err_nomem(e);
	hex_encode(wanted, nonce->data, nonce->len);
	return quote_verdict_fail(x, CHECK_QUOTE_BINDING, wanted,
	    x->attest.extra_len > 0 ? found : "no extraData at all", e);
}

/* Values beside the quote are just numbers: said, so that nobody reads them as proven. */
static int
quote_verdict_note_uncovered(struct quote_verdict_ctx *x, struct err *e)
{
	for (enum hash_alg bank = HASH_SHA1; bank <= HASH_SHA512; bank++) {
		for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
			if (pcr_values_get(&x->pcrs, bank, pcr) == NULL ||
			    attest_selects(&x->attest, bank, pcr))
				continue;
			return verdict_note(x->v, e, "The PCR values given include some that the quote does"
			    " not cover (%s:%u first): they are not proven.", hash_name(bank), pcr);
		}
	}
	return 0;
}

static int
quote_verdict_note_unknown(struct quote_verdict_ctx *x, struct err *e)
{
	return x->pcrs.unknown[0] == '\0' ? 0 : verdict_note(x->v, e, "The PCR values given have a bank"
	    " that is not known and was passed over: %s.", x->pcrs.unknown);
}

static int
quote_verdict_pcrs(struct quote_verdict_ctx *x, struct err *e)
{
	static const char wanted[] = "the values that were quoted";
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err why;
	bool ok;

	if (x->rq->pcrs == NULL)
		return quote_verdict_skip(x, CHECK_QUOTE_PCRS, "no PCR values were given", e);
	if (pcr_values_decode(x->rq->pcrs->data, x->rq->pcrs->len, &x->pcrs, &why) != 0)
		return quote_verdict_error(x, CHECK_QUOTE_PCRS, wanted, &why, e);
	x->has_pcrs = true;
	if (quote_verdict_note_unknown(x, e) != 0)
		return -1;
	if (!x->decoded || !x->signature.hash_known)
		return quote_verdict_skip(x, CHECK_QUOTE_PCRS, x->decoded ?
		    "the signature's hash is not known" : "the quote cannot be read", e);
	if (quote_verdict_note_uncovered(x, e) != 0)
		return -1;
	if (quote_any_pcrs(&x->attest, &x->pcrs, x->signature.hash, &ok, &reason, e) != 0)
		return -1;
	return quote_verdict_answer(x, CHECK_QUOTE_PCRS, wanted, ok, &reason, e);
}

/* --- the boot log --- */

/* PCRs of the boot whose value is given, in one bank. */
static uint32_t
quote_verdict_given(const struct quote_verdict_ctx *x, enum hash_alg bank)
{
	return x->pcrs.given[bank] & EVENT_LOG_PCRS_BOOT;
}

static bool
quote_verdict_covered(const struct quote_verdict_ctx *x, enum hash_alg bank)
{
	for (unsigned pcr = 0; x->decoded && pcr < ATTEST_PCRS; pcr++) {
		if ((quote_verdict_given(x, bank) >> pcr & 1) != 0 &&
		    attest_selects(&x->attest, bank, pcr))
			return true;
	}
	return false;
}

/*
 * The given values of the boot's PCRs against the log, which has the bank: all
 * other PCRs are taken as the log gives them, since nothing is known of them.
 */
static int
quote_verdict_log_bank(struct quote_verdict_ctx *x, const struct event_log *log,
    enum hash_alg bank, bool *ret_ok, struct buf *reason, struct err *e)
{
	unsigned char values[EVENT_LOG_PCRS * HASH_SIZE_MAX];
	uint32_t given = quote_verdict_given(x, bank);
	struct event_log_pcrs replayed;
	size_t size = hash_size(bank), i = 0;

	if (!event_log_bank(log, bank, &i))
		return err_set(e, ERR_INTERNAL, "the log has no %s bank", hash_name(bank));
	if (event_log_replay(log, i, &replayed, e) != 0)
		return -1;
	for (unsigned pcr = 0; pcr < EVENT_LOG_PCRS; pcr++)
		memcpy(values + pcr * size, (given >> pcr & 1) != 0 ?
		    x->pcrs.value[bank][pcr] : replayed.value[pcr], size);
	return event_log_compare(log, bank, values, UINT32_MAX, ret_ok, reason, e);
}

static int
quote_verdict_list(uint32_t pcrs, struct buf *ret, struct err *e)
{
	for (unsigned pcr = 0; pcr < EVENT_LOG_PCRS; pcr++)
		if ((pcrs >> pcr & 1) != 0)
			buf_addf(ret, "%s%u", ret->len > 0 ? ", " : "", pcr);
	return buf_check(ret, e);
}

/* Boot PCRs of the bank without a value that the quote covers: their events prove nothing. */
static int
quote_verdict_note_unquoted(struct quote_verdict_ctx *x, enum hash_alg bank, struct err *e)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT;
	uint32_t unquoted = 0;

	for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++)
		if (pcr_values_get(&x->pcrs, bank, pcr) == NULL || !attest_selects(&x->attest, bank, pcr))
			unquoted |= 1u << pcr;
	unquoted &= EVENT_LOG_PCRS_BOOT;
	if (unquoted == 0)
		return 0;
	if (quote_verdict_list(unquoted, &list, e) != 0)
		return -1;
	return verdict_note(x->v, e, "The boot log's events of PCR %s are not proven: the quote does"
	    " not cover a given value of them in the %s bank.", buf_str(&list), hash_name(bank));
}

/* What the log says of other PCRs is not looked at. */
static int
quote_verdict_note_others(struct quote_verdict_ctx *x, const struct event_log *log, struct err *e)
{
	CLEANUP(buf_free) struct buf list = BUF_INIT;
	uint32_t others = 0;

	for (size_t k = 0; k < log->count; k++)
		if (log->events[k].type != EVENT_LOG_NO_ACTION)
			others |= 1u << log->events[k].pcr;
	others &= ~EVENT_LOG_PCRS_BOOT;
	if (others == 0)
		return 0;
	if (quote_verdict_list(others, &list, e) != 0)
		return -1;
	return verdict_note(x->v, e, "The boot log's events of PCR %s were not compared: only those of"
	    " PCR 0-9 and 11-13 are.", buf_str(&list));
}

/* No bank in common: is it the log that lacks it, or the values? */
static int
quote_verdict_log_no_bank(struct quote_verdict_ctx *x, bool covered, struct err *e)
{
	if (covered)
		return quote_verdict_fail(x, CHECK_BOOT_LOG, "a log of a bank that is quoted",
		    "the log has no bank of those whose values are quoted, SHA-1 apart", e);
	return verdict_missing(x->v, CHECK_BOOT_LOG, "values of PCR 0-9 or 11-13 that the quote covers"
	    " in a bank other than SHA-1", e);
}

/* In every bank the log has that has a covered value, SHA-1 apart; one at least. */
static int
quote_verdict_log_compare(struct quote_verdict_ctx *x, const struct event_log *log, struct err *e)
{
	bool covered = false, compared = false;
	size_t i;

	for (enum hash_alg bank = HASH_SHA256; bank <= HASH_SHA512; bank++) {
		CLEANUP(buf_free) struct buf reason = BUF_INIT;
		bool ok;

		if (!quote_verdict_covered(x, bank))
			continue;
		covered = true;
		if (!event_log_bank(log, bank, &i)) {
			if (verdict_note(x->v, e, "The boot log says nothing of the %s bank.",
			    hash_name(bank)) != 0)
				return -1;
			continue;
		}
		compared = true;
		if (quote_verdict_log_bank(x, log, bank, &ok, &reason, e) != 0 ||
		    quote_verdict_note_unquoted(x, bank, e) != 0)
			return -1;
		if (!ok)
			return quote_verdict_fail(x, CHECK_BOOT_LOG, "the given values of PCR 0-9 and"
			    " 11-13", buf_str(&reason), e);
	}
	if (compared && (quote_verdict_note_others(x, log, e) != 0 ||
	    verdict_note_altered(x->v, log, e) != 0))
		return -1;
	return compared ? quote_verdict_pass(x, CHECK_BOOT_LOG, e) :
	    quote_verdict_log_no_bank(x, covered, e);
}

static int
quote_verdict_log(struct quote_verdict_ctx *x, struct err *e)
{
	static const char wanted[] = "a TCG boot log";
	CLEANUP(event_log_free) struct event_log log = {0};
	const struct buf *bytes = x->rq->event_log;
	struct err why;

	if (bytes == NULL)
		return quote_verdict_skip(x, CHECK_BOOT_LOG, "no boot log was given", e);
	if (event_log_decode(bytes->data, bytes->len, &log, &why) != 0)
		return quote_verdict_error(x, CHECK_BOOT_LOG, wanted, &why, e);
	if (log.format == EVENT_LOG_SHA1)
		return quote_verdict_fail(x, CHECK_BOOT_LOG, wanted,
		    "a log of the SHA-1 bank alone, which proves nothing", e);
	if (log.trailing > 0 && !log.padding && verdict_note(x->v, e, "The boot log has %zu bytes after"
	    " its end marker: they are not part of it.", log.trailing) != 0)
		return -1;
	if (!x->has_pcrs)
		return verdict_missing(x->v, CHECK_BOOT_LOG, "PCR values to compare with (--pcrs)", e);
	return quote_verdict_log_compare(x, &log, e);
}

/* Fail if a check failed, undecided if something needed was missing, else pass. */
static void
quote_verdict_conclude(struct verdict *v)
{
	v->answer = ANSWER_PASS;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (!v->asked[c])
			continue;
		if (v->checks[c].result == VERDICT_FAIL)
			v->answer = ANSWER_FAIL;
		else if (v->checks[c].missing && v->answer == ANSWER_PASS)
			v->answer = ANSWER_UNDECIDED;
	}
	/* whatever else: without a good signature there is no quote to speak of */
	if (v->answer == ANSWER_PASS && (v->checks[CHECK_QUOTE_SIGNATURE].result != VERDICT_PASS ||
	    v->checks[CHECK_QUOTE_STRUCTURE].result != VERDICT_PASS))
		v->answer = ANSWER_UNDECIDED;
}

static int
quote_verdict_judge(struct quote_verdict_ctx *x, struct err *e)
{
	bool chain = x->rq->chain_pem != NULL;

	if ((chain ? quote_verdict_load_chain(x, e) : quote_verdict_load_key(x, e)) != 0 ||
	    (chain && (quote_verdict_chain(x, e) != 0 || quote_verdict_leaf(x, e) != 0)) ||
	    quote_verdict_signature(x, e) != 0 || quote_verdict_structure(x, e) != 0 ||
	    quote_verdict_binding(x, e) != 0 || quote_verdict_pcrs(x, e) != 0 ||
	    quote_verdict_log(x, e) != 0)
		return -1;
	quote_verdict_conclude(x->v);
	return 0;
}

static int
quote_verdict_prepare(const struct quote_verdict_request *rq, struct verdict *v, struct err *e)
{
	v->partial = true;
	for (size_t i = 0; i < sizeof quote_verdict_checks / sizeof *quote_verdict_checks; i++)
		v->asked[quote_verdict_checks[i]] = true;
	v->time = rq->time;
	v->time_source = buf_strdup(rq->time_source, e);
	v->subject = buf_strdup(rq->subject, e);
	if (rq->trust != NULL && rq->root_count == 0)
		v->trust_digest = rq->trust->digest;
	return v->time_source != NULL && v->subject != NULL ? 0 : -1;
}

int
quote_verdict(const struct quote_verdict_request *rq, struct verdict **ret, struct err *e)
{
	CLEANUP(quote_verdict_ctx_free) struct quote_verdict_ctx x = {.rq = rq};

	if ((rq->key_pem != NULL) == (rq->chain_pem != NULL))
		return err_set(e, ERR_USAGE, "a quote is judged by a key or by a chain");
	if (verdict_new(&x.v, e) != 0)
		return -1;
	if (quote_verdict_prepare(rq, x.v, e) != 0 || quote_verdict_judge(&x, e) != 0) {
		verdict_free(x.v);
		return -1;
	}
	*ret = x.v;
	return 0;
}
