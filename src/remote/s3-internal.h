/* What s3.c and its parts share. */
#ifndef REMOTE_S3_INTERNAL_H
#define REMOTE_S3_INTERNAL_H

#include <pthread.h>
#include "base/workers.h"
#include "net/http.h"
#include "remote/bucket.h"
#include "remote/s3-credentials.h"
#include "remote/s3-place.h"
#include "remote/s3-xml.h"

#define S3_CONNECTIONS 4
#define S3_ANSWER_MAX (8u * 1024 * 1024)
#define S3_PATH_SIZE 2048
#define S3_UPLOAD_ID_MAX 1024

struct s3 {
	struct bucket bucket;       /* first: what bucket.h works with */
	struct s3_place place;
	bool anonymous;             /* there is no key: only what is public can be read */
	bool probed;                /* conditional writes were seen to work */
	struct http *http;          /* of the thread that opened the remote */
	pthread_mutex_t lock;       /* of idle */
	struct http *idle[S3_CONNECTIONS];
	size_t idle_count;
};

/* s3.c: once before the first write, that the server knows conditional ones. */
int s3_probe(struct s3 *s, struct err *e) MUST_CHECK;

/* --- s3-request.c: one request, again where that may help --- */

struct s3_call {
	const char *method;
	const char *key;            /* without the prefix; "": the bucket itself */
	const char *query;          /* sorted, encoded; NULL: none */
	const void *body;
	size_t body_len;
	int body_fd;                /* when body is NULL and body_fd_size > 0 */
	uint64_t body_fd_offset, body_fd_size;
	const char *payload;        /* SHA-256 of the body, hex; NULL: none */
	const char *header;         /* one more; NULL: none */
	uint64_t range_start;
	size_t max;
	http_sink *sink;
	void *sink_arg;
	http_moved *moved;
	void *moved_arg;
	bool once;                  /* not again after a lost answer */
};

/* Every answer but those that say "later" is the caller's, with the status as it is. */
int s3_request(struct s3 *s, struct http *h, const struct s3_call *c, struct http_response *ret,
    struct err *e) MUST_CHECK;
/* An answer that is not what was wanted, as an error. */
int s3_request_problem(const struct s3 *s, const struct http_response *rs, const char *key,
    struct err *e);
/* As part of a query: everything but letters, digits and -._~ is escaped. */
void s3_request_escape(const char *text, struct buf *ret);
/* A connection for one job of another thread. */
int s3_request_take(struct s3 *s, struct http **ret, struct err *e) MUST_CHECK;
void s3_request_give(struct s3 *s, struct http *h);

/* --- s3-jobs.c: several requests at a time --- */

struct s3_jobs;
struct s3_job;
typedef int s3_job_fn(struct s3_job *j, struct http *h, struct err *e);

struct s3_job {
	struct workers_job job;     /* first: workers_take() gives it back */
	struct s3_jobs *jobs;
	s3_job_fn *run;             /* in a thread of its own */
	int rc;
	struct err error;
	void *arg;                  /* the caller's */
	struct remote_item *item;
};

struct s3_feed {
	struct s3 *s;
	struct remote *r;
	const char *label;
	uint64_t total;             /* bytes, for the progress */
	/* 1: *ret is to be run; 0: no more; -1.  In the caller's thread. */
	int (*next)(void *arg, struct s3_job **ret, struct err *e);
	/* It has run; frees it.  -1 ends everything. */
	int (*done)(void *arg, struct s3_job *j, struct err *e);
	void *arg;
};
int s3_jobs_run(const struct s3_feed *f, struct err *e) MUST_CHECK;
/* Any thread; a http_moved. */
void s3_jobs_moved(void *job, uint64_t n);
/* An error that concerns the remote as a whole; else the item's state and what is told. */
int s3_jobs_outcome(struct remote *r, struct s3_job *j, struct err *e) MUST_CHECK;
void s3_jobs_key(const struct oid *id, char ret[BUCKET_KEY_MAX]);

/* --- s3-get.c, s3-put.c, s3-multipart.c: bucket_ops --- */
int s3_get(void *self, struct remote_item *items, size_t n, struct err *e) MUST_CHECK;
int s3_put(void *self, struct remote_item *items, size_t n, struct err *e) MUST_CHECK;
int s3_missing(void *self, struct remote_item *items, size_t n, struct err *e) MUST_CHECK;
/* An object in parts; goes on with what an earlier attempt sent.  Sets item->state. */
int s3_multipart(struct s3 *s, struct remote_item *item, int fd, uint64_t size, struct err *e) MUST_CHECK;

#endif
