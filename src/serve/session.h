/* What handlers share: the daemon's parts, and a store for each connection. */
#ifndef SERVE_SESSION_H
#define SERVE_SESSION_H

#include "object/oid.h"
#include "serve/http.h"
#include "serve/worker.h"
#include "store/lease.h"
#include "store/store.h"

struct session_app {            /* http_call.app */
	const char *store;      /* .aicert */
	struct worker *worker;
	struct lease *lease;    /* of all connections: an object sent over one is used over another */
	struct buf spki;        /* DER of the channel key */
	struct oid spki_digest;
};

const struct session_app *session_app(const struct http_call *c);
/* The connection's own, opened at first need; borrowed. */
int session_store(struct http_call *c, struct store **ret, struct err *e) MUST_CHECK;
void session_free(void *session);
/* The path's 64 hex digits. */
int session_oid(const struct http_call *c, struct oid *ret, struct err *e) MUST_CHECK;

/*
 * One member of the query, "name=value" of plain characters: *ret is malloc'd,
 * NULL when absent.  A name that is not in the NULL-ended list, or is there
 * twice, is refused.
 */
int session_query(const struct http_call *c, const char *const *names, const char *name,
    char **ret, struct err *e) MUST_CHECK;

#endif
