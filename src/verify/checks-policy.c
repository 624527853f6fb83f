/* The user's policy: what a certificate has to be beside good (aicert-policy(5)). */
#include "verify/checks.h"

#include "base/timestamp.h"
#include "verify/policy.h"

#define CHECKS_POLICY_AHEAD 300     /* seconds a host's clock may be ahead of ours */

static int
checks_policy_run(struct check_ctx *x, struct err *e)
{
	char hex[OID_HEX_SIZE];
	struct oid run;

	if (x->cert == NULL)
		return 0;
	if (oid_from_data(&run, x->cert->envelope.payload.data, x->cert->envelope.payload.len, e) != 0)
		return -1;
	if (!policy_denies(x->rq->policy, &run))
		return 0;
	oid_hex(&run, hex);
	return checks_fail(x, CHECK_POLICY, "a run that is not denied", e, "run %s", hex);
}

static int
checks_policy_image(struct check_ctx *x, struct err *e)
{
	const struct policy *p = x->rq->policy;

	if (p->image_count == 0)
		return 0;
	if (x->image == NULL)
		return checks_fail(x, CHECK_POLICY, "an image of the policy's, by a reference record", e,
		    "no reference record matches");
	return policy_allows_image(p, x->image) ? 0 :
	    checks_fail(x, CHECK_POLICY, "an image of the policy's", e, "%s", x->image);
}

static int
checks_policy_ak(struct check_ctx *x, struct err *e)
{
	const struct policy *p = x->rq->policy;
	char from[TIMESTAMP_SIZE], when[TIMESTAMP_SIZE];

	if (!p->has_ak_not_before)
		return 0;
	if (timestamp_format(from, p->ak_not_before, e) != 0)
		return -1;
	if (x->v->checks[CHECK_AK_CHAIN].result != VERDICT_PASS)
		return checks_fail(x, CHECK_POLICY, from, e, "no chain says when the AK was certified");
	if (x->ak_certified >= p->ak_not_before)
		return 0;
	if (timestamp_format(when, x->ak_certified, e) != 0)
		return -1;
	return checks_fail(x, CHECK_POLICY, from, e, "the AK was certified at %s", when);
}

/* By the host's word, so that only a host which tells the truth is caught.  Not asked of
 * ancestors: what a model was made from may be old. */
static int
checks_policy_age(struct check_ctx *x, struct err *e)
{
	const struct event *ev = x->cert != NULL ? certificate_event(x->cert, EVENT_RUN_FINISHED) : NULL;
	int64_t max = x->rq->policy->max_age;
	char when[TIMESTAMP_SIZE];

	if (max == 0 || x->cert == NULL || x->lineage->depth > 1)
		return 0;
	if (ev == NULL || !ev->u.finished.has_times)
		return checks_fail(x, CHECK_POLICY, "a run that is not too old", e, "it does not say when"
		    " it was");
	if (ev->u.finished.finished <= x->rq->time + CHECKS_POLICY_AHEAD &&
	    ev->u.finished.finished >= x->rq->time - max)
		return 0;
	if (timestamp_format(when, ev->u.finished.finished, e) != 0)
		return -1;
	return checks_fail(x, CHECK_POLICY, "a run that is not too old, nor of the future", e,
	    "finished at %s, as the host claims", when);
}

/* minLevel raised what is required already (verify.c). */
int
checks_policy(struct check_ctx *x, struct err *e)
{
	static check_fn *const steps[] = {
		checks_policy_run, checks_policy_image, checks_policy_ak, checks_policy_age,
	};

	if (x->rq->policy == NULL)
		return checks_skip(x, CHECK_POLICY, "no policy is configured", e);
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (steps[i](x, e) != 0)
			return -1;
		if (x->v->checks[CHECK_POLICY].result == VERDICT_FAIL)
			return 0;
	}
	return checks_pass(x, CHECK_POLICY, e);
}
