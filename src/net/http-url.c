#include "net/http.h"

#include <curl/curl.h>
#include <string.h>

struct http_url {
	CURLU *u;
	char *scheme, *host, *port, *path;
};

static void
http_url_free(struct http_url *p)
{
	curl_free(p->scheme);
	curl_free(p->host);
	curl_free(p->port);
	curl_free(p->path);
	curl_url_cleanup(p->u);
}

static bool
http_url_has(CURLU *u, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(u, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* Letters, digits and what numeric addresses have: nothing a terminal or a log could trip over. */
static bool
http_url_host_plain(const char *host)
{
	return *host != '\0' && host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] == '\0';
}

int
http_url_base(const char *url, char **ret, struct err *e)
{
	CLEANUP(http_url_free) struct http_url p = {.u = curl_url()};
	char *base;

	if (p.u == NULL)
		return err_nomem(e);
	if (curl_url_set(p.u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(p.u, CURLUPART_SCHEME, &p.scheme, 0) != CURLUE_OK)
		return err_set(e, ERR_USAGE, "%s: not an url (https://HOST:PORT)", url);
	if (strcmp(p.scheme, "https") != 0)
		return err_set(e, ERR_USAGE, "%s: only https:// is spoken", url);
	if (curl_url_get(p.u, CURLUPART_HOST, &p.host, 0) != CURLUE_OK ||
	    curl_url_get(p.u, CURLUPART_PORT, &p.port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    curl_url_get(p.u, CURLUPART_PATH, &p.path, 0) != CURLUE_OK || !http_url_host_plain(p.host))
		return err_set(e, ERR_USAGE, "%s: not an url (https://HOST:PORT)", url);
	if (strcmp(p.path, "/") != 0 || http_url_has(p.u, CURLUPART_QUERY) ||
	    http_url_has(p.u, CURLUPART_FRAGMENT) || http_url_has(p.u, CURLUPART_USER) ||
	    http_url_has(p.u, CURLUPART_PASSWORD))
		return err_set(e, ERR_USAGE, "an url of scheme, host and port alone is needed:"
		    " https://%s:%s", p.host, p.port);
	for (char *c = p.host; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	base = buf_strfmt(e, "https://%s:%s", p.host, p.port);
	if (base == NULL)
		return -1;
	*ret = base;
	return 0;
}

/* Addresses alone, and the one name that every system resolves to itself. */
bool
http_url_local(const char *base)
{
	static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost", "169.254.169.254",
	    "[fd00:ec2::254]"};

	if (strncmp(base, "http://", 7) != 0)
		return false;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		size_t len = strlen(hosts[i]);
		const char *rest = base + 7 + len;

		if (strncmp(base + 7, hosts[i], len) != 0)
			continue;
		if (*rest == '\0')
			return true;
		if (*rest == ':' && rest[1] != '\0' && rest[1 + strspn(rest + 1, "0123456789")] == '\0')
			return true;
	}
	return false;
}
