/*
 * HTTP client: libcurl, only here.  One handle keeps its connection.
 * Redirects are never followed with credentials; bodies are bounded.
 * http-problem.c and http-download.c hold the functions of those names.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/progress.h"

struct http;

/* base: "https://host:port"; unix_socket: path or NULL (then base is "http://local"). */
int http_new(const char *base, const char *unix_socket, struct http **ret, struct err *e) MUST_CHECK;
void http_free(struct http *h);
static inline void http_freep(struct http **h) { http_free(*h); }
/* Bearer token, sent to base only. Copied and zeroised. */
int http_set_token(struct http *h, const char *token, struct err *e) MUST_CHECK;

typedef int http_sink(void *arg, const void *data, size_t len, struct err *e);

struct http_request {
	const char *method;         /* GET, HEAD, PUT, POST, DELETE */
	const char *path;           /* "/v1/..." with its query, already encoded */
	const char *content_type;   /* of the body; NULL: none */
	const char *header;         /* one more header, "Name: value"; NULL: none */
	const void *body;           /* bytes in memory ... */
	size_t body_len;
	int body_fd;                /* ... or, when body is NULL and body_fd_size > 0, a file */
	uint64_t body_fd_offset;    /* where the body begins in it */
	uint64_t body_fd_size;      /* bytes from there */
	size_t max;                 /* bound of the answer kept in *ret_body */
	http_sink *sink;            /* takes a 2xx body instead of ret_body; NULL: none */
	void *sink_arg;
	unsigned timeout_s;         /* whole request; 0: none, but a stall of 60 s fails */
	bool follow;                /* the peer may be silent: no stall limit, but
	                             * ERR_CANCELLED once base/interrupt.h has a signal ... */
	bool ignore_interrupt;      /* ... unless this is set */
};

struct http_response {
	int status;
	char content_type[128];
	int64_t upload_offset;      /* Upload-Offset header, -1: absent */
	int64_t retry_after;        /* Retry-After in seconds, -1: absent */
	struct buf body;
};

/* -1 only when there was no answer (ERR_NETWORK), the sink failed, the answer was
 * longer than max (ERR_LIMIT) or a follow was interrupted. */
int http_do(struct http *h, const struct http_request *rq, struct http_response *ret,
    struct err *e) MUST_CHECK;
void http_response_free(struct http_response *r);
bool http_ok(const struct http_response *r); /* 2xx */
/* Turns an answer that is not 2xx into an error, from its RFC 9457 problem document. */
int http_problem(const struct http_response *r, const char *what, struct err *e);

/* Plain download of a spec's url: input: https (http only for loopback), at most 5
 * redirects, at most max bytes, into fd. */
int http_download(const char *url, int fd, uint64_t max, struct progress *p, struct err *e) MUST_CHECK;

#endif
