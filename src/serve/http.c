#include "serve/http.h"

#include <string.h>
#include <strings.h>
#include "base/hex.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "serve/http-internal.h"

#define HTTP_DISCARD_MAX (8u * 1024 * 1024)
#define HTTP_UNASKED_MAX (1024u * 1024) /* longer bodies wait for "100 Continue" */

bool
http_path_plain(const char *path)
{
	if (*path != '/')
		return false;
	for (const char *p = path; *p != '\0'; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || strchr("/._~-+@=,", *p) != NULL;
		size_t dots;

		if (!plain || (p[0] == '/' && p[1] == '/'))
			return false;
		dots = *p == '/' ? strspn(p + 1, ".") : 0;
		if ((dots == 1 || dots == 2) && (p[1 + dots] == '/' || p[1 + dots] == '\0'))
			return false;
	}
	return true;
}

bool
http_route_matches(const char *pattern, const char *path, const char **ret_arg, size_t *ret_len)
{
	for (;;) {
		if (*pattern == '*') {
			bool rest = pattern[1] == '*';
			size_t n = rest ? strlen(path) : strcspn(path, "/");

			if (n == 0)
				return false;
			*ret_arg = path;
			*ret_len = n;
			pattern += rest ? 2 : 1;
			path += n;
		}
		if (*pattern != *path)
			return false;
		if (*pattern == '\0')
			return true;
		pattern++;
		path++;
	}
}

static bool
http_method_fits(const struct http_route *r, const char *method)
{
	return strcmp(r->method, method) == 0 ||
	    (strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0);
}

/* 405 with the methods that the path has. */
static int
http_not_allowed(struct http_exchange *x, const char *path, struct err *e)
{
	struct err problem;
	char allow[64] = "";
	const char *arg;
	size_t len;

	for (const struct http_route *r = x->server->o.routes; r->method != NULL; r++) {
		size_t n = strlen(allow);

		if (http_route_matches(r->pattern, path, &arg, &len))
			snprintf(allow + n, sizeof allow - n, "%s%s%s", n > 0 ? ", " : "", r->method,
			    strcmp(r->method, "GET") == 0 ? ", HEAD" : "");
	}
	err_set(&problem, ERR_USAGE, "this resource takes %s only", allow);
	if (http_answer_header(&x->call, "Allow", allow, e) != 0)
		return -1;
	return http_reply_problem(&x->call, 405, &problem, e);
}

/* Finds the route, or answers. */
static int
http_find_route(struct http_exchange *x, struct err *e)
{
	struct err problem;
	const char *arg = NULL;
	bool known = false;
	size_t len = 0;
	char *question = strchr(x->target, '?');

	if (question != NULL)
		*question = '\0';
	x->call.query = question != NULL ? question + 1 : NULL;
	x->plain = http_path_plain(x->target);
	if (!x->plain) {
		err_set(&problem, ERR_USAGE, "the path has characters that no resource here has");
		return http_reply_problem(&x->call, 400, &problem, e);
	}
	for (const struct http_route *r = x->server->o.routes; r->method != NULL; r++) {
		arg = NULL;
		if (!http_route_matches(r->pattern, x->target, &arg, &len))
			continue;
		known = true;
		if (!http_method_fits(r, x->call.method))
			continue;
		x->route = r;
		if (arg == NULL)
			return 0;
		x->call.arg = strndup(arg, len);
		return x->call.arg != NULL ? 0 : err_nomem(e);
	}
	if (known)
		return http_not_allowed(x, x->target, e);
	err_set(&problem, ERR_NOTFOUND, "%s: no such resource", x->target);
	return http_reply_problem(&x->call, 404, &problem, e);
}

/* Headers that mean one thing only when they are there once. */
static const char *const http_singles[] = {
	"Aicert-Force", "Authorization", "Content-Length", "Content-Range", "Idempotency-Key",
	"If-Match", "If-None-Match", "Range", "Transfer-Encoding",
};
#define HTTP_SINGLES (sizeof http_singles / sizeof *http_singles)

struct http_header_check {
	bool seen[HTTP_SINGLES];
	bool wrong;
};

static enum MHD_Result
http_check_header(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct http_header_check *c = cls;

	(void)kind;
	(void)value;
	/* RFC 9112 section 5.1: no blank before the colon, where others would not see it */
	c->wrong |= name[strcspn(name, " \t")] != '\0';
	for (size_t i = 0; i < HTTP_SINGLES; i++)
		if (strcasecmp(name, http_singles[i]) == 0) {
			c->wrong |= c->seen[i];
			c->seen[i] = true;
		}
	return c->wrong ? MHD_NO : MHD_YES;
}

/* What another program in between could understand otherwise than we do. */
static int
http_check_headers(const struct http_exchange *x, struct err *e)
{
	struct http_header_check c = {.wrong = false};
	const char *coding = http_header(&x->call, "Transfer-Encoding");

	MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, http_check_header, &c);
	if (c.wrong)
		return err_set(e, ERR_USAGE, "a header twice, or a name with a blank in it");
	if (coding != NULL && strcasecmp(coding, "chunked") != 0)
		return err_set(e, ERR_USAGE, "Transfer-Encoding: chunked only is understood");
	return 0;
}

/* Content-Length as libmicrohttpd has understood it; a chunked body has none. */
static int
http_read_length(struct http_exchange *x, bool *ret_chunked, struct err *e)
{
	const char *text = http_header(&x->call, "Content-Length");
	uint64_t n = 0;

	*ret_chunked = http_header(&x->call, "Transfer-Encoding") != NULL;
	if (text == NULL)
		return 0;
	if (*ret_chunked)
		return err_set(e, ERR_USAGE, "both Content-Length and Transfer-Encoding");
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || n > UINT64_MAX / 10 - 1)
			return err_set(e, ERR_USAGE, "Content-Length is not a number");
		n = n * 10 + (uint64_t)(*p - '0');
	}
	x->call.has_length = true;
	x->call.length = n;
	return 0;
}

int
http_reserve(struct http_exchange *x, uint64_t n, struct err *e)
{
	if (n <= x->reserved || x->server->o.tls == NULL)
		return 0;
	if (!shares_take(x->server->documents, x->call.address, n - x->reserved, HTTP_DOCUMENTS_MAX / 2))
		return err_set(e, ERR_BUSY, "too many long documents are on their way; try again later");
	x->reserved = n;
	return 0;
}

/* Headers are here, the body is not. */
static int
http_begin(struct http_exchange *x, struct err *e)
{
	const struct http_server_options *o = &x->server->o;
	struct err problem;
	bool chunked = false;

	if (x->peer == NULL || !x->peer->allowed) {
		err_set(&problem, ERR_DENIED, "this socket serves its owner only");
		return http_reply_problem(&x->call, 403, &problem, e);
	}
	if (x->target_long) {
		err_set(&problem, ERR_LIMIT, "the path is longer than %u bytes", HTTP_TARGET_MAX);
		return http_reply_problem(&x->call, 414, &problem, e);
	}
	if (http_check_headers(x, &problem) != 0)
		return http_reply_problem(&x->call, 400, &problem, e);
	if (http_find_route(x, e) != 0 || x->response != NULL)
		return x->response != NULL ? 0 : -1;
	x->entered = o->gate != NULL;
	if (o->gate != NULL && (o->gate(&x->call, x->route, e) != 0 || x->response != NULL))
		return x->response != NULL ? 0 : -1;
	if (http_read_length(x, &chunked, &problem) != 0)
		return http_reply_problem(&x->call, 400, &problem, e);
	if (x->route->stream != NULL)
		return x->route->stream->begin(&x->call, e);
	if (!x->route->document && (x->call.length > 0 || chunked)) {
		err_set(&problem, ERR_USAGE, "this request takes no body");
		return http_reply_problem(&x->call, 400, &problem, e);
	}
	if (x->call.length > HTTP_DOCUMENT_MAX)
		return err_set(e, ERR_LIMIT, "a document longer than %u bytes", HTTP_DOCUMENT_MAX);
	return x->call.length > HTTP_DOCUMENT_SMALL ? http_reserve(x, x->call.length, e) : 0;
}

static int
http_take(struct http_exchange *x, const void *data, size_t len, struct err *e)
{
	if (x->route->stream != NULL)
		return x->route->stream->data(&x->call, data, len, e);
	if (len > HTTP_DOCUMENT_MAX - x->call.body.len)
		return err_set(e, ERR_LIMIT, "a document longer than %u bytes", HTTP_DOCUMENT_MAX);
	if (x->call.body.len + len > HTTP_DOCUMENT_SMALL && http_reserve(x, HTTP_DOCUMENT_MAX, e) != 0)
		return -1;
	buf_add(&x->call.body, data, len);
	return buf_check(&x->call.body, e);
}

/* A handler at work, which may read a disk for minutes: the peer waits for us. */
static void
http_work(struct http_exchange *x)
{
	http_peer_phase(x->peer, HTTP_WORK);
	MHD_set_connection_option(x->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
}

/* It is the peer's turn again; its time begins now. */
static void
http_wait(struct http_exchange *x, enum http_phase phase)
{
	http_peer_phase(x->peer, phase);
	MHD_set_connection_option(x->mhd, MHD_CONNECTION_OPTION_TIMEOUT, HTTP_SILENT_S);
}

static enum MHD_Result
http_send(struct http_exchange *x)
{
	enum MHD_Result rc;

	if (x->response == NULL)
		return MHD_NO;
	if (x->follows)
		http_peer_phase(x->peer, HTTP_FOLLOW);
	else
		http_wait(x, HTTP_ANSWER);
	rc = MHD_queue_response(x->mhd, x->status, x->response);
	MHD_destroy_response(x->response);
	x->response = NULL;
	return rc;
}

static enum MHD_Result
http_send_problem(struct http_exchange *x, const struct err *problem)
{
	struct err e;

	if (http_reply_problem(&x->call, 0, problem, &e) != 0)
		return MHD_NO; /* the connection is closed */
	return http_send(x);
}

/* A good answer that needs no body ("it is here") while a client sends one all the same: it
 * is read, since a client whose sending breaks does not see the answer. */
static bool
http_body_comes(const struct http_exchange *x)
{
	return x->status < 300 && x->call.length > 0 && x->call.length <= HTTP_UNASKED_MAX;
}

/* The headers are here. */
static enum MHD_Result
http_first(struct http_exchange *x, const char *method)
{
	struct err e;

	x->begun = true;
	x->call.method = method;
	http_work(x);
	if (x->peer != NULL) {
		x->call.session = &x->peer->session;
		x->call.local = x->server->o.tls == NULL;
		x->call.address = x->peer->address;
		x->call.client_key = http_tls_client_key(x->peer, x->mhd);
	}
	if (http_begin(x, &e) != 0)
		return http_send_problem(x, &e);
	if (x->response != NULL && !http_body_comes(x))
		return http_send(x);
	http_wait(x, HTTP_BODY);
	return MHD_YES;
}

/* Where a long document of this address may be at work now; NULL: it has to wait. */
static const char **
http_large_place(struct http_server *s, const char *address, bool local)
{
	const char **place = NULL;

	for (size_t i = 0; i < HTTP_LARGE_AT_ONCE; i++)
		if (s->large[i] == NULL)
			place = &s->large[i];
		else if (!local && strcmp(s->large[i], address) == 0)
			return NULL;
	return place;
}

static int
http_handle_large(struct http_exchange *x, struct err *e)
{
	struct http_server *s = x->server;
	const char **place;
	int rc;

	pthread_mutex_lock(&s->large_lock);
	while ((place = http_large_place(s, x->call.address, x->call.local)) == NULL)
		pthread_cond_wait(&s->large_left, &s->large_lock);
	*place = x->call.address;
	pthread_mutex_unlock(&s->large_lock);
	rc = x->route->handler(&x->call, e);
	buf_free(&x->call.body);
	pthread_mutex_lock(&s->large_lock);
	*place = NULL;
	pthread_cond_broadcast(&s->large_left);
	pthread_mutex_unlock(&s->large_lock);
	return rc;
}

static int
http_handle(struct http_exchange *x, struct err *e)
{
	int rc;

	if (x->route->heavy || x->call.body.len > HTTP_DOCUMENT_SMALL)
		return http_handle_large(x, e);
	rc = x->route->handler(&x->call, e);
	buf_free(&x->call.body);
	return rc;
}

/* libmicrohttpd calls this with the headers, with each piece of the body, and at its end. */
enum MHD_Result
http_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
    const char *version, const char *data, size_t *len, void **state)
{
	struct http_exchange *x = *state;
	struct err e;

	(void)cls;
	(void)mhd;
	(void)url; /* unescaped, cut at %00: the raw target is used instead */
	(void)version;
	if (x == NULL)
		return MHD_NO;
	if (!x->begun)
		return http_first(x, method);
	if (*len > 0) {
		x->in += *len;
		http_peer_moved(x->peer, *len);
		if (x->failed || x->response != NULL)
			x->discarded += *len;
		else
			x->failed = http_take(x, data, *len, &x->problem) != 0;
		*len = 0;
		return x->discarded > HTTP_DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	if (x->failed)
		return http_send_problem(x, &x->problem);
	if (x->response != NULL)
		return http_send(x);
	http_work(x);
	if (http_handle(x, &e) != 0)
		return http_send_problem(x, &e);
	return http_send(x);
}

static void
http_draw_id(char ret[HTTP_REQUEST_ID_SIZE])
{
	unsigned char bytes[(HTTP_REQUEST_ID_SIZE - 1) / 2] = {0};
	struct err ignored;
	int rc UNUSED = random_bytes(bytes, sizeof bytes, &ignored);

	hex_encode(ret, bytes, sizeof bytes);
}

/* The raw request target, before anything is unescaped or split. */
void *
http_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_exchange *x = calloc(1, sizeof *x);
	size_t len = strlen(target);

	if (x == NULL)
		return NULL;
	x->server = cls;
	x->mhd = mhd;
	x->peer = http_peer_of(mhd);
	x->started_us = http_peer_now_us();
	http_peer_phase(x->peer, HTTP_HEADER);
	http_draw_id(x->call.request_id);
	x->call.app = x->server->o.app;
	x->call.address = "unknown";
	x->target_long = len > HTTP_TARGET_MAX;
	if (!x->target_long)
		memcpy(x->target, target, len + 1);
	return x;
}

static void
http_tell(struct http_exchange *x, enum MHD_RequestTerminationCode code)
{
	struct http_done d = {
		.call = &x->call, .path = x->plain ? x->target : "-", .in = x->in, .out = x->out,
		.status = code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? x->status : 0,
		.micros = (uint64_t)(http_peer_now_us() - x->started_us),
	};

	if (x->call.method == NULL)
		x->call.method = "-";
	if (x->server->o.done != NULL)
		x->server->o.done(x->call.app, &d);
}

void
http_on_completed(void *cls, struct MHD_Connection *mhd, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct http_exchange *x = *state;

	(void)cls;
	(void)mhd;
	if (x == NULL)
		return;
	http_tell(x, code);
	if (x->entered && x->server->o.leave != NULL)
		x->server->o.leave(&x->call);
	http_peer_phase(x->peer, HTTP_IDLE);
	if (x->call.stream != NULL)
		x->route->stream->drop(x->call.stream);
	if (x->response != NULL)
		MHD_destroy_response(x->response);
	buf_free(&x->call.body);
	if (x->reserved > 0)
		shares_give(x->server->documents, x->call.address, x->reserved);
	free(x->call.arg);
	free(x);
	*state = NULL;
	hash_thread_end(); /* it may be the last that this thread does */
}
