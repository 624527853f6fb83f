/*
 * HTTP client: libcurl, only here.  One handle keeps its connection and belongs
 * to one thread.  Redirects are never followed; bodies are bounded; over TLS it
 * is 1.3 (RFC 8446) and nothing older.
 * http-problem.c, http-download.c, http-sigv4.c, http-tls.c and http-url.c hold the
 * functions of those names.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/progress.h"

struct http;

/* How the other side is told from others. */
enum http_peer {
	HTTP_PEER_SOCKET,   /* by the Unix socket it listens on */
	HTTP_PEER_CA,       /* ordinary https: name, time and a CA of this system */
	HTTP_PEER_ASK,      /* not at all: for the one request whose answer tells the right key.
	                     * No credential can be set, the connection is not used again. */
	HTTP_PEER_PIN,      /* by its key, whatever the certificate says */
	HTTP_PEER_LOCAL     /* plain http, to this machine or the metadata service of a cloud alone,
	                     * never through a proxy */
};

struct http_options {
	enum http_peer peer;
	const char *base;           /* "https://host:port"; of a socket "http://local";
	                             * HTTP_PEER_LOCAL: "http://host:port" */
	const char *unix_socket;    /* HTTP_PEER_SOCKET alone */
	const char *pin;            /* HTTP_PEER_PIN: base64 of the SPKI's SHA-256 */
	/* Of the client, both or none, never with HTTP_PEER_ASK: files in PEM.  With
	 * HTTP_PEER_PIN also the certificate in PEM that the peer showed before: a peer that
	 * shows another is left before it has seen the client's. */
	const char *client_cert, *client_key;
	const char *peer_pem;
	const char *ca_file;        /* HTTP_PEER_CA: certificates in PEM instead of this system's; NULL: none */
};

/* A libcurl that cannot do what the options ask for is refused (ERR_UNSUPPORTED).
 * The strings are copied. */
int http_new_with(const struct http_options *o, struct http **ret, struct err *e) MUST_CHECK;
/* Ordinary: over unix_socket, or, when that is NULL, to base as HTTP_PEER_CA. */
int http_new(const char *base, const char *unix_socket, struct http **ret, struct err *e) MUST_CHECK;
/* A handle of the same options and token, for another thread. */
int http_clone(const struct http *h, struct http **ret, struct err *e) MUST_CHECK;
void http_free(struct http *h);
static inline void http_freep(struct http **h) { http_free(*h); }
/* Bearer token, sent to base only. Copied and zeroised. */
int http_set_token(struct http *h, const char *token, struct err *e) MUST_CHECK;
/*
 * From now on every request is signed with this key: AWS Signature Version 4, service s3.
 * The query must be sorted and encoded, "name=value" throughout, also where a value is
 * empty.  Copied and zeroised; instead of a token.
 */
struct http_sigv4 {
	const char *key_id, *secret;
	const char *session;        /* token; NULL: none */
	const char *region;
};
int http_set_sigv4(struct http *h, const struct http_sigv4 *k, struct err *e) MUST_CHECK;
/* The host of an url "http://host:port" is this machine, or where clouds have their
 * metadata service. */
bool http_url_local(const char *base);
/* From now on a signal (base/interrupt.h) ends no request of this handle. */
void http_ignore_interrupt(struct http *h);
/* PEM of what the peer of an HTTP_PEER_ASK handle showed in the last request: the leaf
 * alone; ERR_NETWORK when there was none. */
int http_peer_certificate(const struct http *h, struct buf *ret, struct err *e) MUST_CHECK;
/* The last request met another key than the pinned one, and sent nothing. */
bool http_key_changed(const struct http *h);

/* "https://host:port" of an url that is only scheme, host and port, in one spelling:
 * lower case, the port always there. ERR_USAGE for anything else. */
int http_url_base(const char *url, char **ret, struct err *e) MUST_CHECK;

typedef int http_sink(void *arg, const void *data, size_t len, struct err *e);
typedef void http_moved(void *arg, uint64_t n);
struct http_response;
typedef void http_begun(void *arg, const struct http_response *rs);

struct http_request {
	const char *method;         /* GET, HEAD, PUT, POST, DELETE */
	const char *path;           /* "/v1/..." with its query, already encoded */
	const char *content_type;   /* of the body; NULL: none */
	const char *header;         /* one more header, "Name: value"; NULL: none */
	const char *header_more;    /* and another */
	const char *payload;        /* signed: SHA-256 of the body in hex; NULL: there is no body */
	const void *body;           /* bytes in memory ... */
	size_t body_len;
	int body_fd;                /* ... or, when body is NULL and body_fd_size > 0, a file */
	uint64_t body_fd_offset;    /* where the body begins in it */
	uint64_t body_fd_size;      /* bytes from there */
	http_moved *moved;          /* told of every piece of a file that was sent; NULL: none */
	void *moved_arg;
	uint64_t range_start;       /* > 0: the answer must be the bytes from there, 206 */
	size_t max;                 /* bound of the answer kept in *ret_body */
	http_sink *sink;            /* takes a 2xx body instead of ret_body; NULL: none */
	void *sink_arg;
	http_begun *begun;          /* called before the sink's first bytes; NULL: none */
	unsigned timeout_s;         /* whole request; 0: none, but a stall of 60 s fails */
	unsigned patience_s;        /* added to those: the peer has work to do first */
	bool follow;                /* the peer may be silent: no stall limit */
};

struct http_response {
	int status;
	char content_type[128];
	int64_t upload_offset;      /* Upload-Offset header, -1: absent */
	int64_t retry_after;        /* Retry-After in seconds, -1: absent */
	int64_t log_offset;         /* Log-Offset header, -1: absent */
	int64_t range_start;        /* of Content-Range, -1: absent */
	char etag[256];             /* with its quotes; "": absent, or longer */
	struct buf body;
};

#define HTTP_RESPONSE_INIT \
	{.upload_offset = -1, .retry_after = -1, .log_offset = -1, .range_start = -1}

/* -1 only when there was no answer (ERR_NETWORK), the peer is not who it must be
 * (ERR_REFUSED), the sink failed, the answer was longer than max (ERR_LIMIT), not the
 * range asked for (ERR_FORMAT), or a signal came (ERR_CANCELLED). */
int http_do(struct http *h, const struct http_request *rq, struct http_response *ret,
    struct err *e) MUST_CHECK;
void http_response_free(struct http_response *r);
bool http_ok(const struct http_response *r); /* 2xx */
/* Turns an answer that is not 2xx into an error, from its RFC 9457 problem document. */
int http_problem(const struct http_response *r, const char *what, struct err *e);

/* Plain download of a spec's url: input: https (http only for loopback), at most 5
 * redirects, at most max bytes, into fd. */
int http_download(const char *url, int fd, uint64_t max, struct progress *p, struct err *e) MUST_CHECK;
/* The same into memory, for what proves itself (a certificate of a known signer): http is
 * taken too, from hosts that have a name. */
int http_download_public(const char *url, size_t max, struct buf *ret, struct err *e) MUST_CHECK;

#endif
