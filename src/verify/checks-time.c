/* When the certificate existed, by somebody else's word: a time stamp over its bytes. */
#include "verify/checks.h"

#include <string.h>
#include "base/printable.h"
#include "base/timestamp.h"
#include "crypto/time-stamp.h"

#define CHECKS_TIME_AHEAD 300       /* seconds an authority's clock may be ahead of ours */

/* Authorities whose entries count now; index maps them back. */
static bool
checks_time_anchors(const struct check_ctx *x, const struct x509_cert **anchors, size_t *index,
    struct time_stamp_request *rq)
{
	const struct trust *trust = x->rq->trust;

	for (size_t i = 0; trust != NULL && i < trust->count; i++) {
		const struct trust_entry *t = &trust->entries[i];

		if (t->purpose != TRUST_TSA || x->rq->time < t->not_before || x->rq->time > t->not_after)
			continue;
		anchors[rq->anchor_count] = t->cert;
		index[rq->anchor_count++] = i;
	}
	rq->anchors = anchors;
	return rq->anchor_count > 0;
}

/* The time at which everything else is judged, unless another was asked for. */
static int
checks_time_use(struct check_ctx *x, int64_t time, struct err *e)
{
	char *source;

	if (x->rq->time_source != NULL && strcmp(x->rq->time_source, "now") != 0)
		return 0;
	source = buf_strdup("evidence", e);
	if (source == NULL)
		return -1;
	free(x->v->time_source);
	x->v->time_source = source;
	x->time = x->v->time = time;
	return 0;
}

static int
checks_time_judge(struct check_ctx *x, const struct x509_cert **anchors, size_t *index,
    struct err *e)
{
	static const char wanted[] = "a time stamp over this certificate by a pinned authority";
	struct time_stamp_request rq = {.data = x->rq->time_stamp->data, .len = x->rq->time_stamp->len};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	char when[TIMESTAMP_SIZE];
	size_t anchor;
	int64_t time;
	bool ok;

	if (!checks_time_anchors(x, anchors, index, &rq))
		return checks_skip(x, CHECK_TIME_PROOF, "no trust entry of purpose tsa vouches for a time"
		    " stamp", e);
	if (hash_once(HASH_SHA256, x->rq->data, x->rq->len, rq.imprint, e) != 0 ||
	    time_stamp_judge(&rq, &ok, &time, &anchor, &reason, e) != 0)
		return -1;
	if (!ok)
		return checks_fail(x, CHECK_TIME_PROOF, wanted, e, "%s", buf_str(&reason));
	if (timestamp_format(when, time, e) != 0)
		return -1;
	if (time > x->rq->time + CHECKS_TIME_AHEAD)
		return checks_fail(x, CHECK_TIME_PROOF, wanted, e, "a time stamp of the future: %s", when);
	buf_addf(&reason, "it existed at %s, by the word of %s", when,
	    x->rq->trust->entries[index[anchor]].name);
	if (buf_check(&reason, e) != 0 || checks_time_use(x, time, e) != 0)
		return -1;
	return verdict_set(x->v, CHECK_TIME_PROOF, VERDICT_PASS, NULL, buf_str(&reason), e);
}

/* Before all others, which are judged at the time it gives. */
int
checks_time_load(struct check_ctx *x, struct err *e)
{
	CLEANUP(cleanup_free) const struct x509_cert **anchors = NULL;
	CLEANUP(cleanup_free) size_t *index = NULL;
	size_t count = x->rq->trust != NULL ? x->rq->trust->count : 0;

	if (x->rq->time_stamp == NULL)
		return 0;
	anchors = calloc(count + 1, sizeof *anchors);
	index = calloc(count + 1, sizeof *index);
	if (anchors == NULL || index == NULL)
		return err_nomem(e);
	return checks_time_judge(x, anchors, index, e);
}

/* In its place among the checks. */
int
checks_time_proof(struct check_ctx *x, struct err *e)
{
	return x->rq->time_stamp != NULL ? 0 :
	    checks_skip(x, CHECK_TIME_PROOF, "no time stamp was given", e);
}
