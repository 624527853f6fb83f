/* /v1/refs: a store for several people (aicert-protocol(5) "Refs"). */
#ifndef SERVE_HUB_H
#define SERVE_HUB_H

#include "serve/http.h"
#include "serve/ledger.h"
#include "serve/settings.h"
#include "store/store.h"

#define HUB_REF_MEDIA_TYPE "application/vnd.aicert.ref.v1+json"
#define HUB_LIST_MEDIA_TYPE "application/vnd.aicert.ref-list.v1+json"

struct hub;

struct hub_options {
	const struct settings *settings;        /* borrowed: what is public */
	struct ledger *ledger;
	/* A ref cannot be followed to its end: nothing is open by it. */
	void (*on_closed)(void *arg, const char *name, const struct err *why);
	void *arg;
};

/* What refs reach is counted anew: which refs are public may have changed. */
int hub_new(const struct hub_options *o, struct store *store, struct hub **ret,
    struct err *e) MUST_CHECK;
void hub_free(struct hub *h);

int hub_list(struct http_call *c, struct err *e) MUST_CHECK;
int hub_get(struct http_call *c, struct err *e) MUST_CHECK;
int hub_put(struct http_call *c, struct err *e) MUST_CHECK;
int hub_delete(struct http_call *c, struct err *e) MUST_CHECK;

/* The body of a PUT: a ref document for name, "refs/...". */
int hub_decode(const void *data, size_t len, const char *name, struct object_ref *ret,
    struct err *e) MUST_CHECK;
/* RFC 9110 section 8.8.3, one strong entity tag of ours: a digest in quotes. */
bool hub_etag(const char *text, struct oid *ret);

#endif
