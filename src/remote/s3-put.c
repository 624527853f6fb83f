#include <string.h>
#include "remote/s3-internal.h"
#include "store/odb.h"

#define S3_PUT_WHOLE_MAX (64u * 1024 * 1024)    /* longer ones go in parts */

/* Objects that go in one request each; the others wait. */
struct s3_put {
	struct s3 *s;
	struct remote *r;
	struct remote_item *items;
	size_t count, next;
	bool *parts;                /* by item: it is too long for one request */
};

struct s3_put_job {
	struct s3_job job;          /* first */
	int fd;
	uint64_t size;
};

/* The server compares the digest that was signed: damaged bytes do not get in. */
static int
s3_put_send(struct s3_job *j, struct http *h, struct err *e)
{
	const struct s3_put_job *p = (const struct s3_put_job *)j;
	struct s3 *s = ((struct s3_put *)j->arg)->s;
	char key[BUCKET_KEY_MAX], hex[OID_HEX_SIZE];
	CLEANUP(http_response_free) struct http_response rs = {0};
	const struct s3_call c = {
		.method = "PUT", .key = key, .body_fd = p->fd, .body_fd_size = p->size, .payload = hex,
		.max = S3_ANSWER_MAX, .moved = s3_jobs_moved, .moved_arg = j,
	};

	s3_jobs_key(&j->item->ref.id, key);
	oid_hex(&j->item->ref.id, hex);
	if (s3_request(s, h, &c, &rs, e) != 0)
		return -1;
	if (http_ok(&rs))
		return 0;
	s3_request_problem(s, &rs, key, e);
	/* of this object alone: what was sent does not have the digest */
	if (rs.status == 400)
		e->code = ERR_REFUSED;
	if (e->code == ERR_NOTFOUND)
		e->code = ERR_IO;
	return -1;
}

/* An error that is of one object. */
static int
s3_put_unreadable(struct s3_put *p, struct remote_item *item, struct err *e)
{
	char hex[OID_HEX_SIZE];

	if (e->code != ERR_NOTFOUND && e->code != ERR_CORRUPT && e->code != ERR_IO)
		return -1;
	item->state = REMOTE_FAILED;
	oid_hex(&item->ref.id, hex);
	notice_say(&p->r->notice, "object %s: %s", hex, e->msg);
	return 0;
}

static int
s3_put_next(void *arg, struct s3_job **ret, struct err *e)
{
	struct s3_put *p = arg;

	while (p->next < p->count) {
		struct remote_item *item = &p->items[p->next++];
		struct s3_put_job *j = calloc(1, sizeof *j);

		if (j == NULL)
			return err_nomem(e);
		if (odb_open(p->r->store, &item->ref.id, &j->fd, &j->size, e) != 0) {
			free(j);
			if (s3_put_unreadable(p, item, e) != 0)
				return -1;
			continue;
		}
		if (j->size > S3_PUT_WHOLE_MAX) {
			p->parts[p->next - 1] = true;
			close(j->fd);
			free(j);
			continue;
		}
		j->job.run = s3_put_send;
		j->job.arg = p;
		j->job.item = item;
		*ret = &j->job;
		return 1;
	}
	return 0;
}

static int
s3_put_done(void *arg, struct s3_job *j, struct err *e)
{
	struct s3_put *p = arg;
	int rc = 0;

	if (j->rc == 0)
		j->item->state = REMOTE_HAS;
	else
		rc = s3_jobs_outcome(p->r, j, e);
	close(((struct s3_put_job *)j)->fd);
	free(j);
	return rc;
}

static int
s3_put_parts(struct s3_put *p, struct remote_item *item, struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	uint64_t size;

	if (odb_open(p->r->store, &item->ref.id, &fd, &size, e) != 0)
		return s3_put_unreadable(p, item, e);
	return s3_multipart(p->s, item, fd, size, e);
}

int
s3_put(void *self, struct remote_item *items, size_t n, struct err *e)
{
	struct s3 *s = self;
	CLEANUP(cleanup_free) bool *parts = calloc(n + 1, sizeof *parts);
	struct s3_put p = {.s = s, .r = s->bucket.remote, .items = items, .count = n, .parts = parts};
	struct s3_feed f = {
		.s = s, .r = p.r, .label = "sending", .next = s3_put_next, .done = s3_put_done, .arg = &p,
	};

	if (parts == NULL)
		return err_nomem(e);
	if (s3_probe(s, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		f.total += items[i].exact && items[i].size <= S3_PUT_WHOLE_MAX ? items[i].size : 0;
	if (s3_jobs_run(&f, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (parts[i] && s3_put_parts(&p, &items[i], e) != 0)
			return -1;
	return 0;
}
