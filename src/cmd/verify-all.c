#include "cmd/verify-all.h"

#include <pthread.h>
#include <string.h>
#include "base/interrupt.h"
#include "base/printable.h"
#include "base/workers.h"
#include "cmd/cmd.h"
#include "object/oid-list.h"
#include "store/history.h"
#include "store/odb.h"
#include "store/oid-map.h"
#include "store/refs.h"

#define VERIFY_ALL_AHEAD 64u    /* certificates in memory */

struct verify_all;

struct verify_all_job {
	struct workers_job job;     /* first: workers_take() gives it back */
	struct verify_all *all;
	struct oid id;
	struct buf bytes;
	struct verdict *v;          /* NULL: error */
	struct err error;
	bool done;
};

struct verify_all {
	struct store *s;            /* of one thread at a time: lock */
	pthread_mutex_t lock;
	const struct verify_request *rq;
	const struct verify_all_options *o;
	struct oid_list certificates;
	struct oid_map seen;
	struct memo *memo;
	size_t pass, fail, undecided;
	struct err *e;
	bool broken;
	struct verify_all_job ring[VERIFY_ALL_AHEAD];
};

static int
verify_all_add(void *arg, const struct oid *id UNUSED, const struct commit *c)
{
	struct verify_all *a = arg;
	bool new_;

	if (c->kind != COMMIT_RUN || !c->has_subject)
		return 0;
	if (oid_map_add(&a->seen, &c->subject.id, 0, &new_, a->e) != 0)
		goto broken;
	if (!new_)
		return 0;
	if (oid_list_add(&a->certificates, &c->subject.id, a->e) == 0)
		return 0;
broken:
	a->broken = true;
	return 1;
}

/* An ancestor that no commit names is a line too; without it there is a check missing already. */
static int
verify_all_ancestor(struct verify_all *a, const struct oid *id, struct err *e)
{
	bool there, fresh;
	int rc;

	pthread_mutex_lock(&a->lock);
	rc = odb_find(a->s, id, &there, e);
	pthread_mutex_unlock(&a->lock);
	if (rc != 0 || !there)
		return rc;
	if (oid_map_add(&a->seen, id, 0, &fresh, e) != 0)
		return -1;
	return fresh ? oid_list_add(&a->certificates, id, e) : 0;
}

static int
verify_all_ancestors(struct verify_all *a, const struct buf *bytes, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};
	struct err why;

	if (certificate_decode(bytes->data, bytes->len, &c, &why) != 0)
		return 0; /* its verdict has said so */
	for (size_t i = 0; i < c.event_count; i++) {
		const struct resource_input *in = &c.events[i].u.input;

		if (c.events[i].kind == EVENT_INPUT_RESOURCE && in->made_by != NULL &&
		    verify_all_ancestor(a, &in->made_by->certificate, e) != 0)
			return -1;
	}
	return 0;
}

struct verify_all_tips {
	struct oid_list commits;
	int rc;
	struct err *e;
};

static int
verify_all_tip(void *arg, const char *name UNUSED, const struct object_ref *ref)
{
	struct verify_all_tips *t = arg;

	if (ref->type == OBJECT_COMMIT)
		t->rc = oid_list_add(&t->commits, &ref->id, t->e);
	return t->rc;
}

/* The certificates of every commit that a ref reaches. */
static int
verify_all_list(struct verify_all *a, struct err *e)
{
	struct verify_all_tips tips = {.e = e};
	int rc;

	a->e = e;
	for (size_t i = 0; i < a->o->id_count; i++)
		if (oid_list_add(&a->certificates, &a->o->ids[i], e) != 0)
			return -1;
	if (a->o->ids != NULL)
		return 0;
	rc = refs_each(a->s, "refs/", verify_all_tip, &tips, e) != 0 ? -1 : tips.rc;
	if (rc == 0)
		rc = history_walk(a->s, tips.commits.ids, tips.commits.count, verify_all_add, a, e);
	oid_list_free(&tips.commits);
	return rc != 0 || a->broken ? -1 : 0;
}

static int
verify_all_fetch(void *arg, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	struct verify_all *a = arg;
	int rc;

	pthread_mutex_lock(&a->lock);
	rc = cmd_fetch(a->s, id, max, ret, e);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

static void
verify_all_judge(struct workers_job *job)
{
	struct verify_all_job *j = (struct verify_all_job *)job;
	struct verify_request rq = *j->all->rq;

	if (verify_all_fetch(j->all, &j->id, CERTIFICATE_BYTES_MAX, &j->bytes, &j->error) != 0)
		return;
	rq.id = j->id;
	rq.data = j->bytes.data;
	rq.len = j->bytes.len;
	rq.fetch = verify_all_fetch;
	rq.fetch_arg = j->all;
	rq.memo = j->all->memo;
	if (j->all->o->ids == NULL)
		rq.chain = VERIFY_CHAIN_NAMED;
	if (verify_certificate(&rq, &j->v, &j->error) != 0)
		j->v = NULL;
}

static void
verify_all_line(const struct verdict *v)
{
	static const char *const words[] = {
		[ANSWER_FAIL] = "FAIL", [ANSWER_UNDECIDED] = "UNDECIDED", [ANSWER_PASS] = "PASS",
	};
	char id[CMD_SHORT_SIZE];

	cmd_short(&v->certificate, id);
	printf("%-9s  %-12s  %s", words[v->answer], verdict_level_name(v->level), id);
	if (v->run.known)
		printf("  %s", v->run.command);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		if (v->checks[c].result == VERDICT_FAIL || v->checks[c].missing)
			printf("  %s: %s", verdict_check_name(c), v->checks[c].found != NULL ?
			    v->checks[c].found : "fails");
	if (v->answer == ANSWER_FAIL && v->level < v->required)
		printf("  (%s is required)", verdict_level_name(v->required));
	putchar('\n');
}

/* In the order of the history, whichever thread was first. */
static int
verify_all_report(struct verify_all *a, struct verify_all_job *j, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char id[CMD_SHORT_SIZE];
	int rc = 0;

	if (j->v == NULL) {
		cmd_short(&j->id, id);
		*e = j->error;
		return err_prefix(e, "certificate %s", id);
	}
	a->pass += j->v->answer == ANSWER_PASS;
	a->fail += j->v->answer == ANSWER_FAIL;
	a->undecided += j->v->answer == ANSWER_UNDECIDED;
	if (a->o->ids == NULL && verify_all_ancestors(a, &j->bytes, e) != 0)
		return -1;
	if (a->o->report != NULL) {
		/* the others wait for the store meanwhile */
		pthread_mutex_lock(&a->lock);
		rc = a->o->report(a->o->report_arg, j->v, e);
		pthread_mutex_unlock(&a->lock);
	} else if (!a->o->json)
		verify_all_line(j->v);
	else if ((rc = verdict_to_json(j->v, &text, e)) == 0)
		printf("%s\n", buf_str(&text));
	return rc;
}

static void
verify_all_job_clear(struct verify_all_job *j)
{
	verdict_free(j->v);
	buf_free(&j->bytes);
	*j = (struct verify_all_job){.all = j->all};
}

static void
verify_all_submit(struct verify_all *a, struct workers *w, size_t i)
{
	struct verify_all_job *j = &a->ring[i % VERIFY_ALL_AHEAD];

	*j = (struct verify_all_job){.job.run = verify_all_judge, .all = a, .id = a->certificates.ids[i]};
	workers_submit(w, WORKERS_COMPUTE, &j->job);
}

static int
verify_all_run(struct verify_all *a, struct workers *w, struct err *e)
{
	size_t submitted = 0, reported = 0;

	while (reported < a->certificates.count) {
		struct verify_all_job *next = &a->ring[reported % VERIFY_ALL_AHEAD];

		while (submitted < a->certificates.count && submitted - reported < VERIFY_ALL_AHEAD)
			verify_all_submit(a, w, submitted++);
		while (!next->done) {
			struct workers_job *job = workers_take(w, 100);

			if (job != NULL)
				((struct verify_all_job *)job)->done = true;
			if (interrupt_check(e) != 0)
				return -1;
		}
		if (verify_all_report(a, next, e) != 0)
			return -1;
		verify_all_job_clear(next);
		reported++;
	}
	return 0;
}

static void
verify_all_end(struct verify_all *a, struct workers *w)
{
	workers_cancel(w);
	while (workers_pending(w) > 0)
		(void)workers_take(w, 1000);
	workers_stop(w);
	for (size_t i = 0; i < VERIFY_ALL_AHEAD; i++)
		verify_all_job_clear(&a->ring[i]);
}

static unsigned
verify_all_threads(const struct verify_all_options *o)
{
	if (o->threads == 0)
		return workers_processors(WORKERS_MAX);
	return o->threads < WORKERS_MAX ? o->threads : WORKERS_MAX;
}

static void
verify_all_free(struct verify_all **a)
{
	if (*a == NULL)
		return;
	oid_list_free(&(*a)->certificates);
	oid_map_free(&(*a)->seen);
	memo_free((*a)->memo);
	pthread_mutex_destroy(&(*a)->lock);
	free(*a);
}

int
verify_all(struct store *s, const struct verify_request *rq, const struct verify_all_options *o,
    struct err *e)
{
	CLEANUP(verify_all_free) struct verify_all *a = calloc(1, sizeof *a);
	struct workers *w;
	int rc;

	if (a == NULL)
		return err_nomem(e);
	pthread_mutex_init(&a->lock, NULL);
	a->s = s;
	a->rq = rq;
	a->o = o;
	if (memo_new(&a->memo, e) != 0 || verify_all_list(a, e) != 0 ||
	    workers_start(verify_all_threads(o), &w, e) != 0)
		return -1;
	rc = verify_all_run(a, w, e);
	verify_all_end(a, w);
	if (rc != 0)
		return -1;
	if (!o->json && o->report == NULL)
		printf("%zu certificate%s: %zu pass, %zu fail, %zu undecided\n", a->certificates.count,
		    printable_s(a->certificates.count), a->pass, a->fail, a->undecided);
	if (o->ids == NULL && a->certificates.count == 0)
		return err_set(e, ERR_NOTFOUND, "verify: no ref of this store leads to a certificate");
	return a->fail > 0 ? 1 : a->undecided > 0 ? 3 : 0;
}
