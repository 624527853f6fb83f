#include "verify/verify.h"

#include <string.h>
#include "base/printable.h"
#include "object/statement.h"
#include "verify/checks.h"

struct verify_step {
	check_fn *fn;
	bool identity;              /* judged on a runner's identity too */
};

/* In the order of aicert-certificate(5) section 7; the first two are judged by hand. */
static const struct verify_step verify_steps[CHECK_COUNT] = {
	[CHECK_EVENTS_GRAMMAR] = {checks_events_grammar, false},
	[CHECK_AK_CHAIN] = {checks_key_chain, true},
	[CHECK_AK_KEY] = {checks_key_ak, true},
	[CHECK_QUOTE_STRUCTURE] = {checks_quote_structure, true},
	[CHECK_QUOTE_SIGNATURE] = {checks_quote_signature, true},
	[CHECK_QUOTE_BINDING] = {checks_quote_binding, true},
	[CHECK_QUOTE_PCRS] = {checks_quote_pcrs, true},
	[CHECK_QUOTE_START] = {checks_quote_start, false},
	[CHECK_BOOT_LOG] = {checks_boot_log, true},
	[CHECK_BOOT_REFERENCE] = {checks_boot_reference, true},
	[CHECK_INPUTS_LOG] = {checks_quote_inputs_log, false},
	[CHECK_OUTPUTS_LOG] = {checks_quote_outputs_log, false},
	[CHECK_RUN_EXIT] = {checks_events_run_exit, false},
	[CHECK_ENVELOPE_STATEMENT] = {checks_envelope_statement, false},
	[CHECK_ENVELOPE_SIGNATURE] = {checks_envelope_signature, false},
	[CHECK_HARDWARE_REPORT] = {checks_hardware_report, true},
	[CHECK_TIME_PROOF] = {checks_time_proof, true},
	[CHECK_COMMIT_SIGNATURE] = {checks_commit_signature, false},
	[CHECK_FILES_OUTPUTS] = {checks_files_outputs, false},
	[CHECK_FILES_INPUTS] = {checks_files_inputs, false},
	[CHECK_CHAIN_INPUTS] = {checks_chain_inputs, false},
	[CHECK_REVOCATION] = {checks_revocation, true},
	[CHECK_POLICY] = {checks_policy, true},
};

static void
verify_ctx_freep(struct check_ctx **p)
{
	struct check_ctx *x = *p;

	if (x == NULL)
		return;
	if (x->cert != NULL)
		certificate_free(x->cert);
	free(x->cert);
	memo_release(x->memo, x->chain_item);
	memo_release(x->memo, x->ak_item);
	memo_release(x->memo, x->leaf_item);
	buf_free(&x->quote.text);
	buf_free(&x->start.text);
	event_log_free(&x->boot_log);
	buf_free(&x->boot_bytes);
	verdict_free(x->v);
	free(x);
}

static int
verify_ctx_new(const struct verify_request *rq, const char *subject, struct check_ctx **ret,
    struct err *e)
{
	CLEANUP(verify_ctx_freep) struct check_ctx *x = calloc(1, sizeof *x);

	if (x == NULL)
		return err_nomem(e);
	x->rq = rq;
	x->trust = rq->trust;
	x->memo = rq->memo;
	x->time = rq->time;
	x->ancestors_level = LEVEL_CONFIDENTIAL;
	if (verdict_new(&x->v, e) != 0)
		return -1;
	x->v->certificate = rq->id;
	x->v->required = rq->required > LEVEL_SIMULATED ? rq->required : LEVEL_SIMULATED;
	if (rq->policy != NULL) {
		x->v->policy_digest = rq->policy->digest;
		if (x->v->required < rq->policy->min_level)
			x->v->required = rq->policy->min_level;
	}
	x->v->time = rq->time;
	x->v->time_source = buf_strdup(rq->time_source != NULL ? rq->time_source : "now", e);
	if (x->v->time_source == NULL)
		return -1;
	if (rq->trust != NULL)
		x->v->trust_digest = rq->trust->digest;
	if (rq->references != NULL)
		x->v->reference_digest = rq->references->digest;
	if (subject != NULL && (x->v->subject = buf_strdup(subject, e)) == NULL)
		return -1;
	*ret = x;
	x = NULL;
	return 0;
}

/* Runs what follows certificate.canonical. */
static int
verify_run(struct check_ctx *x, struct err *e)
{
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		const struct verify_step *s = &verify_steps[c];

		if (s->fn == NULL)
			continue;
		if (x->cert == NULL && !s->identity) {
			if (checks_skip(x, c, "not part of an identity", e) != 0)
				return -1;
			continue;
		}
		if (s->fn(x, e) != 0)
			return -1;
	}
	return 0;
}

/* fail / undecided / pass, as aicert-certificate(5) section 7 says. */
static void
verify_answer(struct check_ctx *x)
{
	struct verdict *v = x->v;
	bool failed = false, missing = false;

	v->level = level_of(v->checks, &x->facts);
	if (v->level > x->ancestors_level)
		v->level = x->ancestors_level;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		failed = failed || v->checks[c].result == VERDICT_FAIL;
		missing = missing || v->checks[c].missing;
	}
	if (failed || (v->level < v->required && !missing))
		v->answer = ANSWER_FAIL;
	else
		v->answer = missing ? ANSWER_UNDECIDED : ANSWER_PASS;
}

/* PCR 0-7, which firmware always extends, all as the TPM starts with them. */
static bool
verify_unmeasured(const unsigned char *values, size_t size)
{
	unsigned char all = 0;

	for (size_t i = 0; i < 8 * size; i++)
		all |= values[i];
	return all == 0;
}

/* SHA-256, or SHA-384 where firmware has measured into that bank alone. */
static int
verify_bank(struct check_ctx *x, struct err *e)
{
	const struct quote_check_pcrs *p = &x->quote.pcrs;

	x->bank = HASH_SHA256;
	if (!p->has_sha256 && !p->has_sha384)
		return 0;
	if (!p->has_sha256 || (p->has_sha384 && verify_unmeasured(p->sha256[0], 32) &&
	    !verify_unmeasured(p->sha384[0], 48)))
		x->bank = HASH_SHA384;
	x->v->bank = buf_strdup(hash_name(x->bank), e);
	return x->v->bank != NULL ? 0 : -1;
}

/* What the run was, for the sentence that people read. */
static int
verify_run_facts(struct check_ctx *x, struct err *e)
{
	const struct event_run_request *rq = &certificate_event(x->cert, EVENT_RUN_REQUEST)->u.request;
	const struct event_run_finished *f = &certificate_event(x->cert, EVENT_RUN_FINISHED)->u.finished;
	CLEANUP(buf_free) struct buf command = BUF_INIT;
	struct verdict_run *run = &x->v->run;

	run_spec_command(&rq->spec, &command);
	if (buf_check(&command, e) != 0 ||
	    (run->command = printable(buf_str(&command), e)) == NULL ||
	    (run->image = printable(rq->image_name, e)) == NULL)
		return -1;
	run->inputs = rq->spec.input_count;
	run->outputs = rq->spec.output_count;
	for (size_t i = 0; i < x->cert->event_count; i++)
		run->missing += x->cert->events[i].kind == EVENT_OUTPUT_MISSING;
	run->has_times = f->has_times;
	run->started = f->started;
	run->finished = f->finished;
	run->known = true;
	return 0;
}

/* What the checks share: texts the quotes bind, decoded quotes, replayed PCRs. */
static int
verify_load(struct check_ctx *x, struct err *e)
{
	const struct certificate *c = x->cert;
	struct oid payload;

	x->ak_public = &c->ak_public;
	x->ak_chain = c->ak_chain;
	x->ak_chain_count = c->ak_chain_count;
	if (oid_from_data(&payload, c->envelope.payload.data, c->envelope.payload.len, e) != 0)
		return -1;
	statement_quote_text(&x->quote.text, c->nonce, &payload);
	statement_start_text(&x->start.text, c->nonce);
	if (checks_quote_load(&x->quote, "quote", &c->quote, e) != 0 ||
	    checks_quote_load(&x->start, "startQuote", &c->start_quote, e) != 0 ||
	    verify_bank(x, e) != 0 || verify_run_facts(x, e) != 0)
		return -1;
	return checks_events_replay(x, e);
}

static int
verify_object_id(struct check_ctx *x, struct err *e)
{
	char want[OID_TEXT_SIZE], got[OID_TEXT_SIZE];
	struct oid id;

	if (oid_from_data(&id, x->rq->data, x->rq->len, e) != 0)
		return -1;
	if (oid_equal(&id, &x->rq->id))
		return checks_pass(x, CHECK_OBJECT_ID, e);
	oid_text(&x->rq->id, want);
	oid_text(&id, got);
	return checks_fail(x, CHECK_OBJECT_ID, want, e, "%s", got);
}

static int
verify_unreadable(struct check_ctx *x, struct err *e)
{
	for (enum verdict_check c = CHECK_CERTIFICATE_CANONICAL + 1; c < CHECK_COUNT; c++) {
		if (checks_skip(x, c, "certificate cannot be read", e) != 0)
			return -1;
	}
	return 0;
}

/* Decodes; without a certificate that can be read nothing else is judged. */
static int
verify_document(struct check_ctx *x, struct err *e)
{
	struct certificate *c = calloc(1, sizeof *c);
	struct err why;

	if (c == NULL)
		return err_nomem(e);
	if (certificate_decode(x->rq->data, x->rq->len, c, &why) != 0) {
		free(c);
		if (checks_error(x, CHECK_CERTIFICATE_CANONICAL, "a certificate in canonical JSON",
		    &why, e) != 0)
			return -1;
		return verify_unreadable(x, e);
	}
	x->cert = c;
	if (checks_pass(x, CHECK_CERTIFICATE_CANONICAL, e) != 0 || verify_load(x, e) != 0)
		return -1;
	return verify_run(x, e);
}

int
verify_one(const struct verify_request *rq, struct checks_lineage *lineage, const char *subject,
    struct verdict **ret, struct err *e)
{
	CLEANUP(verify_ctx_freep) struct check_ctx *x = NULL;
	int rc;

	if (verify_ctx_new(rq, subject, &x, e) != 0)
		return -1;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		x->facts.counts[c] = true;
	x->lineage = lineage;
	if (checks_time_load(x, e) != 0 || verify_object_id(x, e) != 0)
		return -1;
	lineage->active[lineage->depth++] = rq->id;
	rc = verify_document(x, e);
	lineage->depth--;
	if (rc != 0)
		return -1;
	verify_answer(x);
	*ret = x->v;
	x->v = NULL;
	return 0;
}

static int
verify_level_note(struct verdict *v, bool software, struct err *e)
{
	switch (v->level) {
	case LEVEL_NONE:
		return 0;
	case LEVEL_SIMULATED:
		if (software)
			return verdict_note(v, e, "The TPM was simulated: this proves nothing about hardware;"
			    " whoever ran it could have made this certificate on any computer.");
		if (v->emulated)
			return verdict_note(v, e, "The machine was emulated, and its TPM is a program of whoever"
			    " started it: they could have made this certificate on any computer; this proves"
			    " nothing about hardware.");
		return verdict_note(v, e, "The TPM, or the image that was booted, is not vouched for by a"
		    " trust entry and a reference record: this proves nothing about hardware.");
	case LEVEL_DEVICE:
		return verdict_note(v, e, "The proof is sound if you trust whoever holds the machine: they"
		    " can reach its TPM, firmware and memory.");
	case LEVEL_VTPM:
	case LEVEL_CONFIDENTIAL:
		break;
	}
	return verdict_note(v, e, "The proof rests on the platform that vouches for the machine.");
}

/* Said with every verdict that has something to say. */
static int
verify_closing(struct verdict *v, bool software, struct err *e)
{
	if (verify_level_note(v, software, e) != 0)
		return -1;
	return verdict_note(v, e, "Not proved: where randomness came from, the firmware of CPU and GPU,"
	    " the host's clock (its times are claims), and whether the data is good.");
}

static bool
verify_software(const struct verdict *v)
{
	return v->tpm != EVENT_TPM_DEVICE;
}

/* Ancestors were finished before what was made from them: nearest first. */
static void
verify_adopt(struct verdict *v, struct checks_lineage *l)
{
	for (size_t i = 0; i < l->done_count / 2; i++) {
		struct verdict *other = l->done[l->done_count - 1 - i];

		l->done[l->done_count - 1 - i] = l->done[i];
		l->done[i] = other;
	}
	v->chain = l->done;
	v->chain_count = l->done_count;
	l->done = NULL;
	l->done_count = 0;
}

static void
verify_lineage_freep(struct checks_lineage **p)
{
	struct checks_lineage *l = *p;

	if (l == NULL)
		return;
	for (size_t i = 0; i < l->done_count; i++)
		verdict_free(l->done[i]);
	free(l->done);
	free(l);
}

int
verify_certificate(const struct verify_request *rq, struct verdict **ret, struct err *e)
{
	CLEANUP(verify_lineage_freep) struct checks_lineage *l = calloc(1, sizeof *l);
	CLEANUP(memo_freep) struct memo *own = NULL;
	struct verify_request with = *rq;
	bool software = false;
	struct verdict *v;

	if (l == NULL)
		return err_nomem(e);
	if (rq->memo == NULL) {
		if (memo_new(&own, e) != 0)
			return -1;
		with.memo = own;
	}
	if (verify_one(&with, l, NULL, &v, e) != 0)
		return -1;
	verify_adopt(v, l);
	software = verify_software(v);
	for (size_t i = 0; i < v->chain_count; i++)
		software = software || verify_software(v->chain[i]);
	if (verify_closing(v, software, e) != 0) {
		verdict_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

static int
verify_identity_judge(struct check_ctx *x, const struct verify_identity *id, struct err *e)
{
	x->ak_public = id->ak_public;
	x->ak_chain = id->ak_chain;
	x->ak_chain_count = id->ak_chain_count;
	x->identity_log = id->boot_log;
	x->facts.tpm = id->tpm;
	x->identity_in_use = id->in_use;
	x->facts.image_measured = true; /* what it is, boot.reference judges */
	x->v->tpm = id->tpm;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		x->facts.counts[c] = verify_steps[c].identity;
	statement_identity_text(&x->quote.text, id->nonce, &id->spki);
	if (checks_skip(x, CHECK_OBJECT_ID, "not part of an identity", e) != 0 ||
	    checks_skip(x, CHECK_CERTIFICATE_CANONICAL, "not part of an identity", e) != 0 ||
	    checks_quote_load(&x->quote, "quote", id->quote, e) != 0 || verify_bank(x, e) != 0 ||
	    verify_run(x, e) != 0)
		return -1;
	verify_answer(x);
	return verify_closing(x->v, verify_software(x->v), e);
}

int
verify_identity(const struct verify_identity *id, struct verdict **ret, struct err *e)
{
	CLEANUP(memo_freep) struct memo *memo = NULL;
	CLEANUP(verify_ctx_freep) struct check_ctx *x = NULL;
	struct verify_request rq = {
		.trust = id->trust,
		.references = id->references,
		.required = id->required,
		.time = id->time,
		.time_source = "now",
	};

	if (memo_new(&memo, e) != 0)
		return -1;
	rq.memo = memo;
	if (verify_ctx_new(&rq, "the runner's identity", &x, e) != 0 ||
	    verify_identity_judge(x, id, e) != 0)
		return -1;
	*ret = x->v;
	x->v = NULL;
	return 0;
}
