/*
 * HTTP server: libmicrohttpd, only here.  A thread for each connection, so a
 * handler may block (on a disk, on the TPM, on another run's log) and holds up
 * nobody but its own client; everything a peer can make us keep is bounded.
 * Routes are matched on the raw request target: what is not plain is refused, so
 * that no %-escape means two things.
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
#define HTTP_ADDRESS_SIZE 64
#define HTTP_REQUEST_ID_SIZE 17

struct http_server;
struct http_route;

/* One request. */
struct http_call {
	void *app;              /* http_server_options.app */
	void **session;         /* the application's, one a connection; starts as NULL */
	const char *method;
	char *arg;              /* what '*' or '**' matched, or NULL */
	const char *query;      /* raw, without the '?'; NULL: none */
	bool local;             /* on a Unix socket, by its owner or root */
	const char *address;    /* the peer's, without port; "local" */
	const unsigned char *client_key; /* SHA-256 of the SPKI of a verified client certificate */
	const void *principal;  /* the gate's */
	char request_id[HTTP_REQUEST_ID_SIZE];
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
	const char *pattern;    /* '*' stands for one component, a last "**" for one or more */
	http_handler *handler;  /* when the request is whole */
	const struct http_stream *stream;
	unsigned access;        /* for the gate */
	bool document;          /* has a body, kept in call->body */
	bool heavy;             /* takes much memory for a moment: few at once */
};

/* PEM, NUL ended; used by http_server_start() only. */
struct http_tls {
	const char *certificate;
	const char *key;
	const char *client_ca;  /* NULL: client certificates are not asked for */
};

/* What a request came to, for the log. */
struct http_done {
	const struct http_call *call;
	const char *path;       /* plain characters, "-" when it was none */
	unsigned status;        /* 0: the connection ended before an answer */
	uint64_t in, out;       /* bytes of the bodies */
	uint64_t micros;
};

/* Seconds; 0: the default. */
struct http_limits {
	unsigned idle_s;        /* between requests, and for the TLS handshake: 60 */
	unsigned header_s;      /* from the request line to the last header: 20 */
	unsigned stall_s;       /* with less than HTTP_STALL_BYTES of a body or an answer: 60 */
	unsigned connections;   /* 512 */
	unsigned per_address;   /* 256; not on a Unix socket */
};
#define HTTP_STALL_BYTES 16384u

struct http_server_options {
	int listen_fd;                          /* owned from here on */
	const struct http_tls *tls;             /* NULL: listen_fd is a Unix socket */
	uid_t uid;                              /* there peers must be this user, or root */
	struct http_limits limits;
	const struct http_route *routes;        /* ended by a NULL method */
	void *app;
	void (*session_free)(void *session);
	/* Before a route is begun; may answer, then that is all.  NULL: none. */
	int (*gate)(struct http_call *c, const struct http_route *route, struct err *e);
	/* When such a request is over, whatever the gate said.  NULL: none. */
	void (*leave)(struct http_call *c);
	void (*done)(void *app, const struct http_done *d); /* NULL: none; any thread */
};

int http_server_start(const struct http_server_options *o, struct http_server **ret,
    struct err *e) MUST_CHECK;
/* Waits for requests in progress: readers must be told to end before. */
void http_server_stop(struct http_server *s);
/* Connections that the server has open. */
unsigned http_connections(struct http_call *c);

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

/* A path that is taken: plain characters, components that are neither empty nor dots. */
bool http_path_plain(const char *path);
/* Whether path is one of pattern's; *ret_arg: what '*' or "**" matched, *ret_len long,
 * untouched without one. */
bool http_route_matches(const char *pattern, const char *path, const char **ret_arg,
    size_t *ret_len);

#endif
