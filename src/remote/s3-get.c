#include <poll.h>
#include "base/interrupt.h"
#include "remote/s3-internal.h"
#include "store/odb.h"
#include "store/part.h"

#define S3_GET_TRIES 6                  /* without a byte */
#define S3_GET_WAIT_MS 200

struct s3_get {
	struct s3 *s;
	struct remote *r;
	struct remote_item *items;
	size_t count, next;
};

struct s3_get_job {
	struct s3_job job;          /* first */
	struct part *part;
};

/* --- in a thread --- */

static int
s3_get_take(void *arg, const void *data, size_t len, struct err *e)
{
	struct s3_get_job *g = arg;

	if (part_append(g->part, data, len, e) != 0)
		return -1;
	s3_jobs_moved(&g->job, len);
	return 0;
}

static int
s3_get_once(struct s3_get_job *g, struct http *h, struct err *e)
{
	struct s3 *s = ((struct s3_get *)g->job.arg)->s;
	CLEANUP(http_response_free) struct http_response rs = {0};
	char key[BUCKET_KEY_MAX];
	const struct s3_call c = {
		.method = "GET", .key = key, .range_start = part_length(g->part), .max = S3_ANSWER_MAX,
		.sink = s3_get_take, .sink_arg = g,
	};

	s3_jobs_key(&g->job.item->ref.id, key);
	if (s3_request(s, h, &c, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return s3_request_problem(s, &rs, key, e);
	if (g->job.item->exact && part_length(g->part) < g->job.item->size)
		return err_set(e, ERR_REFUSED, "the bucket has fewer bytes of it than the certificate says");
	return 0;
}

static int
s3_get_rest(struct s3_get_job *g, struct http *h, struct err *e)
{
	struct pollfd p = {.fd = interrupt_fd(), .events = POLLIN};

	for (unsigned try = 0; !g->job.item->exact || part_length(g->part) < g->job.item->size;) {
		uint64_t before = part_length(g->part);

		if (s3_get_once(g, h, e) == 0)
			return 0;
		try = part_length(g->part) > before ? 0 : try + 1;
		/* one that does not go on where it is asked to sends it all again */
		if ((e->code == ERR_FORMAT || e->code == ERR_NETWORK) && before > 0 &&
		    part_length(g->part) == before && try > 1 && part_restart(g->part, e) != 0)
			return -1;
		if ((e->code != ERR_NETWORK && e->code != ERR_FORMAT) || try == S3_GET_TRIES)
			return -1;
		(void)poll(&p, p.fd >= 0 ? 1 : 0, S3_GET_WAIT_MS << try);
		if (interrupt_check(e) != 0)
			return -1;
	}
	return 0;
}

static int
s3_get_run(struct s3_job *j, struct http *h, struct err *e)
{
	struct s3_get_job *g = (struct s3_get_job *)j;
	enum part_found found = PART_AGAIN;

	if (part_load(g->part, e) != 0)
		return -1;
	s3_jobs_moved(j, part_length(g->part));
	while (found == PART_AGAIN)
		if (s3_get_rest(g, h, e) != 0 || part_check(g->part, &found, e) != 0)
			return -1;
	return found == PART_WHOLE ? 0 : err_set(e, ERR_REFUSED, "the bucket has other bytes; nothing of"
	    " them is kept");
}

/* --- in the caller's thread --- */

static void
s3_get_free(struct s3_get_job *j)
{
	part_close(j->part);
	free(j);
}

static int
s3_get_next(void *arg, struct s3_job **ret, struct err *e)
{
	struct s3_get *g = arg;

	while (g->next < g->count) {
		struct remote_item *item = &g->items[g->next++];
		struct s3_get_job *j;

		if (odb_has_own(g->r->store, &item->ref.id)) {
			item->state = REMOTE_HAS;
			continue;
		}
		j = calloc(1, sizeof *j);
		if (j == NULL)
			return err_nomem(e);
		j->job = (struct s3_job){.run = s3_get_run, .arg = g, .item = item};
		if (part_open(g->r->store, &item->ref.id, item->size, &j->part, &j->job.error) == 0) {
			*ret = &j->job;
			return 1;
		}
		if (s3_jobs_outcome(g->r, &j->job, e) != 0) {
			s3_get_free(j);
			return -1;
		}
		s3_get_free(j);
	}
	return 0;
}

static int
s3_get_done(void *arg, struct s3_job *j, struct err *e)
{
	struct s3_get *g = arg;
	struct s3_get_job *job = (struct s3_get_job *)j;
	int rc = 0;

	if (j->rc == 0)
		j->rc = part_store(job->part, &j->error);
	if (j->rc == 0)
		j->item->state = REMOTE_HAS;
	else
		rc = s3_jobs_outcome(g->r, j, e);
	s3_get_free(job);
	return rc;
}

static int
s3_get_all(struct s3_get *g, struct err *e)
{
	struct s3_feed f = {
		.s = g->s, .r = g->r, .label = "fetching", .next = s3_get_next, .done = s3_get_done, .arg = g,
	};

	for (size_t i = 0; i < g->count; i++) {
		if (odb_keep(g->r->store, &g->items[i].ref.id, 1, e) != 0)
			return -1;
		f.total += g->items[i].exact ? g->items[i].size : 0;
	}
	return s3_jobs_run(&f, e);
}

int
s3_get(void *self, struct remote_item *items, size_t n, struct err *e)
{
	struct s3 *s = self;
	struct s3_get g = {.s = s, .r = s->bucket.remote, .items = items, .count = n};

	return n == 0 ? 0 : s3_get_all(&g, e);
}
