#include "serve/http.h"

#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

#define HTTP_IDLE_S 120u
#define HTTP_DISCARD_MAX (8u * 1024 * 1024)
#define HTTP_ANSWER_HEADERS 4
#define HTTP_RETRY_AFTER "5"    /* seconds, with every 429 */

struct http_server {
	struct MHD_Daemon *mhd;
	struct http_server_options o;
};

/* One connection. */
struct http_peer {
	const struct http_server *server;
	bool allowed;
	void *session;
};

struct http_answer_header {
	const char *name;       /* a literal */
	char value[192];
};

/* One request with what only this file needs; begins with what handlers see. */
struct http_exchange {
	struct http_call call;
	const struct http_server *server;
	struct MHD_Connection *mhd;
	char target[HTTP_TARGET_MAX + 1];
	bool target_long;
	bool begun;
	const struct http_route *route;
	bool failed;            /* problem is to be answered when the body has passed */
	struct err problem;
	size_t discarded;
	struct MHD_Response *response;
	unsigned status;
	struct http_answer_header headers[HTTP_ANSWER_HEADERS];
	size_t header_count;
};

static struct http_exchange *
http_exchange(struct http_call *c)
{
	return (struct http_exchange *)c; /* its first member */
}

const char *
http_header(const struct http_call *c, const char *name)
{
	const struct http_exchange *x = (const struct http_exchange *)c;

	return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

int
http_answer_header(struct http_call *c, const char *name, const char *value, struct err *e)
{
	struct http_exchange *x = http_exchange(c);
	struct http_answer_header *h = &x->headers[x->header_count];

	if (x->header_count == HTTP_ANSWER_HEADERS || strlen(value) >= sizeof h->value)
		return err_set(e, ERR_INTERNAL, "header %s does not fit", name);
	h->name = name;
	snprintf(h->value, sizeof h->value, "%s", value);
	x->header_count++;
	return 0;
}

static int
http_answer(struct http_call *c, int status, struct MHD_Response *r, const char *type,
    struct err *e)
{
	struct http_exchange *x = http_exchange(c);

	if (r == NULL)
		return err_nomem(e);
	if (x->response != NULL)
		MHD_destroy_response(x->response);
	x->response = r;
	x->status = (unsigned)status;
	if (type != NULL && MHD_add_response_header(r, "Content-Type", type) != MHD_YES)
		return err_nomem(e);
	for (size_t i = 0; i < x->header_count; i++)
		if (MHD_add_response_header(r, x->headers[i].name, x->headers[i].value) != MHD_YES)
			return err_nomem(e);
	x->header_count = 0;
	return 0;
}

int
http_reply(struct http_call *c, int status, const char *type, const void *data, size_t len,
    struct err *e)
{
	/* libmicrohttpd copies; its parameter is not const for other modes */
	struct MHD_Response *r = MHD_create_response_from_buffer(len,
	    len > 0 ? (void *)(uintptr_t)data : (void *)(uintptr_t)"", MHD_RESPMEM_MUST_COPY);

	return http_answer(c, status, r, type, e);
}

static int
http_reply_encoded(struct http_call *c, int status, const char *type, const struct jcs *v,
    struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (jcs_encode(v, &text, e) != 0)
		return -1;
	return http_reply(c, status, type, text.data, text.len, e);
}

int
http_reply_json(struct http_call *c, int status, const struct jcs *v, struct err *e)
{
	const char *type = jcs_get_string(v, "mediaType");

	return http_reply_encoded(c, status, type != NULL ? type : "application/json", v, e);
}

int
http_reply_problem(struct http_call *c, int status, const struct err *problem, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	char type[64];

	if (status == 0)
		status = err_http_status(problem->code);
	snprintf(type, sizeof type, "urn:aicert:error:%s", err_name(problem->code));
	jcs_set_string(v, "type", type);
	jcs_set_string(v, "title", err_name(problem->code));
	jcs_set_int(v, "status", status);
	jcs_set_string(v, "detail", problem->msg);
	if (status == 429 && http_answer_header(c, "Retry-After", HTTP_RETRY_AFTER, e) != 0)
		return -1;
	if (http_reply_encoded(c, status, "application/problem+json", v, e) == 0)
		return 0;
	/* a message that is not UTF-8: the code alone */
	return http_reply(c, status, "text/plain", err_name(problem->code),
	    strlen(err_name(problem->code)), e);
}

int
http_reply_file(struct http_call *c, int status, int fd, uint64_t offset, uint64_t len,
    struct err *e)
{
	struct MHD_Response *r = MHD_create_response_from_fd_at_offset64(len, fd, offset);

	if (r == NULL)
		close(fd);
	return http_answer(c, status, r, "application/octet-stream", e);
}

static ssize_t
http_source_read(void *arg, uint64_t position, char *ret, size_t cap)
{
	const struct http_source *s = arg;
	ssize_t n = s->read(s->arg, ret, cap);

	(void)position;
	return n < 0 ? MHD_CONTENT_READER_END_OF_STREAM : n;
}

static void
http_source_free(void *arg)
{
	struct http_source *s = arg;

	s->release(s->arg);
	free(s);
}

int
http_reply_source(struct http_call *c, int status, const char *type,
    const struct http_source *source, struct err *e)
{
	struct http_source *copy = malloc(sizeof *copy);
	struct MHD_Response *r;

	if (copy == NULL) {
		source->release(source->arg);
		return err_nomem(e);
	}
	*copy = *source;
	r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, http_source_read, copy,
	    http_source_free);
	if (r == NULL)
		http_source_free(copy);
	else /* it may be silent for hours */
		MHD_set_connection_option(http_exchange(c)->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
	return http_answer(c, status, r, type, e);
}

/* Plain characters, '/' between components that are not empty. */
static bool
http_path_plain(const char *path)
{
	if (*path != '/')
		return false;
	for (const char *p = path; *p != '\0'; p++) {
		bool plain = (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
		    (*p >= 'A' && *p <= 'Z') || strchr("/._~-", *p) != NULL;

		if (!plain || (p[0] == '/' && p[1] == '/'))
			return false;
	}
	return true;
}

/* *ret_arg points at what '*' matched, *ret_len long. */
static bool
http_route_matches(const char *pattern, const char *path, const char **ret_arg, size_t *ret_len)
{
	for (;;) {
		if (*pattern == '*') {
			size_t n = strcspn(path, "/");

			if (n == 0)
				return false;
			*ret_arg = path;
			*ret_len = n;
			pattern++;
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
	if (!http_path_plain(x->target)) {
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

/* Headers are here, the body is not. */
static int
http_begin(struct http_exchange *x, const struct http_peer *peer, struct err *e)
{
	struct err problem;
	bool chunked = false;

	if (peer == NULL || !peer->allowed) {
		err_set(&problem, ERR_DENIED, "this socket serves its owner only");
		return http_reply_problem(&x->call, 403, &problem, e);
	}
	if (x->target_long) {
		err_set(&problem, ERR_LIMIT, "the path is longer than %u bytes", HTTP_TARGET_MAX);
		return http_reply_problem(&x->call, 414, &problem, e);
	}
	if (http_find_route(x, e) != 0 || x->response != NULL)
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
	return 0;
}

static int
http_take(struct http_exchange *x, const void *data, size_t len, struct err *e)
{
	if (x->route->stream != NULL)
		return x->route->stream->data(&x->call, data, len, e);
	if (len > HTTP_DOCUMENT_MAX - x->call.body.len)
		return err_set(e, ERR_LIMIT, "a document longer than %u bytes", HTTP_DOCUMENT_MAX);
	buf_add(&x->call.body, data, len);
	return buf_check(&x->call.body, e);
}

static enum MHD_Result
http_send(struct http_exchange *x)
{
	enum MHD_Result rc;

	if (x->response == NULL)
		return MHD_NO;
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

static struct http_peer *
http_peer(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* libmicrohttpd calls this with the headers, with each piece of the body, and at its end. */
static enum MHD_Result
http_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
    const char *version, const char *data, size_t *len, void **state)
{
	struct http_exchange *x = *state;
	struct http_peer *peer = http_peer(mhd);
	struct err e;

	(void)cls;
	(void)url; /* unescaped, cut at %00: the raw target is used instead */
	(void)version;
	if (x == NULL)
		return MHD_NO;
	if (!x->begun) {
		x->begun = true;
		x->call.method = method;
		x->call.session = peer != NULL ? &peer->session : NULL;
		if (http_begin(x, peer, &e) != 0)
			return http_send_problem(x, &e);
		return x->response != NULL ? http_send(x) : MHD_YES;
	}
	if (*len > 0) {
		if (x->failed)
			x->discarded += *len;
		else
			x->failed = http_take(x, data, *len, &x->problem) != 0;
		*len = 0;
		return x->discarded > HTTP_DISCARD_MAX ? MHD_NO : MHD_YES;
	}
	if (x->failed)
		return http_send_problem(x, &x->problem);
	if (x->route->handler(&x->call, &e) != 0)
		return http_send_problem(x, &e);
	return http_send(x);
}

/* The raw request target, before anything is unescaped or split. */
static void *
http_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_exchange *x = calloc(1, sizeof *x);
	size_t len = strlen(target);

	if (x == NULL)
		return NULL;
	x->server = cls;
	x->mhd = mhd;
	x->call.app = x->server->o.app;
	x->target_long = len > HTTP_TARGET_MAX;
	if (!x->target_long)
		memcpy(x->target, target, len + 1);
	return x;
}

static void
http_on_completed(void *cls, struct MHD_Connection *mhd, void **state,
    enum MHD_RequestTerminationCode code)
{
	struct http_exchange *x = *state;

	(void)cls;
	(void)mhd;
	(void)code;
	if (x == NULL)
		return;
	if (x->call.stream != NULL)
		x->route->stream->drop(x->call.stream);
	if (x->response != NULL)
		MHD_destroy_response(x->response);
	buf_free(&x->call.body);
	free(x->call.arg);
	free(x);
	*state = NULL;
}

static bool
http_peer_allowed(const struct http_server *s, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	return cred.uid == s->o.uid || cred.uid == 0;
}

static void
http_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	const struct http_server *s = cls;
	struct http_peer *peer = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		peer = calloc(1, sizeof *peer);
		if (peer != NULL)
			peer->allowed = http_peer_allowed(s, mhd);
		*context = peer;
	} else if (peer != NULL) {
		if (peer->session != NULL)
			s->o.session_free(peer->session);
		free(peer);
		*context = NULL;
	}
}

int
http_server_start(const struct http_server_options *o, struct http_server **ret, struct err *e)
{
	struct http_server *s = calloc(1, sizeof *s);

	if (s == NULL) {
		close(o->listen_fd);
		return err_nomem(e);
	}
	s->o = *o;
	s->mhd = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL,
	    0, NULL, NULL, http_on_request, s,
	    MHD_OPTION_LISTEN_SOCKET, o->listen_fd,
	    MHD_OPTION_URI_LOG_CALLBACK, http_on_target, s,
	    MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s,
	    MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, s,
	    MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADERS_MAX,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (s->mhd == NULL) {
		close(o->listen_fd);
		free(s);
		return err_set(e, ERR_IO, "the HTTP server does not start");
	}
	*ret = s;
	return 0;
}

void
http_server_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	MHD_stop_daemon(s->mhd);
	free(s);
}
