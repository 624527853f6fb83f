/* A connection to a hub or a web server, with what the user shows it; for hub.c and web.c. */
#ifndef REMOTE_HTTPS_H
#define REMOTE_HTTPS_H

#include "net/http.h"
#include "remote/remote.h"
#include "runner/link.h"

#define HTTPS_PATIENCE_S 60

struct https {
	struct link link;
	struct http *http;
	char *prefix;           /* of paths: "" or "/a/b" */
	bool answered;          /* it did once: before that nobody waits for it */
};

/*
 * r->url: https://HOST[:PORT][/PATH].  Credentials are those that the user's configuration has
 * for exactly this scheme, host and port: [hub "https://HOST:PORT"] tokenFile, clientCert,
 * clientKey, caFile.
 */
int https_open(struct remote *r, struct https *ret, struct err *e) MUST_CHECK;
void https_close(struct https *h);
/* One request over the link, as often as patience allows; small answers only. */
int https_do(struct https *h, const struct http_request *rq, struct http_response *ret,
    struct err *e) MUST_CHECK;

#endif
