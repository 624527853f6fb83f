/* Which large objects are there: a few are asked for one by one, many are listed. */
#include <string.h>
#include "remote/s3-internal.h"

#define S3_MISSING_HEADS 64
#define S3_MISSING_TOKEN_MAX 2048
#define S3_MISSING_PAGES 100000u

struct s3_heads {
	struct s3 *s;
	struct remote_item *items;
	size_t count, next;
};

static int
s3_head_run(struct s3_job *j, struct http *h, struct err *e)
{
	struct s3 *s = ((struct s3_heads *)j->arg)->s;
	CLEANUP(http_response_free) struct http_response rs = {0};
	char key[BUCKET_KEY_MAX];
	const struct s3_call c = {.method = "HEAD", .key = key, .max = S3_ANSWER_MAX};

	s3_jobs_key(&j->item->ref.id, key);
	if (s3_request(s, h, &c, &rs, e) != 0)
		return -1;
	return http_ok(&rs) ? 0 : s3_request_problem(s, &rs, key, e);
}

static int
s3_head_next(void *arg, struct s3_job **ret, struct err *e)
{
	struct s3_heads *q = arg;
	struct s3_job *j;

	if (q->next == q->count)
		return 0;
	j = calloc(1, sizeof *j);
	if (j == NULL)
		return err_nomem(e);
	*j = (struct s3_job){.run = s3_head_run, .arg = q, .item = &q->items[q->next++]};
	*ret = j;
	return 1;
}

static int
s3_head_done(void *arg, struct s3_job *j, struct err *e)
{
	struct s3_heads *q = arg;
	int rc = 0;

	if (j->rc == 0)
		j->item->state = REMOTE_HAS;
	else
		rc = s3_jobs_outcome(q->s->bucket.remote, j, e);
	free(j);
	return rc;
}

static int
s3_missing_heads(struct s3 *s, struct remote_item *items, size_t n, struct err *e)
{
	struct s3_heads q = {.s = s, .items = items, .count = n};
	const struct s3_feed f = {
		.s = s, .r = s->bucket.remote, .label = "asking", .next = s3_head_next, .done = s3_head_done,
		.arg = &q,
	};

	return s3_jobs_run(&f, e);
}

/* --- lists --- */

static int
s3_list_order(const void *a, const void *b)
{
	return oid_compare(&(*(struct remote_item *const *)a)->ref.id,
	    &(*(struct remote_item *const *)b)->ref.id);
}

struct s3_list {
	struct s3 *s;
	struct remote_item **sorted;
	size_t count;
	char folder[S3_PATH_SIZE];          /* "<prefix>objects/" */
	char token[S3_MISSING_TOKEN_MAX];   /* of the next page; "": the first */
};

static void
s3_list_take(struct s3_list *l, struct s3_xml x)
{
	size_t skip = strlen(l->folder);
	char key[S3_PATH_SIZE];
	struct s3_xml one;

	while (s3_xml_next(&x, "Contents", &one)) {
		struct remote_item wanted = {0}, *p = &wanted, **found;

		if (!s3_xml_text(one, "Key", key, sizeof key) || strncmp(key, l->folder, skip) != 0 ||
		    oid_from_hex(&wanted.ref.id, key + skip, NULL) != 0)
			continue;
		found = bsearch(&p, l->sorted, l->count, sizeof *l->sorted, s3_list_order);
		if (found != NULL)
			(*found)->state = REMOTE_HAS;
	}
}

/* 1: there are more pages. */
static int
s3_list_page(struct s3_list *l, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(buf_free) struct buf query = BUF_INIT;
	struct s3_call c = {.method = "GET", .key = "", .max = S3_ANSWER_MAX};
	struct s3_xml x;
	char more[8];

	if (l->token[0] != '\0') {
		buf_adds(&query, "continuation-token=");
		s3_request_escape(l->token, &query);
		buf_addc(&query, '&');
	}
	buf_adds(&query, "list-type=2&max-keys=1000&prefix=");
	s3_request_escape(l->folder, &query);
	c.query = buf_str(&query);
	if (buf_check(&query, e) != 0 || s3_request(l->s, l->s->http, &c, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return s3_request_problem(l->s, &rs, "", e);
	x = (struct s3_xml){(const char *)rs.body.data, rs.body.len};
	s3_list_take(l, x);
	return s3_xml_text(x, "IsTruncated", more, sizeof more) && strcmp(more, "true") == 0 &&
	    s3_xml_text(x, "NextContinuationToken", l->token, sizeof l->token) ? 1 : 0;
}

static int
s3_missing_list(struct s3_list *l, struct remote_item *items, size_t n, struct err *e)
{
	int rc = 1;

	l->sorted = calloc(n, sizeof(struct remote_item *));
	if (l->sorted == NULL)
		return err_nomem(e);
	l->count = n;
	for (size_t i = 0; i < n; i++) {
		items[i].state = REMOTE_LACKS;
		l->sorted[i] = &items[i];
	}
	qsort(l->sorted, n, sizeof *l->sorted, s3_list_order);
	snprintf(l->folder, sizeof l->folder, "%sobjects/", l->s->place.prefix);
	for (unsigned page = 0; rc == 1 && page < S3_MISSING_PAGES; page++)
		rc = s3_list_page(l, e);
	free(l->sorted);
	return rc < 0 ? -1 : 0;
}

int
s3_missing(void *self, struct remote_item *items, size_t n, struct err *e)
{
	struct s3 *s = self;
	struct s3_list l = {.s = s};

	if (n > S3_MISSING_HEADS && s3_missing_list(&l, items, n, e) == 0)
		return 0;
	if (n > S3_MISSING_HEADS && e->code != ERR_DENIED && e->code != ERR_UNSUPPORTED)
		return -1;
	return n == 0 ? 0 : s3_missing_heads(s, items, n, e);
}
