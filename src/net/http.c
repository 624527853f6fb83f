#include "net/http-internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include "base/interrupt.h"

#define HTTP_CONNECT_TIMEOUT_S 20L
#define HTTP_STALL_S 60L
#define HTTP_LINK_LOST_S 20      /* what was sent is not acknowledged, probes are not answered */
#define HTTP_PROBE_S 5
#define HTTP_PROBLEM_MAX 65536u
#define HTTP_DOWNLOAD_BLOCK (512L * 1024)
#define HTTP_UPLOAD_BLOCK (1024L * 1024)

/* One request on its way: what the callbacks need. */
struct http_transfer {
	struct http *h;
	const struct http_request *rq;
	struct http_response *rs;
	uint64_t sent;
	struct curl_slist *headers;
	char curl_error[CURL_ERROR_SIZE];
	bool too_long;
	bool sink_failed;
	bool other_range;
	bool begun;
	struct err *e;
};

static int
http_check_options(const struct http_options *o, struct err *e)
{
	bool socket = o->peer == HTTP_PEER_SOCKET, pin = o->peer == HTTP_PEER_PIN;
	bool local = o->peer == HTTP_PEER_LOCAL;

	if (socket != (o->unix_socket != NULL) || pin != (o->pin != NULL) ||
	    (o->client_cert != NULL) != (o->client_key != NULL) ||
	    (local && !http_url_local(o->base)) ||
	    (o->client_cert != NULL && (socket || local || o->peer == HTTP_PEER_ASK ||
	    pin != (o->peer_pem != NULL))) ||
	    strncmp(o->base, socket || local ? "http://" : "https://", socket || local ? 7 : 8) != 0)
		return err_set(e, ERR_INTERNAL, "%s: options that do not fit each other", o->base);
	return 0;
}

static int
http_copy(char **ret, const char *text, struct err *e)
{
	if (text == NULL)
		return 0;
	*ret = buf_strdup(text, e);
	return *ret != NULL ? 0 : -1;
}

static int
http_fill(struct http *h, const struct http_options *o, struct err *e)
{
	h->peer = o->peer;
	h->easy = curl_easy_init();
	h->multi = curl_multi_init();
	if (h->easy == NULL || h->multi == NULL)
		return err_nomem(e);
	if (o->pin != NULL) {
		h->pin = buf_strfmt(e, "sha256//%s", o->pin);
		if (h->pin == NULL)
			return -1;
	}
	if (http_copy(&h->base, o->base, e) != 0 || http_copy(&h->unix_socket, o->unix_socket, e) != 0 ||
	    http_copy(&h->client_cert, o->client_cert, e) != 0 ||
	    http_copy(&h->client_key, o->client_key, e) != 0 ||
	    http_copy(&h->peer_pem, o->peer_pem, e) != 0 ||
	    http_copy(&h->ca_file, o->ca_file, e) != 0)
		return -1;
	return http_tls_set(h, e);
}

int
http_new_with(const struct http_options *o, struct http **ret, struct err *e)
{
	struct http *h;

	if (http_check_options(o, e) != 0)
		return -1;
	h = calloc(1, sizeof *h);
	if (h == NULL)
		return err_nomem(e);
	if (http_fill(h, o, e) != 0) {
		http_free(h);
		return -1;
	}
	*ret = h;
	return 0;
}

int
http_new(const char *base, const char *unix_socket, struct http **ret, struct err *e)
{
	struct http_options o = {
		.peer = unix_socket != NULL ? HTTP_PEER_SOCKET : HTTP_PEER_CA,
		.base = base, .unix_socket = unix_socket,
	};

	return http_new_with(&o, ret, e);
}

int
http_clone(const struct http *h, struct http **ret, struct err *e)
{
	struct http_options o = {
		.peer = h->peer, .base = h->base, .unix_socket = h->unix_socket,
		.pin = h->pin != NULL ? h->pin + strlen("sha256//") : NULL,
		.client_cert = h->client_cert, .client_key = h->client_key,
		.peer_pem = h->client_cert != NULL ? h->peer_pem : NULL,
		.ca_file = h->ca_file,
	};
	struct http *copy;

	if (http_new_with(&o, &copy, e) != 0)
		return -1;
	copy->deaf = h->deaf;
	if ((h->token != NULL && http_set_token(copy, h->token, e) != 0) ||
	    http_sigv4_copy(copy, h, e) != 0) {
		http_free(copy);
		return -1;
	}
	*ret = copy;
	return 0;
}

static void
http_token_wipe(struct http *h)
{
	if (h->token != NULL)
		explicit_bzero(h->token, strlen(h->token));
	free(h->token);
	h->token = NULL;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	if (h->easy != NULL)
		curl_easy_cleanup(h->easy);
	if (h->multi != NULL)
		curl_multi_cleanup(h->multi);
	http_token_wipe(h);
	http_sigv4_free(h);
	free(h->base);
	free(h->unix_socket);
	free(h->pin);
	free(h->client_cert);
	free(h->client_key);
	free(h->peer_pem);
	free(h->ca_file);
	free(h);
}

int
http_set_token(struct http *h, const char *token, struct err *e)
{
	char *copy;

	if (h->peer == HTTP_PEER_ASK)
		return err_set(e, ERR_INTERNAL, "%s: a credential for a peer that nobody has judged",
		    h->base);
	/* RFC 6750 b64token: nothing that could end the header */
	if (*token == '\0' || token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~+/=")] != '\0')
		return err_set(e, ERR_USAGE, "the token has a character that bearer tokens lack");
	copy = buf_strdup(token, e);
	if (copy == NULL)
		return -1;
	http_token_wipe(h);
	h->token = copy;
	return 0;
}

void
http_ignore_interrupt(struct http *h)
{
	h->deaf = true;
}

bool
http_ok(const struct http_response *r)
{
	return r->status >= 200 && r->status < 300;
}

void
http_response_free(struct http_response *r)
{
	buf_free(&r->body);
}

static size_t
http_on_body(char *data, size_t one, size_t len, void *arg)
{
	struct http_transfer *t = arg;
	long status = 0;

	(void)one; /* always 1 */
	curl_easy_getinfo(t->h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300 && t->rq->range_start > 0) {
		t->other_range = status != 206 || t->rs->range_start != (int64_t)t->rq->range_start;
		if (t->other_range)
			return 0;
	}
	if (status >= 200 && status < 300 && t->rq->sink != NULL) {
		if (!t->begun && t->rq->begun != NULL)
			t->rq->begun(t->rq->sink_arg, t->rs);
		t->begun = true;
		t->sink_failed = t->rq->sink(t->rq->sink_arg, data, len, t->e) != 0;
		return t->sink_failed ? 0 : len;
	}
	buf_add(&t->rs->body, data, len);
	t->too_long = t->rs->body.over;
	return t->rs->body.failed ? 0 : len;
}

static size_t
http_on_header(char *data, size_t one, size_t len, void *arg)
{
	struct http_transfer *t = arg;

	(void)one;
	http_header_take(data, len, t->rs);
	return len;
}

static size_t
http_on_send(char *ret, size_t one, size_t cap, void *arg)
{
	struct http_transfer *t = arg;
	uint64_t left = t->rq->body_fd_size - t->sent;
	ssize_t n;

	(void)one;
	if (cap > left)
		cap = (size_t)left;
	if (cap == 0)
		return 0;
	do
		n = pread(t->rq->body_fd, ret, cap, (off_t)(t->rq->body_fd_offset + t->sent));
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		t->sink_failed = true;
		if (n == 0)
			err_set(t->e, ERR_CONFLICT, "the file became shorter while it was sent");
		else
			err_sys(t->e, "cannot read what is to be sent");
		return CURL_READFUNC_ABORT;
	}
	t->sent += (uint64_t)n;
	if (t->rq->moved != NULL)
		t->rq->moved(t->rq->moved_arg, (uint64_t)n);
	return (size_t)n;
}

static int
http_on_seek(void *arg, curl_off_t offset, int origin)
{
	struct http_transfer *t = arg;

	if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > t->rq->body_fd_size)
		return CURL_SEEKFUNC_CANTSEEK;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int
http_add_header(struct http_transfer *t, const char *name, const char *value, struct err *e)
{
	CLEANUP(cleanup_free) char *line = buf_strfmt(e, "%s%s", name, value);
	struct curl_slist *list;

	if (line == NULL)
		return -1;
	list = curl_slist_append(t->headers, line);
	explicit_bzero(line, strlen(line)); /* may be the token */
	if (list == NULL)
		return err_nomem(e);
	t->headers = list;
	return 0;
}

static int
http_add_signed(void *arg, const char *name, const char *value, struct err *e)
{
	return http_add_header(arg, name, value, e);
}

static int
http_set_headers(struct http_transfer *t, struct err *e)
{
	const struct http_request *rq = t->rq;

	if (rq->content_type != NULL && http_add_header(t, "Content-Type: ", rq->content_type, e) != 0)
		return -1;
	if (rq->header != NULL && http_add_header(t, "", rq->header, e) != 0)
		return -1;
	if (rq->header_more != NULL && http_add_header(t, "", rq->header_more, e) != 0)
		return -1;
	if (t->h->signer != NULL && http_sigv4_set(t->h, rq, http_add_signed, t, e) != 0)
		return -1;
	if (rq->range_start > 0) {
		char range[64];

		snprintf(range, sizeof range, "%llu-", (unsigned long long)rq->range_start);
		if (http_add_header(t, "Range: bytes=", range, e) != 0)
			return -1;
	}
	if (t->h->token != NULL &&
	    http_add_header(t, "Authorization: Bearer ", t->h->token, e) != 0)
		return -1;
	curl_easy_setopt(t->h->easy, CURLOPT_HTTPHEADER, t->headers);
	return 0;
}

/* A link that is gone is noticed also where nothing is to be read for a long time. */
static int
http_on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	unsigned ms = HTTP_LINK_LOST_S * 1000;

	(void)arg;
	if (purpose == CURLSOCKTYPE_IPCXN) /* of a Unix socket it fails, and is not needed */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
	return CURL_SOCKOPT_OK;
}

/* What every transfer of ours has: no redirects, no netrc's surprises. */
static void
http_set_common(CURL *c, char *curl_error)
{
	curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, http_on_socket);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPIDLE, (long)HTTP_PROBE_S);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPINTVL, (long)HTTP_PROBE_S);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, HTTP_DOWNLOAD_BLOCK);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, HTTP_UPLOAD_BLOCK);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, curl_error);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, HTTP_CONNECT_TIMEOUT_S);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "aicert/" AICERT_VERSION);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
}

static void
http_set_body(struct http_transfer *t)
{
	const struct http_request *rq = t->rq;
	CURL *c = t->h->easy;

	if (strcmp(rq->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
		return;
	}
	if (rq->body == NULL && rq->body_fd_size > 0) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, http_on_send);
		curl_easy_setopt(c, CURLOPT_READDATA, t);
		curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, http_on_seek);
		curl_easy_setopt(c, CURLOPT_SEEKDATA, t);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->body_fd_size);
	} else if (rq->body != NULL || strcmp(rq->method, "PUT") == 0 ||
	    strcmp(rq->method, "POST") == 0) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->body != NULL ? rq->body : "");
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
}

static int
http_set_options(struct http_transfer *t, struct err *e)
{
	const struct http_request *rq = t->rq;
	CURL *c = t->h->easy;
	CLEANUP(cleanup_free) char *url = buf_strfmt(e, "%s%s", t->h->base, rq->path);

	if (url == NULL)
		return -1;
	curl_easy_reset(c);
	if (http_tls_set(t->h, e) != 0)
		return -1;
	http_set_common(c, t->curl_error);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	if (t->h->unix_socket != NULL)
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, t->h->unix_socket);
	if (t->h->unix_socket != NULL || t->h->peer == HTTP_PEER_LOCAL)
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, http_on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)rq->timeout_s);
	if (rq->timeout_s == 0 && !rq->follow) {
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, HTTP_STALL_S + (long)rq->patience_s);
	}
	http_set_body(t);
	return http_set_headers(t, e);
}

/* Runs the transfer, and wakes for a signal. */
static int
http_perform(struct http_transfer *t, CURLcode *ret, struct err *e)
{
	struct curl_waitfd wake = {.fd = interrupt_fd(), .events = CURL_WAIT_POLLIN};
	unsigned wakes = !t->h->deaf && wake.fd >= 0 ? 1 : 0;
	int running = 1, left;

	for (;;) {
		if ((t->h->deaf ? interrupt_watched(e) : interrupt_check(e)) != 0)
			return -1;
		if (curl_multi_perform(t->h->multi, &running) != CURLM_OK)
			return err_set(e, ERR_NETWORK, "libcurl failed");
		if (running == 0)
			break;
		if (curl_multi_poll(t->h->multi, &wake, wakes, 1000, NULL) != CURLM_OK)
			return err_set(e, ERR_NETWORK, "libcurl failed");
	}
	for (CURLMsg *m; (m = curl_multi_info_read(t->h->multi, &left)) != NULL;)
		if (m->msg == CURLMSG_DONE && m->easy_handle == t->h->easy) {
			*ret = m->data.result;
			return 0;
		}
	return err_set(e, ERR_NETWORK, "libcurl lost the transfer");
}

static int
http_outcome(const struct http_transfer *t, CURLcode code, struct err *e)
{
	const char *peer = t->h->unix_socket != NULL ? t->h->unix_socket : t->h->base;

	if (t->sink_failed)
		return -1; /* the sink has said why */
	if (t->too_long)
		return err_set(e, ERR_LIMIT, "%s %s: the answer is longer than %zu bytes",
		    t->rq->method, t->rq->path, t->rs->body.max);
	if (t->rs->body.failed)
		return err_nomem(e);
	if (t->other_range)
		return err_set(e, ERR_FORMAT, "%s %s: the answer is not the range that was asked for",
		    t->rq->method, t->rq->path);
	if (t->h->key_changed)
		return err_set(e, ERR_REFUSED, "%s: the peer has another key than the one that was judged;"
		    " nothing was sent to it (%s)", peer, t->curl_error);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return err_set(e, ERR_DENIED, "%s: %s", peer,
		    t->curl_error[0] != '\0' ? t->curl_error : curl_easy_strerror(code));
	if (code != CURLE_OK)
		return err_set(e, ERR_NETWORK, "%s: %s %.*s: %s", peer, t->rq->method,
		    (int)strcspn(t->rq->path, "?"), t->rq->path,
		    t->curl_error[0] != '\0' ? t->curl_error : curl_easy_strerror(code));
	return 0;
}

static void
http_collect(struct http_transfer *t)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(t->h->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->h->easy, CURLINFO_CONTENT_TYPE, &type);
	t->rs->status = (int)status;
	if (type != NULL)
		snprintf(t->rs->content_type, sizeof t->rs->content_type, "%s", type);
}

/* One of them may be the token. */
static void
http_free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *l = headers; l != NULL; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(headers);
}

int
http_do(struct http *h, const struct http_request *rq, struct http_response *ret, struct err *e)
{
	struct http_response rs = HTTP_RESPONSE_INIT;
	struct http_transfer t = {.h = h, .rq = rq, .rs = &rs, .e = e};
	CURLcode code = CURLE_OK;
	int rc;

	rs.body.max = rq->max > HTTP_PROBLEM_MAX ? rq->max : HTTP_PROBLEM_MAX;
	rc = http_set_options(&t, e);
	if (rc == 0 && curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		rc = err_nomem(e);
	else if (rc == 0) {
		rc = http_perform(&t, &code, e);
		http_tls_collect(h, code);
		if (rc == 0)
			rc = http_outcome(&t, code, e);
		http_collect(&t);
		curl_multi_remove_handle(h->multi, h->easy);
	}
	http_free_headers(t.headers);
	if (rc == 0 && http_ok(&rs) && rs.body.len > rq->max)
		rc = err_set(e, ERR_LIMIT, "%s %s: the answer is longer than %zu bytes",
		    rq->method, rq->path, rq->max);
	if (rc != 0) {
		http_response_free(&rs);
		return -1;
	}
	*ret = rs;
	return 0;
}
