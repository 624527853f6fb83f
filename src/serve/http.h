/*
 * HTTP server: libmicrohttpd, only here.  A thread for each connection, so a
 * handler may block; everything a peer can make us keep is bounded.  Routes
 * are matched on the raw request target: what is not plain is refused, so that
 * no %-escape means two things.
 */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "codec/jcs.h"

#define HTTP_DOCUMENT_MAX (8u * 1024 * 1024)
#define HTTP_TARGET_MAX 4096u       /* path and query */
#define HTTP_HEADERS_MAX 32768u     /* all of a request's, with its target */
#define HTTP_CONNECTIONS_MAX 64u

struct http_server;

/* One request. */
struct http_call {
	void *app;              /* http_server_options.app */
	void **session;         /* the application's, one a connection; starts as NULL */
	const char *method;
	char *arg;              /* what '*' matched, or NULL */
	const char *query;      /* raw, without the '?'; NULL: none */
	bool has_length;
	uint64_t length;        /* Content-Length */
	struct buf body;        /* of a document route */
	void *stream;           /* of a stream route: what begin() made */
};

/* -1: the error becomes a problem document. */
typedef int http_handler(struct http_call *c, struct err *e);

/* A body taken as it arrives. begin sees the headers only and may answer at once
 * (http_reply_*), then the body is not read; drop is called for every stream that
 * begin made, whatever happened to the request. */
struct http_stream {
	int (*begin)(struct http_call *c, struct err *e);
	int (*data)(struct http_call *c, const void *data, size_t len, struct err *e);
	void (*drop)(void *stream);
};

struct http_route {
	const char *method;
	const char *pattern;    /* '*' stands for one component */
	http_handler *handler;  /* when the request is whole */
	bool document;          /* has a body, kept in call->body */
	const struct http_stream *stream;
};

struct http_server_options {
	int listen_fd;                          /* a Unix socket, owned from here on */
	uid_t uid;                              /* peers must be this user, or root */
	const struct http_route *routes;        /* ended by a NULL method */
	void *app;
	void (*session_free)(void *session);
};

int http_server_start(const struct http_server_options *o, struct http_server **ret,
    struct err *e) MUST_CHECK;
/* Waits for requests in progress: readers must be told to end before. */
void http_server_stop(struct http_server *s);

/* Value of a request header, borrowed; NULL: absent. */
const char *http_header(const struct http_call *c, const char *name);
/* Adds a header to the answer; before the call of http_reply_*. */
int http_answer_header(struct http_call *c, const char *name, const char *value,
    struct err *e) MUST_CHECK;

/* The answer: the last one counts. Data are copied. */
int http_reply(struct http_call *c, int status, const char *type, const void *data, size_t len,
    struct err *e) MUST_CHECK;
int http_reply_json(struct http_call *c, int status, const struct jcs *v, struct err *e) MUST_CHECK;
/* status 0: the one of the error's code. */
int http_reply_problem(struct http_call *c, int status, const struct err *problem,
    struct err *e) MUST_CHECK;
/* len bytes of fd from offset; the descriptor is owned from here on, also on failure. */
int http_reply_file(struct http_call *c, int status, int fd, uint64_t offset, uint64_t len,
    struct err *e) MUST_CHECK;

/* Bytes as they come. read returns how many (> 0), 0: none yet (it may have waited),
 * -1: the end. Called from the connection's thread; release always at the end. */
struct http_source {
	ssize_t (*read)(void *arg, void *ret, size_t cap);
	void (*release)(void *arg);
	void *arg;
};
/* The source is owned from here on, also on failure. */
int http_reply_source(struct http_call *c, int status, const char *type,
    const struct http_source *source, struct err *e) MUST_CHECK;


#endif
