/* aicert-certificate(5) section 4 to the letter, and what the events say of the run. */
#include "verify/checks.h"

#include <string.h>
#include "base/hex.h"

#define EVENTS_FIXED 6  /* all but inputs and outputs */

int
checks_events_replay(struct check_ctx *x, struct err *e)
{
	replay_start(&x->pcr14);
	replay_start(&x->pcr15);
	for (size_t i = 0; i < x->cert->event_count; i++) {
		const struct event *ev = &x->cert->events[i];
		struct replay *pcr = ev->pcr == 14 ? &x->pcr14 : &x->pcr15;

		if (replay_extend(pcr, ev->text, ev->len, e) != 0)
			return -1;
	}
	return 0;
}

static const struct event_run_request *
checks_events_request(const struct check_ctx *x)
{
	return &x->cert->events[0].u.request;
}

/* What stands at place i of a run with this spec; outputs may also be missing. */
static enum event_kind
checks_events_expected(const struct run_spec *s, size_t i)
{
	if (i == 0)
		return EVENT_RUN_REQUEST;
	if (i == 1)
		return EVENT_INPUT_IMAGE;
	i -= 2;
	if (i < s->input_count)
		return EVENT_INPUT_RESOURCE;
	i -= s->input_count;
	if (i == 0)
		return EVENT_INPUTS_SEALED;
	if (i == 1)
		return EVENT_RUN_STARTED;
	i -= 2;
	if (i < s->output_count)
		return EVENT_OUTPUT_RESOURCE;
	return i == s->output_count ? EVENT_RUN_FINISHED : EVENT_OUTPUTS_SEALED;
}

static bool
checks_events_kind_ok(enum event_kind found, enum event_kind expected)
{
	return found == expected ||
	    (expected == EVENT_OUTPUT_RESOURCE && found == EVENT_OUTPUT_MISSING);
}

static int
checks_events_fail(struct check_ctx *x, size_t i, const char *expected, const char *found,
    struct err *e)
{
	char where[256];

	snprintf(where, sizeof where, "event %zu: %s", i, expected);
	return checks_fail(x, CHECK_EVENTS_GRAMMAR, where, e, "%s", found);
}

static int
checks_events_place(struct check_ctx *x, size_t i, struct err *e)
{
	const struct event *ev = &x->cert->events[i], *first = &x->cert->events[0];
	enum event_kind expected = checks_events_expected(&first->u.request.spec, i);
	int pcr = expected <= EVENT_INPUTS_SEALED ? 14 : 15;
	char want[64], got[64];

	if (!checks_events_kind_ok(ev->kind, expected))
		return checks_events_fail(x, i, event_kind_name(expected),
		    event_kind_name(ev->kind), e);
	if (ev->pcr != pcr || ev->seq != i) {
		snprintf(want, sizeof want, "%s in PCR %d, seq %zu", event_kind_name(ev->kind), pcr, i);
		snprintf(got, sizeof got, "PCR %d, seq %llu", ev->pcr, (unsigned long long)ev->seq);
		return checks_events_fail(x, i, want, got, e);
	}
	if (memcmp(ev->run, first->run, sizeof ev->run) != 0)
		return checks_events_fail(x, i, "the run id of run_request", "another run id", e);
	return 0;
}

/* Order, number, PCR, seq and run id of every event. */
static int
checks_events_order(struct check_ctx *x, struct err *e)
{
	const struct certificate *c = x->cert;
	const struct run_spec *s;
	size_t total;

	if (c->event_count == 0 || c->events[0].kind != EVENT_RUN_REQUEST)
		return checks_events_fail(x, 0, "run_request",
		    c->event_count == 0 ? "no events" : event_kind_name(c->events[0].kind), e);
	s = &checks_events_request(x)->spec;
	total = EVENTS_FIXED + s->input_count + s->output_count;
	for (size_t i = 0; i < c->event_count && i < total; i++) {
		if (checks_events_place(x, i, e) != 0)
			return -1;
		if (x->v->checks[CHECK_EVENTS_GRAMMAR].result == VERDICT_FAIL)
			return 0;
	}
	if (c->event_count != total) {
		char want[64];

		snprintf(want, sizeof want, "%zu events", total);
		return checks_fail(x, CHECK_EVENTS_GRAMMAR, want, e, "%zu", c->event_count);
	}
	return 0;
}

/* Every event is the one text its members have. */
static int
checks_events_texts(struct check_ctx *x, struct err *e)
{
	for (size_t i = 0; i < x->cert->event_count; i++) {
		const struct event *ev = &x->cert->events[i];
		struct event again = *ev;
		bool same;

		again.text = NULL;
		again.len = 0;
		if (event_encode(&again, e) != 0)
			return -1;
		same = again.len == ev->len && hash_equal(again.text, ev->text, ev->len);
		free(again.text);
		if (!same)
			return checks_events_fail(x, i, "the text its members have", "another text", e);
	}
	return 0;
}

static int
checks_events_spec_text(const struct run_spec *s, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = run_spec_to_jcs(s);

	return jcs_encode(v, ret, e);
}

/* The nonce of the certificate, and what was sent where that is known. */
static int
checks_events_asked(struct check_ctx *x, struct err *e)
{
	const struct event_run_request *r = checks_events_request(x);
	CLEANUP(buf_free) struct buf sent = BUF_INIT;
	CLEANUP(buf_free) struct buf found = BUF_INIT;
	const unsigned char *nonce = x->rq->nonce != NULL ? x->rq->nonce : x->cert->nonce;
	char want[65], got[65];

	if (memcmp(x->cert->nonce, nonce, 32) != 0 || memcmp(r->nonce, nonce, 32) != 0) {
		const unsigned char *other = memcmp(r->nonce, nonce, 32) != 0 ? r->nonce : x->cert->nonce;

		hex_encode(want, nonce, 32);
		hex_encode(got, other, 32);
		return checks_fail(x, CHECK_EVENTS_GRAMMAR, want, e, "nonce %s", got);
	}
	if (x->rq->spec == NULL)
		return 0;
	if (checks_events_spec_text(x->rq->spec, &sent, e) != 0 ||
	    checks_events_spec_text(&r->spec, &found, e) != 0)
		return -1;
	if (sent.len != found.len || !hash_equal(sent.data, found.data, sent.len))
		return checks_fail(x, CHECK_EVENTS_GRAMMAR, "the spec that was sent", e,
		    "another spec in run_request");
	return 0;
}

static int
checks_events_image(struct check_ctx *x, struct err *e)
{
	const struct run_spec *s = &checks_events_request(x)->spec;
	const struct event_input_image *image = &x->cert->events[1].u.image;

	if (image->image != s->image)
		return checks_events_fail(x, 1, "the kind of image in the spec", "another kind", e);
	if (s->image != RUN_SPEC_HOST && !resource_equal(&image->file, &s->image_file))
		return checks_events_fail(x, 1, "the image file of the spec", "another file", e);
	return 0;
}

static int
checks_events_input_text(const struct resource_input *r, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();

	if (v == NULL)
		return err_nomem(e);
	resource_input_to_jcs(r, v);
	return jcs_encode(v, ret, e);
}

static int
checks_events_inputs(struct check_ctx *x, struct err *e)
{
	const struct run_spec *s = &checks_events_request(x)->spec;

	for (size_t i = 0; i < s->input_count; i++) {
		CLEANUP(buf_free) struct buf want = BUF_INIT;
		CLEANUP(buf_free) struct buf got = BUF_INIT;

		if (checks_events_input_text(&s->inputs[i], &want, e) != 0 ||
		    checks_events_input_text(&x->cert->events[2 + i].u.input, &got, e) != 0)
			return -1;
		if (want.len != got.len || !hash_equal(want.data, got.data, want.len))
			return checks_events_fail(x, 2 + i, buf_str(&want), buf_str(&got), e);
	}
	return 0;
}

static int
checks_events_outputs(struct check_ctx *x, struct err *e)
{
	const struct run_spec *s = &checks_events_request(x)->spec;

	for (size_t i = 0; i < s->output_count; i++) {
		size_t at = 4 + s->input_count + i;
		const struct event *ev = &x->cert->events[at];
		const struct run_spec_output *want = &s->outputs[i];
		bool missing = ev->kind == EVENT_OUTPUT_MISSING;
		const struct resource *r = &ev->u.output.output;
		const char *path = missing ? ev->u.missing.output.path : r->path;
		const char *kind = missing ? ev->u.missing.output.kind : r->kind;
		enum object_type type = missing ? ev->u.missing.output.type : r->type;

		if (type != want->type || strcmp(path, want->path) != 0 || strcmp(kind, want->kind) != 0)
			return checks_events_fail(x, at, want->path, path, e);
	}
	return 0;
}

/* run_started holds PCR 14 as the events before it make it, in each bank quoted. */
static int
checks_events_started(struct check_ctx *x, struct err *e)
{
	size_t at = 3 + checks_events_request(x)->spec.input_count;
	const struct event_banks *b = &x->cert->events[at].u.started;
	const struct certificate_pcrs *q = &x->cert->quote.pcrs;

	if (b->has_sha256 != q->has_sha256 || b->has_sha384 != q->has_sha384)
		return checks_events_fail(x, at, "PCR 14 in each bank quoted", "other banks", e);
	if ((b->has_sha256 && !hash_equal(b->sha256, x->pcr14.sha256, sizeof b->sha256)) ||
	    (b->has_sha384 && !hash_equal(b->sha384, x->pcr14.sha384, sizeof b->sha384)))
		return checks_events_fail(x, at, "PCR 14 as the inputs make it", "another value", e);
	return 0;
}

/* What members a reason goes with; NULL: they agree. */
static const char *
checks_events_ended(const struct event_run_finished *f)
{
	if (f->has_exit_code && f->has_signal)
		return "both an exit code and a signal";
	if (f->reason == EVENT_EXITED && (!f->has_exit_code || !f->has_times))
		return "exited without an exit code or times";
	if (f->reason == EVENT_SIGNALED && (!f->has_signal || !f->has_times))
		return "signaled without a signal or times";
	if (f->reason == EVENT_NOT_STARTED && (f->has_exit_code || f->has_signal || f->has_times))
		return "an end of a command that was not started";
	if (f->has_exit_code && (f->exit_code < 0 || f->exit_code > 255))
		return "an exit code outside 0 to 255";
	if (f->has_signal && (f->signal < 1 || f->signal > 64))
		return "a signal outside 1 to 64";
	return NULL;
}

static int
checks_events_finished(struct check_ctx *x, struct err *e)
{
	size_t at = x->cert->event_count - 2;
	const struct event_run_finished *f = &x->cert->events[at].u.finished;
	const char *wrong = checks_events_ended(f);

	if (wrong != NULL)
		return checks_events_fail(x, at, "an end that agrees with its reason", wrong, e);
	if (f->has_times)
		return 0;
	for (size_t i = 0; i < x->cert->event_count; i++) {
		if (x->cert->events[i].kind == EVENT_OUTPUT_RESOURCE)
			return checks_events_fail(x, i, "output_missing: the command was not started",
			    "output_resource", e);
	}
	return 0;
}

/* outputs_sealed counts the events that describe outputs, one for each declared. */
static int
checks_events_sealed(struct check_ctx *x, struct err *e)
{
	size_t at = x->cert->event_count - 1, declared = checks_events_request(x)->spec.output_count;
	uint64_t n = x->cert->events[at].u.outputs_sealed.outputs;
	char want[64], got[32];

	if (n == declared)
		return 0;
	snprintf(want, sizeof want, "%zu outputs", declared);
	snprintf(got, sizeof got, "%llu", (unsigned long long)n);
	return checks_events_fail(x, at, want, got, e);
}

int
checks_events_grammar(struct check_ctx *x, struct err *e)
{
	static check_fn *const steps[] = {
		checks_events_order, checks_events_texts, checks_events_asked, checks_events_image,
		checks_events_inputs, checks_events_outputs, checks_events_started,
		checks_events_finished, checks_events_sealed,
	};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (steps[i](x, e) != 0)
			return -1;
		if (x->v->checks[CHECK_EVENTS_GRAMMAR].result == VERDICT_FAIL)
			return 0;
	}
	x->facts.tpm = x->v->tpm = checks_events_request(x)->tpm;
	x->facts.image_measured = x->cert->events[1].u.image.image != RUN_SPEC_HOST ||
	    x->cert->events[1].u.image.has_verity;
	return checks_pass(x, CHECK_EVENTS_GRAMMAR, e);
}

int
checks_events_run_exit(struct check_ctx *x, struct err *e)
{
	const struct event *ev = certificate_event(x->cert, EVENT_RUN_FINISHED);
	const struct event *missing = certificate_event(x->cert, EVENT_OUTPUT_MISSING);
	const struct event_run_finished *f;

	if (ev == NULL)
		return checks_fail(x, CHECK_RUN_EXIT, "run_finished", e, "no such event");
	f = &ev->u.finished;
	if (!event_finished_ok(f)) {
		if (f->has_exit_code)
			return checks_fail(x, CHECK_RUN_EXIT, "exited with 0", e, "%s with %d",
			    event_reason_name(f->reason), f->exit_code);
		if (f->has_signal)
			return checks_fail(x, CHECK_RUN_EXIT, "exited with 0", e, "%s by signal %d",
			    event_reason_name(f->reason), f->signal);
		return checks_fail(x, CHECK_RUN_EXIT, "exited with 0", e, "%s",
		    event_reason_name(f->reason));
	}
	if (missing != NULL)
		return checks_fail(x, CHECK_RUN_EXIT, "every declared output", e, "output %s is missing: %s",
		    missing->u.missing.output.path, missing->u.missing.reason);
	if (!certificate_run_ok(x->cert))
		return checks_fail(x, CHECK_RUN_EXIT, "a run that ended well", e, "one that did not");
	return checks_pass(x, CHECK_RUN_EXIT, e);
}
