#include "remote/https.h"

#include <string.h>
#include "base/buf.h"
#include "runner/credential.h"

/* "https://host" and "/path" without the last '/'. */
static int
https_split(const char *url, char **ret_host, char **ret_path, struct err *e)
{
	size_t host = 8 + strcspn(url + 8, "/?#"), len = strlen(url);
	CLEANUP(cleanup_free) char *head = strndup(url, host);

	if (head == NULL)
		return err_nomem(e);
	if (url[host + strcspn(url + host, "?#%\\ ")] != '\0' || strstr(url + host, "/..") != NULL ||
	    strstr(url + host, "//") != NULL)
		return err_set(e, ERR_USAGE, "%s: a path of plain names is needed after the host", url);
	while (len > host && url[len - 1] == '/')
		len--;
	*ret_path = strndup(url + host, len - host);
	if (*ret_path == NULL)
		return err_nomem(e);
	return http_url_base(head, ret_host, e);
}

/* *ret stays NULL when the user has none. */
static int
https_setting(struct config *c, const char *base, const char *name, char **ret, struct err *e)
{
	CLEANUP(cleanup_free) char *key = buf_strfmt(e, "hub.%s.%s", base, name);

	if (key == NULL)
		return -1;
	return config_get(c, key, ret, e) == 0 || e->code == ERR_NOTFOUND ? 0 : -1;
}

static int
https_token(struct https *h, const char *file, struct err *e)
{
	CLEANUP(buf_wipe) struct buf token = BUF_INIT;

	if (file == NULL)
		return 0;
	if (credential_file(file, &token, e) != 0)
		return -1;
	return http_set_token(h->http, buf_str(&token), e);
}

static int
https_connect(struct remote *r, const char *base, struct https *h, struct err *e)
{
	CLEANUP(cleanup_free) char *token = NULL, *cert = NULL, *key = NULL, *ca = NULL;
	struct http_options o = {.peer = HTTP_PEER_CA, .base = base};

	if (https_setting(r->config, base, "tokenfile", &token, e) != 0 ||
	    https_setting(r->config, base, "clientcert", &cert, e) != 0 ||
	    https_setting(r->config, base, "clientkey", &key, e) != 0 ||
	    https_setting(r->config, base, "cafile", &ca, e) != 0 ||
	    (key != NULL && credential_check_file(key, e) != 0))
		return -1;
	o.client_cert = cert;
	o.client_key = key;
	o.ca_file = ca;
	return http_new_with(&o, &h->http, e) != 0 ? -1 : https_token(h, token, e);
}

int
https_open(struct remote *r, struct https *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *base = NULL;

	*ret = (struct https){0};
	if (https_split(r->url, &base, &ret->prefix, e) != 0 || https_connect(r, base, ret, e) != 0)
		return -1;
	ret->link = (struct link){.http = ret->http, .notice = r->notice,
	    .progress = r->progress, .patience_s = HTTPS_PATIENCE_S};
	return 0;
}

void
https_close(struct https *h)
{
	http_free(h->http);
	free(h->prefix);
	*h = (struct https){0};
}

int
https_do(struct https *h, const struct http_request *rq, struct http_response *ret, struct err *e)
{
	struct link_retry retry = {0};

	while (http_do(h->http, rq, ret, e) != 0)
		if (!h->answered || link_retry(&h->link, &retry, e) != 0)
			return -1;
	h->answered = true;
	return 0;
}
