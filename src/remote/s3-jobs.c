#include <stdatomic.h>
#include "base/interrupt.h"
#include "base/progress.h"
#include "crypto/hash.h"
#include "remote/s3-internal.h"

#define S3_JOBS_AHEAD (S3_CONNECTIONS + 1)
#define S3_JOBS_TICK_MS 200

struct s3_jobs {
	const struct s3_feed *feed;
	struct workers *workers;
	struct progress progress;
	_Atomic uint64_t moved;     /* not shown yet */
	size_t running;
	bool dry;                   /* there are no more */
};

void
s3_jobs_key(const struct oid *id, char ret[BUCKET_KEY_MAX])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	snprintf(ret, BUCKET_KEY_MAX, "objects/%s", hex);
}

void
s3_jobs_moved(void *job, uint64_t n)
{
	atomic_fetch_add(&((struct s3_job *)job)->jobs->moved, n);
}

static void
s3_jobs_thread(struct workers_job *job)
{
	struct s3_job *j = (struct s3_job *)job;
	struct s3 *s = j->jobs->feed->s;
	struct http *h;

	j->rc = workers_check(j->jobs->workers, &j->error);
	if (j->rc != 0)
		return;
	j->rc = s3_request_take(s, &h, &j->error);
	if (j->rc != 0)
		return;
	j->rc = j->run(j, h, &j->error);
	s3_request_give(s, h);
}

static int
s3_jobs_fill(struct s3_jobs *q, struct err *e)
{
	while (!q->dry && q->running < S3_JOBS_AHEAD) {
		struct s3_job *j = NULL;
		int rc = q->feed->next(q->feed->arg, &j, e);

		if (rc < 0)
			return -1;
		q->dry = rc == 0;
		if (rc == 0)
			break;
		j->jobs = q;
		j->job.run = s3_jobs_thread;
		q->running++;
		workers_submit(q->workers, WORKERS_COMPUTE, &j->job);
	}
	return 0;
}

static int
s3_jobs_loop(struct s3_jobs *q, struct err *e)
{
	for (;;) {
		struct s3_job *j;

		if (interrupt_check(e) != 0 || s3_jobs_fill(q, e) != 0)
			return -1;
		if (q->running == 0)
			return 0;
		j = (struct s3_job *)workers_take(q->workers, S3_JOBS_TICK_MS);
		progress_add(&q->progress, atomic_exchange(&q->moved, 0));
		if (j == NULL)
			continue;
		q->running--;
		if (q->feed->done(q->feed->arg, j, e) != 0)
			return -1;
	}
}

/* After a failure: what is under way ends, and is given back. */
static void
s3_jobs_drain(struct s3_jobs *q)
{
	struct err ignored;

	workers_cancel(q->workers);
	while (q->running > 0) {
		struct s3_job *j = (struct s3_job *)workers_take(q->workers, 1000);

		if (j == NULL)
			continue;
		q->running--;
		(void)!q->feed->done(q->feed->arg, j, &ignored);
	}
}

int
s3_jobs_run(const struct s3_feed *f, struct err *e)
{
	struct s3_jobs q = {.feed = f};
	int rc;

	if (workers_start(S3_CONNECTIONS, &q.workers, e) != 0)
		return -1;
	progress_start(&q.progress, f->r->progress, f->label, f->total);
	rc = s3_jobs_loop(&q, e);
	if (rc != 0)
		s3_jobs_drain(&q);
	progress_end(&q.progress);
	workers_stop(q.workers);
	return rc;
}

int
s3_jobs_outcome(struct remote *r, struct s3_job *j, struct err *e)
{
	char hex[OID_HEX_SIZE];

	switch (j->error.code) {
	case ERR_CANCELLED:
	case ERR_DENIED:
	case ERR_NETWORK:
	case ERR_NOMEM:
	case ERR_INTERNAL:
		*e = j->error;
		return -1;
	case ERR_NOTFOUND:
		j->item->state = REMOTE_LACKS;
		return 0;
	default:
		break;
	}
	j->item->state = REMOTE_FAILED;
	oid_hex(&j->item->ref.id, hex);
	notice_say(&r->notice, "object %s: %s", hex, j->error.msg);
	return 0;
}
