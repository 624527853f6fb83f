#include "runner/runner-internal.h"

#include <string.h>
#include "base/hex.h"
#include "base/interrupt.h"
#include "codec/jcs.h"
#include "crypto/hash.h"

#define RUNNER_REQUEST_TYPE "application/vnd.aicert.run-request.v1+json"
#define RUNNER_RETRY_AFTER_S 5u     /* when the runner does not say */
#define RUNNER_RETRY_AFTER_MAX_S 60u
#define RUNNER_PATH_SIZE 160

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

/* Its name is all that matters of the answer. */
static int
runner_started(const struct buf *body, const char *run_id, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *id;

	if (jcs_decode(body->data, body->len, REMOTE_RUN_DOCUMENT_MAX, &v, e) != 0)
		return err_prefix(e, "the runner's answer");
	id = jcs_get_string(v, "run");
	if (id == NULL || strcmp(id, run_id) != 0)
		return err_set(e, ERR_FORMAT, "the runner's answer does not name the run that was asked for");
	return 0;
}

static int
runner_refused_start(const struct http_response *rs, struct err *e)
{
	int rc = http_problem(rs, "the runner does not start the run", e);

	if (rs->status == 409 && e->code == ERR_CONFLICT)
		return err_set(e, ERR_CONFLICT, "the runner cannot start another run before its machine is"
		    " started again: the PCRs of this boot are used; restart it, or use another runner");
	return rc;
}

/* Before asking again; -1 with the answer's error when there is no time for it. */
static int
runner_wait_turn(const struct runner *r, const struct http_response *rs, unsigned *waited_s,
    struct err *e)
{
	unsigned pause = rs->retry_after > 0 ? RUNNER_RETRY_AFTER_MAX_S : RUNNER_RETRY_AFTER_S;

	if (rs->retry_after > 0 && rs->retry_after < (int64_t)pause)
		pause = (unsigned)rs->retry_after;
	if (*waited_s + pause > r->o.wait_s)
		return http_problem(rs, "the runner has no place for the run", e);
	notice_say(&r->link.notice, "the runner's queue is full; asking again in %u s", pause);
	*waited_s += pause;
	return link_sleep(&r->link, pause * 1000, e);
}

int
runner_start(struct runner *r, const struct run_spec *spec, const unsigned char nonce[32],
    const char *run_id, bool *ret_unknown, struct err *e)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	char name[96];
	struct http_request rq = {
		.method = "POST", .path = "/v1/runs", .content_type = RUNNER_REQUEST_TYPE, .header = name,
		.body_fd = -1, .max = REMOTE_RUN_DOCUMENT_MAX, .timeout_s = RUNNER_SHORT_S,
	};
	unsigned waited = 0;

	*ret_unknown = false;
	if (runner_check_identified(r, e) != 0 || runner_request(spec, nonce, &body, e) != 0)
		return -1;
	snprintf(name, sizeof name, "Idempotency-Key: %s", run_id);
	rq.body = body.data;
	rq.body_len = body.len;
	for (;;) {
		CLEANUP(http_response_free) struct http_response rs = {0};

		*ret_unknown = true;
		if (runner_ask(r, &rq, &rs, e) != 0)
			return -1;
		if (http_ok(&rs)) {
			r->o.in_use = true;
			return runner_started(&rs.body, run_id, e);
		}
		*ret_unknown = false;
		if (rs.status != 429)
			return runner_refused_start(&rs, e);
		if (runner_wait_turn(r, &rs, &waited, e) != 0)
			return -1;
	}
}

struct runner_follower {
	const struct runner *r;
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

/* Of a long log the middle is not kept. */
static void
runner_begin_log(void *arg, const struct http_response *rs)
{
	struct runner_follower *f = arg;

	if (rs->log_offset <= 0 || (uint64_t)rs->log_offset <= f->offset)
		return;
	notice_say(&f->r->link.notice, "%llu bytes of the log were not kept by the runner",
	    (unsigned long long)((uint64_t)rs->log_offset - f->offset));
	f->offset = (uint64_t)rs->log_offset;
}

/* One connection's worth of log. */
static int
runner_log_once(struct runner *r, const char *run_id, struct runner_follower *f, bool follow,
    struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char path[RUNNER_PATH_SIZE];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .sink = runner_take_log, .sink_arg = f,
		.begun = runner_begin_log, .follow = follow,
	};
	int rc;

	snprintf(path, sizeof path, "/v1/runs/%s/log?offset=%llu%s", run_id,
	    (unsigned long long)f->offset, follow ? "&follow=1" : "");
	rc = http_do(r->link.http, &rq, &rs, e);
	r->link.key_changed = rc != 0 && http_key_changed(r->link.http);
	if (rc != 0)
		return -1;
	return http_ok(&rs) ? 0 : http_problem(&rs, "the run's log", e);
}

/* The log has come to an end: because the run has? */
static int
runner_at_end(struct runner *r, const char *run_id, const struct runner_follower *f, bool *ret,
    struct err *e)
{
	CLEANUP(remote_run_free) struct remote_run run = {0};

	if (runner_state(r, run_id, &run, e) != 0)
		return -1;
	*ret = remote_run_over(&run) && (run.log < 0 || f->offset >= (uint64_t)run.log);
	return 0;
}

static int
runner_interrupted(struct runner *r, const char *run_id, struct err *e)
{
	if (r->o.detach)
		return -1;
	r->link.deaf = true; /* and see it to its end: it is cleaned up there */
	http_ignore_interrupt(r->link.http);
	return runner_cancel(r, run_id, e);
}

/* After a failure: 0 to go on. */
static int
runner_mend(struct runner *r, const char *run_id, struct link_retry *retry, struct err *e)
{
	if (e->code == ERR_CANCELLED && !r->link.deaf && interrupt_pending())
		return runner_interrupted(r, run_id, e);
	if (runner_renew(r, e) == 0)
		return 0;
	return link_retry(&r->link, retry, e);
}

int
runner_follow(struct runner *r, const char *run_id, runner_log_fn *fn, void *arg, struct err *e)
{
	struct runner_follower f = {.r = r, .fn = fn, .arg = arg};
	struct link_retry retry = {0};
	bool over = false;

	if (runner_check_identified(r, e) != 0)
		return -1;
	while (!over) {
		uint64_t before = f.offset;
		int rc = runner_log_once(r, run_id, &f, true, e);

		if (rc == 0)
			rc = runner_at_end(r, run_id, &f, &over, e);
		if (f.offset > before)
			retry = (struct link_retry){0};
		if (rc == 0 && !over && f.offset == before)
			rc = err_set(e, ERR_NETWORK, "the runner ended the log before the run");
		if (rc != 0 && runner_mend(r, run_id, &retry, e) != 0)
			return -1;
	}
	return 0;
}

int
runner_log(struct runner *r, const char *run_id, runner_log_fn *fn, void *arg, struct err *e)
{
	struct runner_follower f = {.r = r, .fn = fn, .arg = arg};
	uint64_t before;

	if (runner_check_identified(r, e) != 0)
		return -1;
	do {
		before = f.offset;
		if (runner_log_once(r, run_id, &f, false, e) != 0)
			return -1;
	} while (f.offset > before);
	return 0;
}

int
runner_state(struct runner *r, const char *run_id, struct remote_run *ret, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	CLEANUP(remote_run_free) struct remote_run run = {0};
	char path[RUNNER_PATH_SIZE];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .max = REMOTE_RUN_DOCUMENT_MAX,
		.timeout_s = RUNNER_SHORT_S,
	};

	snprintf(path, sizeof path, "/v1/runs/%s", run_id);
	if (runner_ask(r, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, "the run", e);
	if (remote_run_decode(rs.body.data, rs.body.len, &run, e) != 0)
		return -1;
	if (strcmp(run.id, run_id) != 0)
		return err_set(e, ERR_FORMAT, "the runner tells of another run than the one asked about");
	*ret = run;
	run = (struct remote_run){0};
	return 0;
}

int
runner_list(struct runner *r, struct remote_run_list *ret, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	struct http_request rq = {
		.method = "GET", .path = "/v1/runs", .body_fd = -1, .max = REMOTE_RUN_DOCUMENT_MAX,
		.timeout_s = RUNNER_SHORT_S,
	};

	if (runner_ask(r, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, "the runner's runs", e);
	return remote_run_list_decode(rs.body.data, rs.body.len, ret, e);
}

int
runner_cancel(struct runner *r, const char *run_id, struct err *e)
{
	CLEANUP(http_response_free) struct http_response rs = {0};
	char path[RUNNER_PATH_SIZE];
	struct http_request rq = {
		.method = "DELETE", .path = path, .body_fd = -1, .max = REMOTE_RUN_DOCUMENT_MAX,
		.timeout_s = RUNNER_SHORT_S,
	};

	snprintf(path, sizeof path, "/v1/runs/%s", run_id);
	if (runner_ask(r, &rq, &rs, e) != 0)
		return -1;
	return http_ok(&rs) ? 0 : http_problem(&rs, "cancelling the run", e);
}

/* The certificate must come from the AK that was judged. */
static int
runner_check_ak(const struct runner *r, const struct buf *bytes, struct err *e)
{
	CLEANUP(certificate_free) struct certificate c = {0};

	if (certificate_decode(bytes->data, bytes->len, &c, e) != 0) {
		if (e->code != ERR_NOMEM && e->code != ERR_INTERNAL)
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
	char path[RUNNER_PATH_SIZE];
	struct http_request rq = {
		.method = "GET", .path = path, .body_fd = -1, .max = CERTIFICATE_BYTES_MAX,
	};

	snprintf(path, sizeof path, "/v1/runs/%s/certificate", run_id);
	if (runner_ask(r, &rq, &rs, e) != 0)
		return -1;
	if (!http_ok(&rs))
		return http_problem(&rs, "the run", e);
	if (runner_check_ak(r, &rs.body, e) != 0)
		return -1;
	buf_add(ret, rs.body.data, rs.body.len);
	return buf_check(ret, e);
}
