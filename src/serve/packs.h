/* Many small objects at a time, and what a history has: for remotes (aicert-protocol(5)). */
#ifndef SERVE_PACKS_H
#define SERVE_PACKS_H

#include "object/oid.h"
#include "serve/http.h"

#define PACKS_MEDIA_TYPE "application/vnd.aicert.pack.v1"
#define PACKS_HISTORY_MEDIA_TYPE "application/vnd.aicert.history-request.v1+json"
#define PACKS_HISTORY_MAX 100000
#define PACKS_REPLY_MAX (16u * 1024 * 1024)

/* A pack in; 201, all of its objects are stored; 422 when a digest is wrong, nothing is kept. */
int packs_put(struct http_call *c, struct err *e) MUST_CHECK;
/* An object list in; a pack out, of those that are here and fit. */
int packs_get(struct http_call *c, struct err *e) MUST_CHECK;
/* Commits in; a list of what they reach and others do not, commits and what they name. */
int packs_history(struct http_call *c, struct err *e) MUST_CHECK;

/* The parser of the last request: the ids of "want" and "have", malloc'd. */
struct packs_request {
	struct oid *want, *have;
	size_t want_count, have_count;
};
int packs_decode(const void *data, size_t len, struct packs_request *ret, struct err *e) MUST_CHECK;
void packs_request_free(struct packs_request *r);

#endif
