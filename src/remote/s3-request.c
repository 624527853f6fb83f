#include <poll.h>
#include <string.h>
#include "base/interrupt.h"
#include "remote/s3-internal.h"

#define S3_TRIES 5
#define S3_WAIT_MS 200

void
s3_request_escape(const char *text, struct buf *ret)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			buf_addc(ret, *text);
		else
			buf_addf(ret, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

static int
s3_request_path(const struct s3 *s, const struct s3_call *c, char ret[S3_PATH_SIZE], struct err *e)
{
	bool whole = *c->key == '\0';
	int n = snprintf(ret, S3_PATH_SIZE, "%s%s/%s%s%s%s", s->place.path_style ? "/" : "",
	    s->place.path_style ? s->place.bucket : "", whole ? "" : s->place.prefix, c->key,
	    c->query != NULL ? "?" : "", c->query != NULL ? c->query : "");

	/* "/bucket" names the bucket, not "/bucket/" */
	if (n > 0 && n < S3_PATH_SIZE && whole && s->place.path_style) {
		size_t at = 1 + strlen(s->place.bucket);

		memmove(ret + at, ret + at + 1, strlen(ret + at));
	}
	return n > 0 && n < S3_PATH_SIZE ? 0 : err_set(e, ERR_LIMIT, "%s: too long a path", c->key);
}

static int
s3_request_wait(unsigned try, struct err *e)
{
	struct pollfd p = {.fd = interrupt_fd(), .events = POLLIN};

	(void)poll(&p, p.fd >= 0 ? 1 : 0, S3_WAIT_MS << try);
	return interrupt_check(e);
}

static bool
s3_request_later(const struct http_response *rs)
{
	return rs->status == 429 || rs->status == 500 || rs->status == 502 || rs->status == 503 ||
	    rs->status == 504;
}

int
s3_request(struct s3 *s, struct http *h, const struct s3_call *c, struct http_response *ret,
    struct err *e)
{
	char path[S3_PATH_SIZE];
	const struct http_request rq = {
		.method = c->method, .path = path, .header = c->header, .payload = c->payload,
		.content_type = c->body != NULL || c->body_fd_size > 0 ? "application/octet-stream" : NULL,
		.body = c->body, .body_len = c->body_len,
		.body_fd = c->body_fd, .body_fd_offset = c->body_fd_offset,
		.body_fd_size = c->body == NULL ? c->body_fd_size : 0,
		.range_start = c->range_start, .max = c->max, .sink = c->sink, .sink_arg = c->sink_arg,
		.moved = c->moved, .moved_arg = c->moved_arg,
	};

	if (s3_request_path(s, c, path, e) != 0)
		return -1;
	for (unsigned try = 0;; try++) {
		struct http_response rs = HTTP_RESPONSE_INIT;
		int rc = http_do(h, &rq, &rs, e);

		if (rc == 0 && (!s3_request_later(&rs) || try + 1 == S3_TRIES)) {
			*ret = rs;
			return 0;
		}
		http_response_free(&rs);
		/* a sink that has taken something goes on elsewhere */
		if (rc != 0 && (e->code != ERR_NETWORK || c->once || c->sink != NULL || try + 1 == S3_TRIES))
			return -1;
		if (s3_request_wait(try, e) != 0)
			return -1;
	}
}

int
s3_request_problem(const struct s3 *s, const struct http_response *rs, const char *key, struct err *e)
{
	const struct s3_xml x = {(const char *)rs->body.data, rs->body.len};
	char code[64], message[256], region[64];
	enum err_code as = ERR_NETWORK;

	if (!s3_xml_text(x, "Code", code, sizeof code))
		snprintf(code, sizeof code, "status %d", rs->status);
	if (!s3_xml_text(x, "Message", message, sizeof message))
		message[0] = '\0';
	if (strcmp(code, "NoSuchBucket") == 0)
		return err_set(e, ERR_NETWORK, "s3://%s: there is no such bucket at %s", s->place.bucket,
		    s->place.base);
	if ((rs->status >= 301 && rs->status <= 308) || strcmp(code, "AuthorizationHeaderMalformed") == 0)
		return err_set(e, ERR_NETWORK, "s3://%s: %s is not where it is, or the region %s is wrong%s%s"
		    " (s3.%s.region)", s->place.bucket, s->place.base, s->place.region,
		    s3_xml_text(x, "Region", region, sizeof region) ? "; try " : "",
		    s3_xml_text(x, "Region", region, sizeof region) ? region : "", s->place.bucket);
	if (rs->status == 401 || rs->status == 403)
		as = ERR_DENIED;
	else if (rs->status == 404)
		as = ERR_NOTFOUND;
	else if (rs->status == 412 || rs->status == 409)
		as = ERR_CONFLICT;
	else if (rs->status == 501)
		as = ERR_UNSUPPORTED;
	return err_set(e, as, "s3://%s/%s%s: %s%s%s%s", s->place.bucket, s->place.prefix, key, code,
	    message[0] != '\0' ? ": " : "", message,
	    as == ERR_DENIED && s->anonymous ? " (no key was found: AWS_ACCESS_KEY_ID, ~/.aws/credentials)" :
	    "");
}

int
s3_request_take(struct s3 *s, struct http **ret, struct err *e)
{
	struct http *h = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->idle_count > 0)
		h = s->idle[--s->idle_count];
	pthread_mutex_unlock(&s->lock);
	if (h == NULL && http_clone(s->http, &h, e) != 0)
		return -1;
	*ret = h;
	return 0;
}

void
s3_request_give(struct s3 *s, struct http *h)
{
	bool kept = false;

	pthread_mutex_lock(&s->lock);
	if (s->idle_count < S3_CONNECTIONS) {
		s->idle[s->idle_count++] = h;
		kept = true;
	}
	pthread_mutex_unlock(&s->lock);
	if (!kept)
		http_free(h);
}
