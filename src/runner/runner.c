#include "runner/runner-internal.h"

#include <string.h>
#include "base/hex.h"
#include "codec/base64.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "runner/transfer.h"

#define RUNNER_RENEWALS 16      /* of one runner in one command */
#define RUNNER_SOCKET_PATIENCE_S 2u

int
runner_connect(const struct runner_options *o, struct runner **ret, struct err *e)
{
	struct runner *r = calloc(1, sizeof *r);
	unsigned patience = o->unix_socket != NULL ? RUNNER_SOCKET_PATIENCE_S : LINK_PATIENCE_S;

	if (r == NULL)
		return err_nomem(e);
	r->o = *o;
	r->link = (struct link){.notice = o->notice,
		.progress = o->progress, .patience_s = o->patience_s != 0 ? o->patience_s : patience};
	/* over TLS there is a session only once the identity is known */
	if (o->unix_socket != NULL &&
	    (http_new("http://local", o->unix_socket, &r->link.http, e) != 0 ||
	    (o->token != NULL && http_set_token(r->link.http, o->token, e) != 0))) {
		runner_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void
runner_free(struct runner *r)
{
	if (r == NULL)
		return;
	http_free(r->link.http);
	buf_free(&r->ak_public);
	verdict_free(r->verdict);
	free(r->version);
	free(r);
}

const struct verdict *
runner_verdict(const struct runner *r)
{
	return r->verdict;
}

const char *
runner_ak_name(const struct runner *r)
{
	return r->ak_name;
}

const char *
runner_version(const struct runner *r)
{
	return r->version != NULL ? r->version : "";
}

static int
runner_get_identity(struct http *h, const unsigned char nonce[32], struct identity *ret,
    struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char hex[65], path[128];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .max = IDENTITY_DOCUMENT_MAX,
		.timeout_s = RUNNER_SHORT_S,
	};

	hex_encode(hex, nonce, 32);
	snprintf(path, sizeof path, "/v1/identity?nonce=%s", hex);
	if (http_do(h, &rq, &rs, e) != 0)
		return -1;
	if (rs.status == 404)
		return err_set(e, ERR_REFUSED, "it has no identity: a hub, or no runner at all");
	if (!http_ok(&rs))
		return http_problem(&rs, "the runner's identity", e);
	return identity_decode(rs.body.data, rs.body.len, ret, e);
}

/* Over TLS: one request on a connection of its own, without credentials, then never again. */
static int
runner_ask_identity(const struct runner *r, const unsigned char nonce[32], struct identity *ret,
    struct buf *ret_pem, struct err *e)
{
	struct http_options o = {.peer = HTTP_PEER_ASK, .base = r->o.url};
	CLEANUP(http_freep) struct http *h = NULL;

	if (r->o.unix_socket != NULL)
		return runner_get_identity(r->link.http, nonce, ret, e);
	if (http_new_with(&o, &h, e) != 0 || runner_get_identity(h, nonce, ret, e) != 0 ||
	    http_peer_certificate(h, ret_pem, e) != 0)
		return -1;
	return identity_check_channel(ret, ret_pem, e);
}

/* The connections of the session: to this key and no other. */
static int
runner_open_session(struct runner *r, const struct identity *id, const struct buf *pem,
    struct err *e)
{
	CLEANUP(buf_free) struct buf pin = BUF_INIT;
	CLEANUP(http_freep) struct http *h = NULL;
	unsigned char digest[HASH_SHA256_SIZE];
	struct http_options o = {
		.peer = HTTP_PEER_PIN, .base = r->o.url, .client_cert = r->o.client_cert,
		.client_key = r->o.client_key,
		.peer_pem = r->o.client_cert != NULL ? buf_str(pem) : NULL,
	};

	if (r->o.unix_socket != NULL)
		return 0;
	if (hash_once(HASH_SHA256, id->spki.data, id->spki.len, digest, e) != 0)
		return -1;
	base64_encode(&pin, digest, sizeof digest);
	if (buf_check(&pin, e) != 0)
		return -1;
	o.pin = buf_str(&pin);
	if (http_new_with(&o, &h, e) != 0 ||
	    (r->o.token != NULL && http_set_token(h, r->o.token, e) != 0))
		return -1;
	if (r->link.deaf)
		http_ignore_interrupt(h);
	http_free(r->link.http);
	r->link.http = h;
	h = NULL;
	return 0;
}

static int
runner_accept(struct runner *r, struct identity *id, struct err *e)
{
	char name[IDENTITY_NAME_SIZE];

	if (identity_name(id, name, e) != 0)
		return -1;
	memcpy(r->ak_name, name, sizeof name);
	buf_free(&r->ak_public);
	r->ak_public = id->ak_public;
	id->ak_public = (struct buf)BUF_INIT;
	free(r->version);
	r->version = id->version;
	id->version = NULL;
	return 0;
}

int
runner_identify(struct runner *r, struct err *e)
{
	CLEANUP(identity_free) struct identity id = {0};
	CLEANUP(buf_free) struct buf pem = BUF_INIT;
	struct runner_options o = r->o;
	unsigned char nonce[32];

	/* once accepted, it must stay the same machine whatever was recorded */
	if (r->ak_public.len > 0)
		o.ak_name = r->ak_name;
	verdict_free(r->verdict);
	r->verdict = NULL;
	if (random_bytes(nonce, sizeof nonce, e) != 0 ||
	    runner_ask_identity(r, nonce, &id, &pem, e) != 0 ||
	    identity_judge(&id, nonce, &o, &r->verdict, e) != 0 ||
	    runner_open_session(r, &id, &pem, e) != 0)
		return -1;
	return runner_accept(r, &id, e);
}

int
runner_check_identified(const struct runner *r, struct err *e)
{
	if (r->ak_public.len == 0 || r->link.http == NULL)
		return err_set(e, ERR_INTERNAL, "the runner has not been identified");
	return 0;
}

int
runner_renew(struct runner *r, struct err *e)
{
	struct link_retry retry = {0};

	if (!r->link.key_changed || r->renewals == RUNNER_RENEWALS)
		return -1;
	r->link.key_changed = false;
	r->renewals++;
	notice_say(&r->link.notice, "the runner has another key (was it restarted?): it is identified again"
	    " before anything is sent to it");
	while (runner_identify(r, e) != 0)
		if (link_retry(&r->link, &retry, e) != 0)
			return err_prefix(e, "the runner's key changed, and it was not accepted again");
	return 0;
}

int
runner_ask(struct runner *r, const struct http_request *rq, struct http_response *ret,
    struct err *e)
{
	struct link_retry retry = {0};

	if (runner_check_identified(r, e) != 0)
		return -1;
	while (http_do(r->link.http, rq, ret, e) != 0) {
		r->link.key_changed = http_key_changed(r->link.http);
		if (runner_renew(r, e) != 0 && link_retry(&r->link, &retry, e) != 0)
			return -1;
	}
	return 0;
}

int
runner_send_inputs(struct runner *r, struct store *s, const struct run_spec *spec, struct err *e)
{
	if (runner_check_identified(r, e) != 0)
		return -1;
	while (transfer_send_spec(&r->link, s, spec, e) != 0)
		if (runner_renew(r, e) != 0)
			return -1;
	return 0;
}

int
runner_fetch_outputs(struct runner *r, struct store *s, const struct certificate *c, struct err *e)
{
	if (runner_check_identified(r, e) != 0)
		return -1;
	while (transfer_fetch_certificate(&r->link, s, c, e) != 0)
		if (runner_renew(r, e) != 0)
			return -1;
	return 0;
}

int
runner_object(struct runner *r, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char hex[OID_HEX_SIZE], path[OID_HEX_SIZE + 16];
	struct http_request rq = {.method = "GET", .path = path, .body_fd = -1, .max = max};
	struct oid got;

	oid_hex(id, hex);
	snprintf(path, sizeof path, "/v1/objects/%s", hex);
	if (runner_ask(r, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, hex, e);
	if (oid_from_data(&got, rs.body.data, rs.body.len, e) != 0)
		return -1;
	if (!oid_equal(&got, id))
		return err_set(e, ERR_REFUSED, "object %s: the runner sent other bytes", hex);
	buf_add(ret, rs.body.data, rs.body.len);
	return buf_check(ret, e);
}
