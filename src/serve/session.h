/* What handlers share: the daemon's parts, and a store for each connection. */
#ifndef SERVE_SESSION_H
#define SERVE_SESSION_H

#include "object/oid.h"
#include "serve/access.h"
#include "serve/http.h"
#include "serve/idle.h"
#include "serve/ledger.h"
#include "serve/metrics.h"
#include "serve/run-table.h"
#include "serve/shares.h"
#include "serve/worker.h"
#include "store/lease.h"
#include "store/store.h"

struct hub;

struct session_app {            /* http_call.app */
	const char *store;      /* .aicert */
	struct worker *worker;  /* NULL: a hub */
	struct run_table *table;/* NULL: a hub */
	struct ledger *ledger;  /* NULL: a Unix socket, everything is its user's */
	struct lease *lease;    /* of all connections: an object sent over one is used over another */
	struct access *access;
	struct idle *idle;      /* NULL: the daemon does not end by itself */
	struct metrics *metrics;
	struct shares *requests;/* in progress, by principal; NULL: not counted */
	uint64_t requests_each;
	uint64_t max_seconds, max_memory;       /* of a run; 0: what it asks for */
	unsigned parts_max;     /* of objects, of a principal; 0: any number */
	struct hub *hub;  /* NULL: a runner */
	struct buf spki;        /* DER of the channel key */
	struct oid spki_digest;
};

/* Seconds, for idle. */
int64_t session_now(void);
const struct session_app *session_app(const struct http_call *c);
/* An http_server_options.gate: the credential, before anything else. */
int session_gate(struct http_call *c, const struct http_route *route, struct err *e) MUST_CHECK;
/* An http_server_options.leave. */
void session_leave(struct http_call *c);
/* The connection's own, opened at first need; borrowed. */
int session_store(struct http_call *c, struct store **ret, struct err *e) MUST_CHECK;
void session_free(void *session);
/* Who asks: a principal's name, "" for the user of a Unix socket and for who gave none. */
const char *session_owner(const struct http_call *c);
/* 1: here, and this principal may know and read it; 0; -1 */
int session_visible(struct http_call *c, const struct oid *id, struct err *e) MUST_CHECK;
/* The principal has sent or made all its bytes. */
int session_own(struct http_call *c, const struct oid *id, struct err *e) MUST_CHECK;
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
