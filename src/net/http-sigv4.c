/*
 * Signed requests.  libcurl makes the signature; what it needs to get it right was
 * measured: a sorted query without bare names, and the digest of the body in
 * x-amz-content-sha256, also of none.
 */
#include "net/http-internal.h"

#include <string.h>

#define HTTP_SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct http_signer {
	char *key_id, *secret, *session;
	char *provider;         /* "aws:amz:<region>:s3" */
};

static void
http_sigv4_wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

void
http_sigv4_free(struct http *h)
{
	struct http_signer *s = h->signer;

	if (s == NULL)
		return;
	http_sigv4_wipe(s->key_id);
	http_sigv4_wipe(s->secret);
	http_sigv4_wipe(s->session);
	free(s->provider);
	free(s);
	h->signer = NULL;
}

/* What goes into a header, or into a signature's text, as it is. */
static bool
http_sigv4_plain(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x21 || (unsigned char)*text > 0x7e)
			return false;
	return true;
}

static int
http_sigv4_fill(struct http_signer *s, const struct http_sigv4 *k, struct err *e)
{
	s->key_id = buf_strdup(k->key_id, e);
	s->secret = s->key_id != NULL ? buf_strdup(k->secret, e) : NULL;
	s->provider = s->secret != NULL ? buf_strfmt(e, "aws:amz:%s:s3", k->region) : NULL;
	if (s->provider == NULL)
		return -1;
	if (k->session == NULL)
		return 0;
	s->session = buf_strdup(k->session, e);
	return s->session != NULL ? 0 : -1;
}

int
http_set_sigv4(struct http *h, const struct http_sigv4 *k, struct err *e)
{
	if (h->peer != HTTP_PEER_CA && h->peer != HTTP_PEER_LOCAL)
		return err_set(e, ERR_INTERNAL, "%s: not a peer for signed requests", h->base);
	if (!http_sigv4_plain(k->key_id) || !http_sigv4_plain(k->secret) || !http_sigv4_plain(k->region) ||
	    strpbrk(k->key_id, "/,") != NULL || strchr(k->region, ':') != NULL ||
	    (k->session != NULL && !http_sigv4_plain(k->session)))
		return err_set(e, ERR_USAGE, "%s: the access key, its secret, its session or the region"
		    " has a character that it cannot have", h->base);
	http_sigv4_free(h);
	h->signer = calloc(1, sizeof *h->signer);
	if (h->signer == NULL)
		return err_nomem(e);
	if (http_sigv4_fill(h->signer, k, e) == 0)
		return 0;
	http_sigv4_free(h);
	return -1;
}

int
http_sigv4_copy(struct http *to, const struct http *from, struct err *e)
{
	const struct http_signer *s = from->signer;
	CLEANUP(cleanup_free) char *region = NULL;
	struct http_sigv4 k;

	if (s == NULL)
		return 0;
	region = buf_strfmt(e, "%.*s", (int)(strlen(s->provider) - strlen("aws:amz::s3")),
	    s->provider + strlen("aws:amz:"));
	if (region == NULL)
		return -1;
	k = (struct http_sigv4){s->key_id, s->secret, s->session, region};
	return http_set_sigv4(to, &k, e);
}

int
http_sigv4_set(struct http *h, const struct http_request *rq, http_signer_header *add, void *arg,
    struct err *e)
{
	const struct http_signer *s = h->signer;
	CURL *c = h->easy;

	if (curl_easy_setopt(c, CURLOPT_AWS_SIGV4, s->provider) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_USERNAME, s->key_id) != CURLE_OK ||
	    curl_easy_setopt(c, CURLOPT_PASSWORD, s->secret) != CURLE_OK)
		return err_set(e, ERR_UNSUPPORTED, "this libcurl (%s) cannot sign requests for S3",
		    curl_version());
	if (add(arg, "x-amz-content-sha256: ", rq->payload != NULL ? rq->payload : HTTP_SIGV4_EMPTY,
	    e) != 0)
		return -1;
	return s->session == NULL ? 0 : add(arg, "x-amz-security-token: ", s->session, e);
}
