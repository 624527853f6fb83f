#include "runner/runner.h"

#include <string.h>
#include "base/hex.h"
#include "base/interrupt.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "net/http.h"
#include "runner/identity.h"
#include "runner/transfer.h"

#define RUNNER_REQUEST_TYPE "application/vnd.aicert.run-request.v1+json"
#define RUNNER_DOCUMENT_MAX (8u * 1024 * 1024)
#define RUNNER_SHORT_S 60u      /* requests that are answered at once */
#define RUNNER_RECONNECTS 5     /* in a row, without a byte of the log */

struct runner {
	struct runner_options o;    /* its strings are the caller's */
	struct http *http;
	struct buf ak_public;       /* of the identity that was accepted; empty before */
};

int
runner_connect(const struct runner_options *o, struct runner **ret, struct err *e)
{
	struct runner *r;

	/* The identity must bind the channel's key: without TLS that is the local socket only. */
	if (o->unix_socket == NULL)
		return err_set(e, ERR_UNSUPPORTED, "%s: only the local runner is supported",
		    o->url != NULL ? o->url : "runner");
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return err_nomem(e);
	r->o = *o;
	if (http_new("http://local", o->unix_socket, &r->http, e) != 0 ||
	    (o->token != NULL && http_set_token(r->http, o->token, e) != 0)) {
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
	http_free(r->http);
	buf_free(&r->ak_public);
	free(r);
}

int
runner_identify(struct runner *r, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(identity_free) struct identity id = {0};
	char hex[65], path[128];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .max = IDENTITY_DOCUMENT_MAX,
		.timeout_s = RUNNER_SHORT_S,
	};
	unsigned char nonce[32];

	if (random_bytes(nonce, sizeof nonce, e) != 0)
		return -1;
	hex_encode(hex, nonce, sizeof nonce);
	snprintf(path, sizeof path, "/v1/identity?nonce=%s", hex);
	if (http_do(r->http, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, "the runner's identity", e);
	if (identity_decode(rs.body.data, rs.body.len, &id, e) != 0 ||
	    identity_judge(&id, nonce, &r->o, e) != 0)
		return -1;
	buf_free(&r->ak_public);
	r->ak_public = id.ak_public;
	id.ak_public = (struct buf)BUF_INIT;
	return 0;
}

/* Nothing is sent to a runner that has not been identified. */
static int
runner_check_identified(const struct runner *r, struct err *e)
{
	if (r->ak_public.len == 0)
		return err_set(e, ERR_INTERNAL, "the runner has not been identified");
	return 0;
}

int
runner_send_inputs(struct runner *r, struct store *s, const struct run_spec *spec, struct err *e)
{
	if (runner_check_identified(r, e) != 0)
		return -1;
	return transfer_send_spec(r->http, s, spec, e);
}

static int
runner_request(const struct run_spec *spec, const unsigned char nonce[32], struct buf *ret,
    struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	char hex[65];

	hex_encode(hex, nonce, 32);
	jcs_set_string(v, "mediaType", RUNNER_REQUEST_TYPE);
	jcs_set_string(v, "nonce", hex);
	jcs_set(v, "spec", run_spec_to_jcs(spec));
	return jcs_encode(v, ret, e);
}

static int
runner_started(const struct buf *body, char **ret_run_id, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *id;

	if (jcs_decode(body->data, body->len, RUNNER_DOCUMENT_MAX, &v, e) != 0)
		return err_prefix(e, "the runner's answer");
	id = jcs_get_string(v, "run");
	if (id == NULL || strlen(id) != 64 || !hex_is(id, 64))
		return err_set(e, ERR_FORMAT, "the runner's answer names no run");
	*ret_run_id = buf_strdup(id, e);
	return *ret_run_id != NULL ? 0 : -1;
}

int
runner_start(struct runner *r, const struct run_spec *spec, const unsigned char nonce[32],
    char **ret_run_id, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	struct http_request rq = {
		.method = "POST", .path = "/v1/runs", .content_type = RUNNER_REQUEST_TYPE,
		.body_fd = -1, .max = RUNNER_DOCUMENT_MAX, .timeout_s = RUNNER_SHORT_S,
	};

	if (runner_check_identified(r, e) != 0 || runner_request(spec, nonce, &body, e) != 0)
		return -1;
	rq.body = body.data;
	rq.body_len = body.len;
	if (http_do(r->http, &rq, &rs, e) != 0)
		return -1;
	if (rs.status != 201)
		return http_problem(&rs, "the runner does not start the run", e);
	return runner_started(&rs.body, ret_run_id, e);
}

struct runner_follower {
	runner_log_fn *fn;
	void *arg;
	uint64_t offset;
};

static int
runner_take_log(void *arg, const void *data, size_t len, struct err *e)
{
	struct runner_follower *f = arg;

	(void)e;
	f->fn(f->arg, data, len);
	f->offset += len;
	return 0;
}

/* One connection's worth of log. Success: the runner ended it, so the run is over. */
static int
runner_follow_once(struct runner *r, const char *run_id, struct runner_follower *f,
    bool interruptible, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char path[160];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .sink = runner_take_log, .sink_arg = f,
		.follow = true, .ignore_interrupt = !interruptible,
	};

	snprintf(path, sizeof path, "/v1/runs/%s/log?offset=%llu&follow=1", run_id,
	    (unsigned long long)f->offset);
	if (http_do(r->http, &rq, &rs, e) != 0)
		return -1;
	return http_ok(&rs) ? 0 : http_problem(&rs, "the run's log", e);
}

int
runner_follow(struct runner *r, const char *run_id, runner_log_fn *fn, void *arg, struct err *e)
{
	struct runner_follower f = {.fn = fn, .arg = arg};
	bool cancelled = false;
	int broken = 0;

	for (;;) {
		uint64_t before = f.offset;

		if (runner_follow_once(r, run_id, &f, !cancelled, e) == 0)
			return 0;
		if (e->code == ERR_CANCELLED && !cancelled && interrupt_pending()) {
			cancelled = true; /* and see it to its end: it is cleaned up there */
			if (runner_cancel(r, run_id, e) != 0)
				return -1;
			continue;
		}
		broken = f.offset > before ? 1 : broken + 1;
		if (e->code != ERR_NETWORK || broken > RUNNER_RECONNECTS)
			return -1;
	}
}

int
runner_cancel(struct runner *r, const char *run_id, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char path[96];
	struct http_request rq = {
		.method = "DELETE", .path = path, .body_fd = -1, .max = RUNNER_DOCUMENT_MAX,
		.timeout_s = RUNNER_SHORT_S,
	};

	snprintf(path, sizeof path, "/v1/runs/%s", run_id);
	if (http_do(r->http, &rq, &rs, e) != 0)
		return -1;
	return http_ok(&rs) ? 0 : http_problem(&rs, "cancelling the run", e);
}

/* The certificate must come from the AK that was judged. */
static int
runner_check_ak(const struct runner *r, const struct buf *bytes, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	if (certificate_decode(bytes->data, bytes->len, &c, e) != 0) {
		e->code = ERR_REFUSED;
		return err_prefix(e, "what the runner returned");
	}
	if (c.ak_public.len != r->ak_public.len ||
	    !hash_equal(c.ak_public.data, r->ak_public.data, c.ak_public.len))
		return err_set(e, ERR_REFUSED, "the certificate is by another AK than the runner's");
	return 0;
}

int
runner_certificate(struct runner *r, const char *run_id, struct buf *ret, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char path[128];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .max = CERTIFICATE_BYTES_MAX,
	};

	if (runner_check_identified(r, e) != 0)
		return -1;
	snprintf(path, sizeof path, "/v1/runs/%s/certificate", run_id);
	if (http_do(r->http, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, "the run", e);
	if (runner_check_ak(r, &rs.body, e) != 0)
		return -1;
	buf_add(ret, rs.body.data, rs.body.len);
	return buf_check(ret, e);
}

int
runner_fetch_outputs(struct runner *r, struct store *s, const struct certificate *c, struct err *e)
{
	return transfer_fetch_certificate(r->http, s, c, e);
}
