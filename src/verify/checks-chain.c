/* The lineage: every madeBy is followed, every ancestor judged once. */
#include "verify/checks.h"

#include <string.h>

static const struct verdict *
checks_chain_known(const struct checks_lineage *l, const struct oid *id)
{
	for (size_t i = 0; i < l->done_count; i++) {
		if (oid_equal(&l->done[i]->certificate, id))
			return l->done[i];
	}
	return NULL;
}

static bool
checks_chain_active(const struct checks_lineage *l, const struct oid *id)
{
	for (size_t i = 0; i < l->depth; i++) {
		if (oid_equal(&l->active[i], id))
			return true;
	}
	return false;
}

static int
checks_chain_remember(struct checks_lineage *l, struct verdict *v, struct err *e)
{
	struct verdict **done = realloc(l->done, (l->done_count + 1) * sizeof *done);

	if (done == NULL)
		return err_nomem(e);
	l->done = done;
	done[l->done_count++] = v;
	return 0;
}

/* The ancestor as a certificate of its own; *ret stays NULL where bounds or a
 * cycle keep it from being judged, and the check has failed then. */
static int
checks_chain_judge(struct check_ctx *x, const struct resource_made_by *by, const struct buf *bytes,
    const struct verdict **ret, struct err *e)
{
	struct checks_lineage *l = x->lineage;
	struct verify_request rq = {
		.id = by->certificate,
		.data = bytes->data,
		.len = bytes->len,
		.fetch = x->rq->fetch,
		.fetch_arg = x->rq->fetch_arg,
		.trust = x->rq->trust,
		.memo = x->rq->memo,
		.policy = x->rq->policy,
		.crls = x->rq->crls,
		.crl_count = x->rq->crl_count,
		.references = x->rq->references,
		.required = x->rq->required,
		.time = x->time, /* what this one is made from was there before it */
		.time_source = x->v->time_source,
		.chain = VERIFY_CHAIN_JUDGED,
	};
	struct verdict *v;

	*ret = checks_chain_known(l, &by->certificate);
	if (*ret != NULL)
		return 0;
	if (checks_chain_active(l, &by->certificate))
		return checks_fail(x, CHECK_CHAIN_INPUTS, "a lineage with a beginning", e,
		    "%s descends from itself", by->path);
	if (l->depth > CHECKS_DEPTH_MAX || l->done_count >= CHECKS_ANCESTORS_MAX)
		return checks_fail(x, CHECK_CHAIN_INPUTS, "a lineage within bounds", e,
		    "more than %d generations or %d certificates", CHECKS_DEPTH_MAX,
		    CHECKS_ANCESTORS_MAX);
	if (verify_one(&rq, l, by->path, &v, e) != 0)
		return -1;
	if (checks_chain_remember(l, v, e) != 0) {
		verdict_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

/* What the ancestor's verdict means for its descendant; levels are another matter. */
static int
checks_chain_weigh(struct check_ctx *x, const struct resource_made_by *by, const struct buf *bytes,
    struct err *e)
{
	char id[OID_TEXT_SIZE], wanted[1024];
	const struct verdict *v;

	if (checks_chain_judge(x, by, bytes, &v, e) != 0)
		return -1;
	if (v == NULL)
		return 0;
	oid_text(&by->certificate, id);
	snprintf(wanted, sizeof wanted, "a good certificate of %s", by->path);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		const struct verdict_item *item = &v->checks[c];

		if (item->result == VERDICT_FAIL)
			return checks_fail(x, CHECK_CHAIN_INPUTS, wanted, e,
			    "%s fails %s: expected %s, found %s", id, verdict_check_name(c),
			    item->expected != NULL ? item->expected : "-",
			    item->found != NULL ? item->found : "-");
	}
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (v->checks[c].missing && verdict_missing(x->v, CHECK_CHAIN_INPUTS,
		    v->checks[c].found + strlen("missing "), e) != 0)
			return -1;
	}
	if (v->level < x->ancestors_level)
		x->ancestors_level = v->level;
	if (v->level < LEVEL_SIMULATED && !x->v->checks[CHECK_CHAIN_INPUTS].missing)
		return checks_fail(x, CHECK_CHAIN_INPUTS, wanted, e, "%s reaches no level", id);
	return 0;
}

/* Every input said to be made by this certificate is an output of it. */
static int
checks_chain_outputs(struct check_ctx *x, const struct resource_made_by *by,
    const struct certificate *ancestor, struct err *e)
{
	for (size_t i = 0; i < x->cert->event_count; i++) {
		const struct resource_input *in = &x->cert->events[i].u.input;
		const struct resource *out;
		char wanted[1024];

		if (x->cert->events[i].kind != EVENT_INPUT_RESOURCE || in->made_by == NULL ||
		    !oid_equal(&in->made_by->certificate, &by->certificate))
			continue;
		out = certificate_output(ancestor, in->made_by->path);
		if (out != NULL && resource_same_content(out, &in->thing))
			continue;
		snprintf(wanted, sizeof wanted, "input %s as output %s of the certificate in madeBy",
		    in->thing.path, in->made_by->path);
		return checks_fail(x, CHECK_CHAIN_INPUTS, wanted, e, "%s",
		    out == NULL ? "it has no such output" : "another content");
	}
	return 0;
}

static int
checks_chain_ancestor(struct check_ctx *x, const struct resource_made_by *by, struct err *e)
{
	CLEANUP(certificate_free) struct certificate ancestor = {0};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct object_ref ref = {.type = OBJECT_CERTIFICATE, .id = by->certificate};
	struct err why;
	bool ok;

	if (checks_fetch(x, CHECK_CHAIN_INPUTS, &ref, &bytes, &ok, e) != 0)
		return -1;
	if (!ok)
		return 0;
	if (x->rq->chain == VERIFY_CHAIN_JUDGED && checks_chain_weigh(x, by, &bytes, e) != 0)
		return -1;
	if (x->v->checks[CHECK_CHAIN_INPUTS].result == VERDICT_FAIL)
		return 0;
	if (certificate_decode(bytes.data, bytes.len, &ancestor, &why) != 0)
		return checks_error(x, CHECK_CHAIN_INPUTS, "a certificate", &why, e);
	return checks_chain_outputs(x, by, &ancestor, e);
}

/* The first input that names this certificate: it stands for the others. */
static bool
checks_chain_first(const struct certificate *c, size_t at)
{
	const struct oid *id = &c->events[at].u.input.made_by->certificate;

	for (size_t i = 0; i < at; i++) {
		const struct event *ev = &c->events[i];

		if (ev->kind == EVENT_INPUT_RESOURCE && ev->u.input.made_by != NULL &&
		    oid_equal(&ev->u.input.made_by->certificate, id))
			return false;
	}
	return true;
}

static int
checks_chain_unproven(struct check_ctx *x, const struct resource_input *in, struct err *e)
{
	char id[OID_TEXT_SIZE];

	oid_text(&in->thing.digests.sha256, id);
	return verdict_note(x->v, e, CHECKS_UNPROVEN "%s (%s, %s%s%s)", in->thing.path, in->thing.kind,
	    id, in->source != NULL ? ", said to be from " : "", in->source != NULL ? in->source : "");
}

int
checks_chain_inputs(struct check_ctx *x, struct err *e)
{
	const struct verdict_item *item = &x->v->checks[CHECK_CHAIN_INPUTS];
	bool any = false;

	for (size_t i = 0; i < x->cert->event_count && item->result != VERDICT_FAIL; i++) {
		const struct event *ev = &x->cert->events[i];

		if (ev->kind != EVENT_INPUT_RESOURCE)
			continue;
		any = any || ev->u.input.made_by != NULL;
		if (x->rq->chain == VERIFY_CHAIN_NONE)
			continue;
		if (ev->u.input.made_by == NULL) {
			if (x->rq->chain == VERIFY_CHAIN_JUDGED && checks_chain_unproven(x, &ev->u.input, e) != 0)
				return -1;
		} else if (checks_chain_first(x->cert, i) &&
		    checks_chain_ancestor(x, ev->u.input.made_by, e) != 0) {
			return -1;
		}
	}
	if (item->result == VERDICT_FAIL || item->missing)
		return 0;
	if (any && x->rq->chain != VERIFY_CHAIN_JUDGED)
		return checks_skip(x, CHECK_CHAIN_INPUTS, x->rq->chain == VERIFY_CHAIN_NAMED ?
		    "ancestors are judged by themselves" : "ancestors were not asked for", e);
	return checks_pass(x, CHECK_CHAIN_INPUTS, e);
}
