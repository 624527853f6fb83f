/* The statement and its envelope (aicert-certificate(5) section 6). */
#include "verify/checks.h"

#include "object/statement.h"

int
checks_envelope_statement(struct check_ctx *x, struct err *e)
{
	static const char wanted[] = "the statement the events give";
	CLEANUP(buf_free) struct buf derived = BUF_INIT;
	const struct buf *payload = &x->cert->envelope.payload;
	struct err why;

	if (x->v->checks[CHECK_EVENTS_GRAMMAR].result != VERDICT_PASS)
		return checks_skip(x, CHECK_ENVELOPE_STATEMENT, "the events are not a run's", e);
	if (statement_derive(x->cert->events, x->cert->event_count, &derived, &why) != 0)
		return checks_error(x, CHECK_ENVELOPE_STATEMENT, wanted, &why, e);
	if (derived.len != payload->len || !hash_equal(derived.data, payload->data, derived.len))
		return checks_fail(x, CHECK_ENVELOPE_STATEMENT, wanted, e, "another statement");
	return checks_pass(x, CHECK_ENVELOPE_STATEMENT, e);
}

/* The key is the one that inputs_sealed measured. */
static int
checks_envelope_key(struct check_ctx *x, const struct buf *spki, struct key **ret, struct err *e)
{
	static const char wanted[] = "the P-256 key of inputs_sealed";
	struct oid digest;
	struct err why;

	if (oid_from_data(&digest, spki->data, spki->len, e) != 0)
		return -1;
	if (!oid_equal(&digest, &x->cert->envelope.keyid))
		return checks_fail(x, CHECK_ENVELOPE_SIGNATURE, wanted, e, "keyid of another key");
	if (key_from_spki(spki->data, spki->len, ret, &why) != 0)
		return checks_error(x, CHECK_ENVELOPE_SIGNATURE, wanted, &why, e);
	if (key_kind(*ret) != KEY_P256)
		return checks_fail(x, CHECK_ENVELOPE_SIGNATURE, wanted, e, "a key of another kind");
	return 0;
}

int
checks_envelope_signature(struct check_ctx *x, struct err *e)
{
	static const char wanted[] = "an ECDSA P-256 signature of the run key with low s";
	const struct event *sealed = certificate_event(x->cert, EVENT_INPUTS_SEALED);
	const struct dsse *d = &x->cert->envelope;
	CLEANUP(buf_free) struct buf pae = BUF_INIT;
	CLEANUP(key_freep) struct key *key = NULL;
	struct err why;
	bool good;

	if (sealed == NULL)
		return checks_fail(x, CHECK_ENVELOPE_SIGNATURE, wanted, e, "no inputs_sealed event");
	if (checks_envelope_key(x, &sealed->u.sealed.spki, &key, e) != 0)
		return -1;
	if (x->v->checks[CHECK_ENVELOPE_SIGNATURE].result == VERDICT_FAIL)
		return 0;
	dsse_pae(&pae, d->payload.data, d->payload.len);
	if (buf_check(&pae, e) != 0)
		return -1;
	if (key_verify(key, KEY_ECDSA, HASH_SHA256, true, pae.data, pae.len, d->signature.data,
	    d->signature.len, &good, &why) != 0)
		return checks_error(x, CHECK_ENVELOPE_SIGNATURE, wanted, &why, e);
	if (!good)
		return checks_fail(x, CHECK_ENVELOPE_SIGNATURE, wanted, e, "one that does not hold");
	return checks_pass(x, CHECK_ENVELOPE_SIGNATURE, e);
}
