/* The two quotes, and the PCR values they carry. */
#include "verify/checks.h"

#include <string.h>
#include "base/hex.h"

#define CHECKS_QUOTE_ALL 0xffffffu
#define CHECKS_QUOTE_RESETTABLE (1u << 16 | 1u << 23)
#define CHECKS_QUOTE_IMA (1u << 10)   /* the kernel measures into it as programs start */
#define CHECKS_QUOTE_OURS (1u << 14 | 1u << 15)

int
checks_quote_load(struct checks_quote *q, const char *name, const struct certificate_quote *raw,
    struct err *e)
{
	struct err *why = &q->why;

	q->name = name;
	q->raw = raw;
	q->pcrs = (struct quote_check_pcrs){
		.has_sha256 = raw->pcrs.has_sha256,
		.has_sha384 = raw->pcrs.has_sha384,
		.sha256 = raw->pcrs.sha256,
		.sha384 = raw->pcrs.sha384,
	};
	if (buf_check(&q->text, e) != 0 ||
	    hash_once(HASH_SHA256, q->text.data, q->text.len, q->extra, e) != 0)
		return -1;
	q->decoded = attest_decode(raw->attest.data, raw->attest.len, &q->attest, why) == 0;
	if (!q->decoded && (why->code == ERR_NOMEM || why->code == ERR_INTERNAL)) {
		*e = *why;
		return -1;
	}
	return 0;
}

/* Runs one step over the final quote and the quote at the start, if there is one. */
static int
checks_quote_both(struct check_ctx *x, enum verdict_check c,
    int (*step)(struct check_ctx *, struct checks_quote *, struct err *), struct err *e)
{
	struct checks_quote *all[] = {&x->quote, &x->start};

	for (size_t i = 0; i < 2; i++) {
		if (all[i]->raw == NULL)
			continue;
		if (step(x, all[i], e) != 0)
			return -1;
		if (x->v->checks[c].result == VERDICT_FAIL)
			return 0;
	}
	return checks_pass(x, c, e);
}

/* A quote of all PCRs of the banks reported, SHA-256 first. */
static void
checks_quote_select(struct attest *a, const struct quote_check_pcrs *pcrs)
{
	memset(a->selection, 0, sizeof a->selection);
	a->selection_count = 0;
	if (pcrs->has_sha256)
		a->selection[a->selection_count++] =
		    (struct attest_selection){HASH_SHA256, CHECKS_QUOTE_ALL};
	if (pcrs->has_sha384)
		a->selection[a->selection_count++] =
		    (struct attest_selection){HASH_SHA384, CHECKS_QUOTE_ALL};
}

/* Everything but what quote.binding and quote.pcrs judge is built and compared. */
static int
checks_quote_shape(struct check_ctx *x, struct checks_quote *q, struct err *e)
{
	static const char wanted[] = "TPMS_ATTEST of a quote over PCR 0-23 of each bank reported";
	enum hash_alg alg = x->ak != NULL ? x->ak->scheme_hash : HASH_SHA256;
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct attest a;

	if (!q->decoded)
		return checks_fail(x, CHECK_QUOTE_STRUCTURE, wanted, e, "%s: %s", q->name, q->why.msg);
	if (!q->pcrs.has_sha256 && !q->pcrs.has_sha384)
		return checks_fail(x, CHECK_QUOTE_STRUCTURE, wanted, e, "%s: no SHA-256 or SHA-384 bank",
		    q->name);
	if (q->attest.extra_len != HASH_SHA256_SIZE || q->attest.pcr_digest_len != hash_size(alg))
		return checks_fail(x, CHECK_QUOTE_STRUCTURE, wanted, e,
		    "%s: extraData of %zu bytes, pcrDigest of %zu", q->name, q->attest.extra_len,
		    q->attest.pcr_digest_len);
	a = q->attest;
	checks_quote_select(&a, &q->pcrs);
	if (attest_encode(&a, &bytes, e) != 0)
		return -1;
	if (bytes.len != q->raw->attest.len ||
	    !hash_equal(bytes.data, q->raw->attest.data, bytes.len))
		return checks_fail(x, CHECK_QUOTE_STRUCTURE, wanted, e,
		    "%s: another selection, or other bytes", q->name);
	return 0;
}

int
checks_quote_structure(struct check_ctx *x, struct err *e)
{
	return checks_quote_both(x, CHECK_QUOTE_STRUCTURE, checks_quote_shape, e);
}

static int
checks_quote_signed(struct check_ctx *x, struct checks_quote *q, struct err *e)
{
	static const char wanted[] = "a signature of the AK over the quote";
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err why;
	bool ok;

	if (quote_check_signature(x->ak, q->raw->attest.data, q->raw->attest.len,
	    q->raw->signature.data, q->raw->signature.len, &ok, &reason, &why) != 0)
		return checks_error(x, CHECK_QUOTE_SIGNATURE, wanted, &why, e);
	if (!ok)
		return checks_fail(x, CHECK_QUOTE_SIGNATURE, wanted, e, "%s: %s", q->name,
		    buf_str(&reason));
	return 0;
}

int
checks_quote_signature(struct check_ctx *x, struct err *e)
{
	if (x->ak == NULL)
		return checks_skip(x, CHECK_QUOTE_SIGNATURE, "the AK cannot be read", e);
	return checks_quote_both(x, CHECK_QUOTE_SIGNATURE, checks_quote_signed, e);
}

static int
checks_quote_bound(struct check_ctx *x, struct checks_quote *q, struct err *e)
{
	char want[2 * HASH_SHA256_SIZE + 1], got[2 * sizeof q->attest.extra + 1];

	if (!q->decoded)
		return 0;
	if (q->attest.extra_len == HASH_SHA256_SIZE &&
	    hash_equal(q->attest.extra, q->extra, HASH_SHA256_SIZE))
		return 0;
	hex_encode(want, q->extra, HASH_SHA256_SIZE);
	hex_encode(got, q->attest.extra, q->attest.extra_len);
	return checks_fail(x, CHECK_QUOTE_BINDING, want, e, "%s: extraData %s", q->name, got);
}

int
checks_quote_binding(struct check_ctx *x, struct err *e)
{
	if (!x->quote.decoded || (x->start.raw != NULL && !x->start.decoded))
		return checks_skip(x, CHECK_QUOTE_BINDING, "the quote cannot be read", e);
	return checks_quote_both(x, CHECK_QUOTE_BINDING, checks_quote_bound, e);
}

/* The digest over the values; at last the whole structure, as one comparison. */
static int
checks_quote_values(struct check_ctx *x, struct checks_quote *q, struct err *e)
{
	static const char wanted[] = "values whose digest is the quoted one";
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct err why;
	bool ok;

	if (quote_check_digest(&q->attest, &q->pcrs, x->ak->scheme_hash, &ok, &why) != 0)
		return checks_error(x, CHECK_QUOTE_PCRS, wanted, &why, e);
	if (!ok)
		return checks_fail(x, CHECK_QUOTE_PCRS, wanted, e, "%s: other values", q->name);
	if (quote_check_structure(q->raw->attest.data, q->raw->attest.len, q->attest.extra, &q->pcrs,
	    x->ak->scheme_hash, &ok, &reason, &why) != 0)
		return checks_error(x, CHECK_QUOTE_PCRS, wanted, &why, e);
	if (!ok)
		return checks_fail(x, CHECK_QUOTE_PCRS, wanted, e, "%s: %s", q->name, buf_str(&reason));
	return 0;
}

static bool
checks_quote_zero(const struct quote_check_pcrs *p, unsigned pcr)
{
	static const unsigned char zero[48];

	return (!p->has_sha256 || hash_equal(p->sha256[pcr], zero, 32)) &&
	    (!p->has_sha384 || hash_equal(p->sha384[pcr], zero, 48));
}

int
checks_quote_pcrs(struct check_ctx *x, struct err *e)
{
	if (x->ak == NULL)
		return checks_skip(x, CHECK_QUOTE_PCRS, "the AK cannot be read", e);
	if (x->v->checks[CHECK_QUOTE_STRUCTURE].result != VERDICT_PASS)
		return checks_skip(x, CHECK_QUOTE_PCRS, "the quote is not as it must be", e);
	/* a runner that can run nothing more until it is booted again */
	if (x->cert == NULL && !x->identity_in_use && x->facts.tpm != EVENT_TPM_EMBEDDED &&
	    (!checks_quote_zero(&x->quote.pcrs, 14) || !checks_quote_zero(&x->quote.pcrs, 15)))
		return checks_fail(x, CHECK_QUOTE_PCRS, "PCR 14 and 15 zero since the boot", e,
		    "used: the machine must be started again");
	return checks_quote_both(x, CHECK_QUOTE_PCRS, checks_quote_values, e);
}

static bool
checks_quote_same(const struct quote_check_pcrs *a, const struct quote_check_pcrs *b, unsigned pcr)
{
	return (!a->has_sha256 || hash_equal(a->sha256[pcr], b->sha256[pcr], 32)) &&
	    (!a->has_sha384 || hash_equal(a->sha384[pcr], b->sha384[pcr], 48));
}

/* The PCRs at the start: ours zero, those of the boot as at the end. */
static int
checks_quote_start_pcrs(struct check_ctx *x, struct err *e)
{
	const struct quote_check_pcrs *a = &x->start.pcrs, *b = &x->quote.pcrs;

	if (a->has_sha256 != b->has_sha256 || a->has_sha384 != b->has_sha384)
		return checks_fail(x, CHECK_QUOTE_START, "the banks of the final quote", e, "other banks");
	for (unsigned i = 0; i < ATTEST_PCRS; i++) {
		if ((CHECKS_QUOTE_OURS >> i & 1) != 0 && !checks_quote_zero(a, i))
			return checks_fail(x, CHECK_QUOTE_START, "zero before the run", e,
			    "PCR %u was extended", i);
		if (((CHECKS_QUOTE_OURS | CHECKS_QUOTE_RESETTABLE | CHECKS_QUOTE_IMA) >> i & 1) == 0 &&
		    !checks_quote_same(a, b, i))
			return checks_fail(x, CHECK_QUOTE_START, "the boot's PCRs unchanged by the run", e,
			    "PCR %u changed", i);
	}
	return 0;
}

static bool
checks_quote_same_counts(const struct attest_clock *a, uint32_t resets, uint32_t restarts)
{
	return a->reset_count == resets && a->restart_count == restarts;
}

/*
 * The TPM's own clock, read when the command had ended.  For keys outside the
 * endorsement and platform hierarchies quotes carry the counts obfuscated
 * (TPM 2.0 Library part 1, "Attestation"), so that they compare with each
 * other but not with what TPM2_ReadClock says.
 */
static int
checks_quote_start_finished(struct check_ctx *x, struct err *e)
{
	const struct event *ev = certificate_event(x->cert, EVENT_RUN_FINISHED);
	const struct attest_clock *a = &x->start.attest.clock, *b = &x->quote.attest.clock;
	const struct event_run_finished *f;

	if (ev == NULL)
		return checks_fail(x, CHECK_QUOTE_START, "run_finished", e, "no such event");
	f = &ev->u.finished;
	if (f->tpm_clock < a->clock || f->tpm_clock > b->clock)
		return checks_fail(x, CHECK_QUOTE_START, "the end of the run between the quotes", e,
		    "TPM clock %llu, not between %llu and %llu", (unsigned long long)f->tpm_clock,
		    (unsigned long long)a->clock, (unsigned long long)b->clock);
	if (x->has_hierarchy && x->hierarchy != AK_OWNER &&
	    !checks_quote_same_counts(b, f->reset_count, f->restart_count))
		return checks_fail(x, CHECK_QUOTE_START, "one boot", e,
		    "reset or restart counts of run_finished differ from the quote's");
	return 0;
}

static int
checks_quote_start_clock(struct check_ctx *x, struct err *e)
{
	const struct attest *a = &x->start.attest, *b = &x->quote.attest;

	if (!checks_quote_same_counts(&a->clock, b->clock.reset_count, b->clock.restart_count))
		return checks_fail(x, CHECK_QUOTE_START, "one boot", e,
		    "the TPM was reset %u and restarted %u times at the start, %u and %u at the end",
		    a->clock.reset_count, a->clock.restart_count, b->clock.reset_count,
		    b->clock.restart_count);
	if (a->clock.clock >= b->clock.clock)
		return checks_fail(x, CHECK_QUOTE_START, "a clock that grows", e, "%llu, then %llu",
		    (unsigned long long)a->clock.clock, (unsigned long long)b->clock.clock);
	if (a->firmware != b->firmware || a->signer_len != b->signer_len ||
	    !hash_equal(a->signer, b->signer, a->signer_len))
		return checks_fail(x, CHECK_QUOTE_START, "one TPM", e,
		    "firmware or signer of the quotes differ");
	return 0;
}

int
checks_quote_start(struct check_ctx *x, struct err *e)
{
	static check_fn *const steps[] = {
		checks_quote_start_pcrs, checks_quote_start_clock, checks_quote_start_finished,
	};

	if (!x->quote.decoded || !x->start.decoded)
		return checks_skip(x, CHECK_QUOTE_START, "the quote cannot be read", e);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (steps[i](x, e) != 0)
			return -1;
		if (x->v->checks[CHECK_QUOTE_START].result == VERDICT_FAIL)
			return 0;
	}
	return checks_pass(x, CHECK_QUOTE_START, e);
}

/* The bank that carries the proof is looked at first and named. */
static int
checks_quote_replayed(struct check_ctx *x, enum verdict_check c, unsigned pcr,
    const struct replay *r, struct err *e)
{
	const struct quote_check_pcrs *q = &x->quote.pcrs;
	char want[2 * 48 + 1], got[2 * 48 + 1];

	if (!q->has_sha256 && !q->has_sha384)
		return checks_fail(x, c, "a SHA-256 or SHA-384 bank", e, "none");
	if (q->has_sha256 && !hash_equal(q->sha256[pcr], r->sha256, sizeof r->sha256)) {
		hex_encode(want, q->sha256[pcr], sizeof r->sha256);
		hex_encode(got, r->sha256, sizeof r->sha256);
		return checks_fail(x, c, want, e, "the events give %s (PCR %u, sha256)", got, pcr);
	}
	if (q->has_sha384 && !hash_equal(q->sha384[pcr], r->sha384, sizeof r->sha384)) {
		hex_encode(want, q->sha384[pcr], sizeof r->sha384);
		hex_encode(got, r->sha384, sizeof r->sha384);
		return checks_fail(x, c, want, e, "the events give %s (PCR %u, sha384)", got, pcr);
	}
	return checks_pass(x, c, e);
}

int
checks_quote_inputs_log(struct check_ctx *x, struct err *e)
{
	return checks_quote_replayed(x, CHECK_INPUTS_LOG, 14, &x->pcr14, e);
}

int
checks_quote_outputs_log(struct check_ctx *x, struct err *e)
{
	return checks_quote_replayed(x, CHECK_OUTPUTS_LOG, 15, &x->pcr15, e);
}
