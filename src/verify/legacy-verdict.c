#include "verify/legacy-verdict.h"

#include <string.h>
#include "base/hex.h"
#include "codec/base64.h"
#include "verify/legacy.h"
#include "verify/quote-verdict.h"

#define LEGACY_VERDICT_PCR_FIRST 16  /* first generation: one log */
#define LEGACY_VERDICT_PCR_INPUTS 14 /* second */
#define LEGACY_VERDICT_PCR_OUTPUTS 8

/* The checks that have no evidence at all in such a file. */
static const struct {
	enum verdict_check check;
	enum verdict_result result;
	const char *expected, *found;
} legacy_verdict_lacks[] = {
	{CHECK_EVENTS_GRAMMAR, VERDICT_FAIL, "events of one run, in order, with an end",
	    "free texts: no run, no number, no end that nothing can follow"},
	{CHECK_QUOTE_START, VERDICT_FAIL, "a quote from before the run",
	    "none: what extended the PCRs before this run nobody knows"},
	{CHECK_BOOT_LOG, VERDICT_SKIP, NULL, "no boot log"},
	{CHECK_BOOT_REFERENCE, VERDICT_SKIP, NULL,
	    "not judged: the image that was booted, and so who extended anything, is not known"},
	{CHECK_RUN_EXIT, VERDICT_FAIL, "how the command ended", "not recorded"},
	{CHECK_ENVELOPE_STATEMENT, VERDICT_FAIL, "a statement of inputs and outputs", "none"},
	{CHECK_ENVELOPE_SIGNATURE, VERDICT_FAIL, "a signature by a key of the run",
	    "none: the outputs are bound to nothing but the log"},
};

static const enum verdict_check legacy_verdict_own[] = {
	CHECK_CERTIFICATE_CANONICAL, CHECK_INPUTS_LOG, CHECK_OUTPUTS_LOG,
};

static int
legacy_verdict_pem(const struct legacy *l, size_t count, struct buf *ret, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct buf *c = &l->chain[i];

		if (c->data[0] != 0x30) { /* the second generation ships PEM files */
			buf_add(ret, c->data, c->len);
		} else {
			buf_adds(ret, "-----BEGIN CERTIFICATE-----\n");
			base64_encode(ret, c->data, c->len);
			buf_adds(ret, "\n-----END CERTIFICATE-----\n");
		}
		buf_addc(ret, '\n');
	}
	return buf_check(ret, e);
}

/* The document that quote_verdict() takes. */
static int
legacy_verdict_pcrs(const struct legacy *l, struct buf *ret, struct err *e)
{
	bool first_bank = true;

	buf_addc(ret, '{');
	for (enum hash_alg alg = HASH_SHA1; alg < PCR_VALUES_BANKS; alg++) {
		bool first = true;

		if (l->pcrs.given[alg] == 0)
			continue;
		buf_addf(ret, "%s\"%s\":{", first_bank ? "" : ",", hash_name(alg));
		for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
			const unsigned char *value = pcr_values_get(&l->pcrs, alg, pcr);
			char hex[2 * HASH_SIZE_MAX + 1];

			if (value == NULL)
				continue;
			hex_encode(hex, value, hash_size(alg));
			buf_addf(ret, "%s\"%u\":\"%s\"", first ? "" : ",", pcr, hex);
			first = false;
		}
		buf_addc(ret, '}');
		first_bank = false;
	}
	buf_addc(ret, '}');
	return buf_check(ret, e);
}

/* As any quote, with the first certificates of the file's chain. */
static int
legacy_verdict_quote(const struct legacy_verdict_request *rq, const struct legacy *l, size_t certs,
    struct verdict **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf chain = BUF_INIT;
	CLEANUP(buf_free) struct buf pcrs = BUF_INIT;
	struct quote_verdict_request q = {.subject = rq->subject, .attest = &l->attest,
	    .signature = &l->signature, .format = {.tpmt = true}, .chain_pem = &chain,
	    .trust = rq->trust, .pcrs = &pcrs, .any_nonce = true, .time = rq->time,
	    .time_source = rq->time_source};

	if (legacy_verdict_pem(l, certs, &chain, e) != 0 || legacy_verdict_pcrs(l, &pcrs, e) != 0)
		return -1;
	return quote_verdict(&q, ret, e);
}

/* Where the chain of the file is wrong and its leaf is genuine all the same, say so. */
static int
legacy_verdict_leaf(const struct legacy_verdict_request *rq, const struct legacy *l,
    struct verdict *v, struct err *e)
{
	struct verdict *alone;
	int rc = 0;

	if (l->chain_count == 1 || v->checks[CHECK_AK_CHAIN].result == VERDICT_PASS)
		return 0;
	if (legacy_verdict_quote(rq, l, 1, &alone, e) != 0)
		return -1;
	if (alone->checks[CHECK_AK_CHAIN].result == VERDICT_PASS)
		rc = verdict_note(v, e, "The AK's own certificate does lead to a trust entry at this time,"
		    " through intermediates that are not in the file; the chain in the file is wrong.");
	verdict_free(alone);
	return rc;
}

/* The PCR of the SHA-256 bank that the log replays to, among those it may; -1: none. */
static int
legacy_verdict_pcr_of(const struct legacy *l, const struct legacy_log *log, unsigned wanted,
    int *ret, struct err *e)
{
	const unsigned pcrs[] = {wanted, LEGACY_VERDICT_PCR_FIRST};
	unsigned char value[HASH_SHA256_SIZE];

	if (legacy_replay(log, value, e) != 0)
		return -1;
	*ret = -1;
	for (size_t i = 0; *ret < 0 && i < 2; i++) {
		const unsigned char *given = pcr_values_get(&l->pcrs, HASH_SHA256, pcrs[i]);

		if (given != NULL && hash_equal(given, value, sizeof value))
			*ret = (int)pcrs[i];
	}
	return 0;
}

/* Never a pass: that the values agree proves nothing of who put them there. */
static int
legacy_verdict_log(const struct legacy *l, const struct legacy_log *log, unsigned wanted,
    struct verdict *v, int *ret_pcr, struct err *e)
{
	enum verdict_check c = wanted == LEGACY_VERDICT_PCR_OUTPUTS ? CHECK_OUTPUTS_LOG :
	    CHECK_INPUTS_LOG;
	static const char expected[] = "a log that replays to a PCR nothing else extends or resets";

	if (legacy_verdict_pcr_of(l, log, wanted, ret_pcr, e) != 0)
		return -1;
	if (*ret_pcr < 0)
		return verdict_set(v, c, VERDICT_FAIL, expected, "the log replays to no PCR of the quote", e);
	if (*ret_pcr == LEGACY_VERDICT_PCR_FIRST)
		return verdict_set(v, c, VERDICT_FAIL, expected, "the log replays to PCR 16, which any"
		    " program can reset and extend at any time: it proves nothing", e);
	return verdict_set(v, c, VERDICT_SKIP, NULL, wanted == LEGACY_VERDICT_PCR_OUTPUTS ?
	    "the log replays to PCR 8, which boot loaders extend too; by whom is not known" :
	    "the log replays to PCR 14; by whom it was extended is not known", e);
}

static int
legacy_verdict_logs(const struct legacy *l, struct verdict *v, int *ret_generation, struct err *e)
{
	int pcr = -1, out = -1;

	if (legacy_verdict_log(l, &l->events, LEGACY_VERDICT_PCR_INPUTS, v, &pcr, e) != 0)
		return -1;
	*ret_generation = l->outputs.present || pcr == LEGACY_VERDICT_PCR_INPUTS ? 2 : 1;
	if (l->outputs.present)
		return legacy_verdict_log(l, &l->outputs, LEGACY_VERDICT_PCR_OUTPUTS, v, &out, e);
	return verdict_set(v, CHECK_OUTPUTS_LOG, VERDICT_FAIL, "outputs measured after the command",
	    "outputs stand in the log of the inputs: nothing says that the command made them", e);
}

static int
legacy_verdict_binding(const struct legacy *l, struct verdict *v, struct err *e)
{
	struct attest a;
	bool empty = attest_decode(l->attest.data, l->attest.len, &a, NULL) == 0 && a.extra_len == 0;

	return verdict_set(v, CHECK_QUOTE_BINDING, VERDICT_FAIL, "a nonce and what was made, in extraData",
	    empty ? "no nonce: extraData is empty, the quote may be of any time and for anybody" :
	    "extraData binds nothing of this file", e);
}

static int
legacy_verdict_lacking(struct verdict *v, struct err *e)
{
	for (size_t i = 0; i < sizeof legacy_verdict_lacks / sizeof *legacy_verdict_lacks; i++) {
		if (verdict_set(v, legacy_verdict_lacks[i].check, legacy_verdict_lacks[i].result,
		    legacy_verdict_lacks[i].expected, legacy_verdict_lacks[i].found, e) != 0)
			return -1;
	}
	return 0;
}

static int
legacy_verdict_words(const struct legacy *l, int generation, struct verdict *v, struct err *e)
{
	for (size_t i = 0; i < l->claim_count; i++) {
		if (verdict_note(v, e, "Claimed, not proved: output %s, digest %s.", l->claims[i].path,
		    l->claims[i].digest) != 0)
			return -1;
	}
	if (l->simulated && verdict_note(v, e, "It says of itself that it is a simulation.") != 0)
		return -1;
	return verdict_note(v, e, "An attestation of the original AICert, generation %d: legacy, no"
	    " assurance. Have the run made again to get a certificate.", generation);
}

/* A key that nobody vouches for is not shown to be one of a TPM, whatever its leaf says. */
static int
legacy_verdict_key(struct verdict *v, struct err *e)
{
	if (v->checks[CHECK_AK_CHAIN].result == VERDICT_PASS ||
	    v->checks[CHECK_AK_KEY].result != VERDICT_PASS)
		return 0;
	return verdict_set(v, CHECK_AK_KEY, VERDICT_SKIP, NULL, "nobody vouches for it: its certificate is"
	    " of the right form, and of a chain that fails", e);
}

static int
legacy_verdict_fill(const struct legacy_verdict_request *rq, const struct legacy *l,
    struct verdict *v, int *ret_generation, struct err *e)
{
	if (verdict_set(v, CHECK_CERTIFICATE_CANONICAL, VERDICT_FAIL, "a certificate",
	    "an attestation of the original AICert", e) != 0 ||
	    legacy_verdict_lacking(v, e) != 0 || legacy_verdict_binding(l, v, e) != 0 ||
	    legacy_verdict_logs(l, v, ret_generation, e) != 0 || legacy_verdict_leaf(rq, l, v, e) != 0 ||
	    legacy_verdict_key(v, e) != 0)
		return -1;
	return legacy_verdict_words(l, *ret_generation, v, e);
}

/* A document that holds no evidence: one check says so, nothing else was looked at. */
static int
legacy_verdict_none(const struct legacy_verdict_request *rq, const struct err *why,
    struct verdict **ret, struct err *e)
{
	struct verdict *v;

	if (why->code == ERR_NOMEM || why->code == ERR_INTERNAL) {
		*e = *why;
		return -1;
	}
	if (verdict_new(&v, e) != 0)
		return -1;
	v->partial = true;
	v->time = rq->time;
	v->subject = buf_strdup(rq->subject, e);
	v->time_source = buf_strdup(rq->time_source, e);
	if (v->subject == NULL || v->time_source == NULL || verdict_set(v, CHECK_CERTIFICATE_CANONICAL,
	    VERDICT_FAIL, "an attestation of the original AICert", why->msg, e) != 0) {
		verdict_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

static void
legacy_verdict_ask(struct verdict *v, bool all)
{
	v->answer = ANSWER_FAIL;
	v->level = LEVEL_NONE;
	v->asked[CHECK_CERTIFICATE_CANONICAL] = true;
	for (size_t i = 0; all && i < sizeof legacy_verdict_own / sizeof *legacy_verdict_own; i++)
		v->asked[legacy_verdict_own[i]] = true;
	for (size_t i = 0; all && i < sizeof legacy_verdict_lacks / sizeof *legacy_verdict_lacks; i++)
		v->asked[legacy_verdict_lacks[i].check] = true;
}

static void
legacy_verdict_release(struct legacy **l)
{
	if (*l != NULL)
		legacy_free(*l);
	free(*l);
}

int
legacy_verdict(const struct legacy_verdict_request *rq, struct verdict **ret, int *ret_generation,
    struct err *e)
{
	CLEANUP(legacy_verdict_release) struct legacy *l = calloc(1, sizeof *l);
	struct verdict *v = NULL;
	struct err why;
	int generation = 0;

	if (l == NULL)
		return err_nomem(e);
	if (legacy_decode(rq->json, rq->len, l, &why) != 0) {
		if (legacy_verdict_none(rq, &why, &v, e) != 0)
			return -1;
	} else if (legacy_verdict_quote(rq, l, l->chain_count, &v, e) != 0) {
		return -1;
	} else if (legacy_verdict_fill(rq, l, v, &generation, e) != 0) {
		verdict_free(v);
		return -1;
	}
	legacy_verdict_ask(v, generation != 0);
	*ret = v;
	*ret_generation = generation;
	return 0;
}
