#include "net/http.h"

#include <curl/curl.h>
#include <string.h>
#include "base/fd.h"
#include "base/interrupt.h"

#define HTTP_DOWNLOAD_REDIRECTS 5
#define HTTP_DOWNLOAD_CONNECT_S 20L
#define HTTP_DOWNLOAD_STALL_S 60L
#define HTTP_DOWNLOAD_PLAIN_S 60L /* all of what comes from anywhere: a few KiB */

struct http_download {
	CURL *easy;
	const char *url;
	int fd;             /* -1: into body */
	struct buf *body;
	bool plain;         /* http from anywhere: what comes proves itself */
	uint64_t max;
	uint64_t done;
	struct progress *progress;
	char curl_error[CURL_ERROR_SIZE];
	bool failed;        /* e says why */
	struct err *e;
};

static void
http_download_curlp(CURL **c)
{
	curl_easy_cleanup(*c);
}

static void
http_download_urlp(CURLU **u)
{
	curl_url_cleanup(*u);
}

static bool
http_download_loopback(const char *host)
{
	unsigned char octet;
	size_t dots = 0;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	if (strncmp(host, "127.", 4) != 0)
		return false;
	for (const char *p = host; *p != '\0'; p++) {
		octet = (unsigned char)*p;
		if (octet == '.')
			dots++;
		else if (octet < '0' || octet > '9')
			return false;
	}
	return dots == 3;
}

/* A name, not an address: what answers at a bare address is not a public server. */
static bool
http_download_is_name(const char *host)
{
	size_t len = strlen(host);

	return host[0] != '[' && len > 0 && (host[len - 1] < '0' || host[len - 1] > '9') &&
	    strchr(host, '.') != NULL;
}

/*
 * https anywhere, http to this machine only, or, where plain says so, to any
 * name.  An https url that leads back to
 * plain http is refused, also to loopback: no page out there may make us ask
 * what listens here.
 */
static int
http_download_check(const struct http_download *d, const char *url, bool *https, struct err *e)
{
	CLEANUP(http_download_urlp) CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	int rc;

	if (u == NULL)
		return err_nomem(e);
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
		rc = err_set(e, ERR_USAGE, "%s: not a valid https url", url);
	} else if (strcmp(scheme, "https") == 0) {
		*https = true;
		rc = 0;
	} else if (strcmp(scheme, "http") == 0 && !*https &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    (http_download_loopback(host) || (d->plain && http_download_is_name(host)))) {
		rc = 0;
	} else {
		rc = err_set(e, ERR_DENIED, "%s: only https is fetched (http from this machine"
		    " alone)", url);
	}
	curl_free(scheme);
	curl_free(host);
	return rc;
}

static size_t
http_download_body(char *data, size_t one, size_t len, void *arg)
{
	struct http_download *d = arg;
	curl_off_t total = -1;
	long status = 0;

	(void)one;
	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return len; /* a redirect's or an error's page */
	if (len > d->max - d->done) {
		d->failed = true;
		err_set(d->e, ERR_LIMIT, "%s: longer than %llu bytes", d->url,
		    (unsigned long long)d->max);
		return 0;
	}
	if (d->fd < 0)
		buf_add(d->body, data, len);
	d->failed = (d->fd < 0 ? buf_check(d->body, d->e) :
	    fd_write_all(d->fd, data, len, d->url, d->e)) != 0;
	if (d->failed)
		return 0;
	d->done += len;
	if (d->progress != NULL) {
		curl_easy_getinfo(d->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
		if (total > 0)
			d->progress->total = (uint64_t)total;
		progress_add(d->progress, len);
	}
	return len;
}

/* Called at least once a second: Ctrl-C also ends a transfer that stalls. */
static int
http_download_tick(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct http_download *self = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	if (interrupt_check(self->e) == 0)
		return 0;
	self->failed = true;
	return 1;
}

static void
http_download_options(struct http_download *d)
{
	CURL *c = d->easy;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->curl_error);
	curl_easy_setopt(c, CURLOPT_URL, d->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "aicert/" AICERT_VERSION);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, HTTP_DOWNLOAD_CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, HTTP_DOWNLOAD_STALL_S);
	if (d->plain)
		curl_easy_setopt(c, CURLOPT_TIMEOUT, HTTP_DOWNLOAD_PLAIN_S);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, http_download_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, http_download_tick);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, d);
}

/* One hop. *ret_next: where a redirect leads, malloc'd, or NULL when done. */
static int
http_download_hop(struct http_download *d, char **ret_next, struct err *e)
{
	const char *next = NULL;
	long status = 0;
	CURLcode code;

	http_download_options(d);
	code = curl_easy_perform(d->easy);
	if (d->failed)
		return -1;
	if (code != CURLE_OK)
		return err_set(e, ERR_NETWORK, "%s: %s", d->url,
		    d->curl_error[0] != '\0' ? d->curl_error : curl_easy_strerror(code));
	curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(d->easy, CURLINFO_REDIRECT_URL, &next);
	*ret_next = NULL;
	if (status == 200)
		return 0;
	if (status < 300 || status > 399 || next == NULL)
		return err_set(e, status == 404 || status == 410 ? ERR_NOTFOUND : ERR_NETWORK,
		    "%s: the server answered with status %ld", d->url, status);
	*ret_next = buf_strdup(next, e);
	return *ret_next != NULL ? 0 : -1;
}

static int
http_download_run(struct http_download *d, const char *url, struct err *e)
{
	CLEANUP(http_download_curlp) CURL *easy = curl_easy_init();
	CLEANUP(cleanup_free) char *at = buf_strdup(url, e);
	bool https = false;

	if (at == NULL)
		return -1;
	if (easy == NULL)
		return err_nomem(e);
	d->easy = easy;
	d->e = e;
	for (int hop = 0; hop <= HTTP_DOWNLOAD_REDIRECTS; hop++) {
		char *next = NULL;

		if (http_download_check(d, at, &https, e) != 0)
			return hop == 0 ? -1 : err_prefix(e, "%s leads to", url);
		d->url = at;
		if (http_download_hop(d, &next, e) != 0)
			return -1;
		if (next == NULL)
			return 0;
		free(at);
		at = next;
	}
	return err_set(e, ERR_NETWORK, "%s: more than %d redirects", url, HTTP_DOWNLOAD_REDIRECTS);
}

int
http_download(const char *url, int fd, uint64_t max, struct progress *p, struct err *e)
{
	struct http_download d = {.fd = fd, .max = max, .progress = p};

	return http_download_run(&d, url, e);
}

int
http_download_public(const char *url, size_t max, struct buf *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	struct http_download d = {.fd = -1, .body = &body, .max = max, .plain = true};

	if (http_download_run(&d, url, e) != 0)
		return -1;
	buf_add(ret, body.data, body.len);
	return buf_check(ret, e);
}
