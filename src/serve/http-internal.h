/* Shared by http*.c: a request and a connection as libmicrohttpd's callbacks see them. */
#ifndef SERVE_HTTP_INTERNAL_H
#define SERVE_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include "serve/http.h"
#include "serve/shares.h"

#define HTTP_ANSWER_HEADERS 6
#define HTTP_SILENT_S 120u              /* nothing moves at all */

enum http_phase {
	HTTP_IDLE,      /* handshake, or between two requests */
	HTTP_HEADER,    /* the request line came */
	HTTP_BODY,      /* the headers came */
	HTTP_WORK,      /* it is we who are slow */
	HTTP_ANSWER,
	HTTP_FOLLOW     /* there is nothing to send yet, perhaps for hours */
};

/* One connection; in its server's list under the server's lock. */
struct http_peer {
	struct http_server *server;
	struct http_peer *next, *prev;
	int fd;                 /* a duplicate, to shut down what is too slow */
	bool allowed;
	void *session;
	char address[HTTP_ADDRESS_SIZE];
	bool key_known;         /* looked for */
	bool has_key;
	unsigned char key[32];
	enum http_phase phase;
	int64_t since_ms;       /* when the phase, or its window, began */
	uint64_t moved;         /* bytes of a body in this window */
	uint64_t acked;         /* when the window of an answer began: what TCP says has arrived */
};

/* Documents in memory.  What is longer than the first counts, from when it is announced to
 * when it is answered; one address has a half at most. */
#define HTTP_DOCUMENT_SMALL 65536u
#define HTTP_DOCUMENTS_MAX (256u * 1024 * 1024)
/* Being understood, which takes several times their size, or answered with long work; one address
 * has one at most, so that there is a turn for others. */
#define HTTP_LARGE_AT_ONCE 2

struct http_server {
	struct MHD_Daemon *mhd;
	struct http_server_options o;
	pthread_mutex_t lock;   /* around peers */
	pthread_cond_t wake;
	struct http_peer *peers;
	unsigned count;
	bool stopping;
	bool watching;
	bool asks_client;       /* for a certificate */
	pthread_t watch;
	struct shares *documents;       /* bytes, by address */
	pthread_mutex_t large_lock;
	pthread_cond_t large_left;
	const char *large[HTTP_LARGE_AT_ONCE]; /* whose handlers are at work on one; NULL: nobody's */
};

struct http_answer_header {
	const char *name;       /* a literal */
	char value[192];
};

/* One request with what only these files need; begins with what handlers see. */
struct http_exchange {
	struct http_call call;
	struct http_server *server;
	struct http_peer *peer;
	struct MHD_Connection *mhd;
	char target[HTTP_TARGET_MAX + 1];
	bool target_long;
	bool plain;             /* target is a path that was taken */
	bool begun;
	bool entered;           /* the gate was asked */
	const struct http_route *route;
	bool failed;            /* problem is to be answered when the body has passed */
	struct err problem;
	size_t discarded;
	bool follows;           /* the answer is a source's */
	struct MHD_Response *response;
	unsigned status;
	uint64_t in, out;
	uint64_t reserved;      /* of the server's documents */
	int64_t started_us;
	struct http_answer_header headers[HTTP_ANSWER_HEADERS];
	size_t header_count;
};

static inline struct http_exchange *
http_exchange(struct http_call *c)
{
	return (struct http_exchange *)c; /* its first member */
}

/* http-peer.c: a connection's life, and the thread that ends those too slow. */
int64_t http_peer_now_us(void);
void http_peer_notify(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode code);
struct http_peer *http_peer_of(struct MHD_Connection *mhd);
void http_peer_phase(struct http_peer *p, enum http_phase phase);
void http_peer_moved(struct http_peer *p, uint64_t bytes);
int http_peer_watch_start(struct http_server *s, struct err *e) MUST_CHECK;
void http_peer_watch_stop(struct http_server *s);

/* http-tls.c: the key of a client's certificate, where it has a valid one; NULL: none. */
const unsigned char *http_tls_client_key(struct http_peer *p, struct MHD_Connection *mhd);

/* http.c: room for a document of n bytes that is kept in memory, a body or its answer, until
 * the request is over. */
int http_reserve(struct http_exchange *x, uint64_t n, struct err *e) MUST_CHECK;
/* http.c: callbacks */
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *len, void **state);
void *http_on_target(void *cls, const char *target, struct MHD_Connection *mhd);
void http_on_completed(void *cls, struct MHD_Connection *mhd, void **state,
    enum MHD_RequestTerminationCode code);

#endif
