/* What http.c and its parts share. */
#ifndef NET_HTTP_INTERNAL_H
#define NET_HTTP_INTERNAL_H

#include <curl/curl.h>
#include "net/http.h"

struct http {
	CURL *easy;
	CURLM *multi;           /* keeps the connection between requests */
	enum http_peer peer;
	char *base;
	char *unix_socket;
	char *pin;              /* "sha256//..." */
	char *client_cert, *client_key;
	char *ca_file;
	char *peer_pem;         /* given, or seen by the last request */
	char *token;
	struct http_signer *signer; /* NULL: requests are not signed */
	bool deaf;              /* to signals */
	bool key_changed;
};

/* Options of the easy handle that say who the peer must be and who we are. */
int http_tls_set(struct http *h, struct err *e) MUST_CHECK;
/* After a request: the certificate that was shown, and what a failure meant. */
void http_tls_collect(struct http *h, CURLcode code);

/* Of a signed request: the key, and the headers that the signature needs. */
typedef int http_signer_header(void *arg, const char *name, const char *value, struct err *e);
int http_sigv4_set(struct http *h, const struct http_request *rq, http_signer_header *add,
    void *arg, struct err *e) MUST_CHECK;
int http_sigv4_copy(struct http *to, const struct http *from, struct err *e) MUST_CHECK;
void http_sigv4_free(struct http *h);

/* One line of an answer's head, as it arrives, into the numbers of *r that it holds. */
void http_header_take(const char *data, size_t len, struct http_response *r);

#endif
