#include "net/http.h"

#include <string.h>

/*
 * Only two members of a problem document matter here, both strings, and it
 * comes from a peer nothing is known of yet: they are looked for in the bytes,
 * what is not plain text becomes '?', and nothing else is believed.
 */
static bool
http_problem_member(const struct buf *body, const char *name, char *ret, size_t cap)
{
	CLEANUP(cleanup_free) char *key = NULL;
	const char *p, *end = buf_str(body) + body->len;
	size_t n = 0;

	if (asprintf(&key, "\"%s\":\"", name) < 0) {
		key = NULL;
		return false;
	}
	p = memmem(buf_str(body), body->len, key, strlen(key));
	if (p == NULL)
		return false;
	for (p += strlen(key); p < end && *p != '"' && n + 1 < cap; p++) {
		char c = *p;

		if (c == '\\' && p + 1 < end) {
			c = *++p;
			if (strchr("\"\\/", c) == NULL)
				c = '?'; /* \n, \u001b and their like */
			if (*p == 'u' && end - p > 4)
				p += 4;
		}
		ret[n++] = (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
	}
	ret[n] = '\0';
	return true;
}

static enum err_code
http_problem_by_status(int status)
{
	switch (status) {
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOTFOUND;
	case 409:
	case 412:
		return ERR_CONFLICT;
	case 413:
		return ERR_LIMIT;
	case 422:
		return ERR_REFUSED;
	case 429:
	case 503:
		return ERR_BUSY;
	case 502:
	case 504:
		return ERR_NETWORK;
	default:
		return ERR_IO;
	}
}

static enum err_code
http_problem_code(const struct http_response *r)
{
	static const char urn[] = "urn:aicert:error:";
	char type[64];

	if (!http_problem_member(&r->body, "type", type, sizeof type) ||
	    strncmp(type, urn, sizeof urn - 1) != 0)
		return http_problem_by_status(r->status);
	for (int c = ERR_NONE + 1; c < ERR_CODES_; c++)
		if (strcmp(type + sizeof urn - 1, err_name((enum err_code)c)) == 0)
			return (enum err_code)c;
	return http_problem_by_status(r->status);
}

int
http_problem(const struct http_response *r, const char *what, struct err *e)
{
	char detail[512];

	if (strcmp(r->content_type, "application/problem+json") == 0 &&
	    http_problem_member(&r->body, "detail", detail, sizeof detail))
		return err_set(e, http_problem_code(r), "%s: %s", what, detail);
	return err_set(e, http_problem_by_status(r->status), "%s: the answer has status %d%s", what,
	    r->status, r->status >= 300 && r->status < 400 ? ", and redirects are not followed" : "");
}
