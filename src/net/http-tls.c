#include "net/http-internal.h"

#include <string.h>

/*
 * Who the peer is, is decided in one of three ways, and the caller decides
 * which (never the peer, and never twice for one handle):
 *
 * CA   what https means everywhere.
 * ASK  the certificate is not judged, so nothing may be sent that the whole
 *      world could not read: a handle without credentials, whose connection is
 *      closed after its answer.  What the peer showed is kept for the caller.
 * PIN  the key must be the one the caller found good; libcurl compares it when
 *      the handshake is done and before the request is sent.
 *
 * Every option is checked: a libcurl that lacks one (another TLS library)
 * would connect without it.
 */
static int
http_tls_option(CURLcode code, const char *what, struct err *e)
{
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_OUT_OF_MEMORY)
		return err_nomem(e);
	return err_set(e, ERR_UNSUPPORTED, "this libcurl (%s) cannot do it: %s; build with the one that"
	    " uses OpenSSL", curl_version(), what);
}

static int
http_tls_set_long(CURL *c, CURLoption option, long value, const char *what, struct err *e)
{
	return http_tls_option(curl_easy_setopt(c, option, value), what, e);
}

static int
http_tls_set_text(CURL *c, CURLoption option, const char *value, const char *what, struct err *e)
{
	return http_tls_option(curl_easy_setopt(c, option, value), what, e);
}

/* The client's certificate.  TLS shows it within the handshake, before libcurl compares
 * the key: so here the handshake itself must end at any other certificate. */
static int
http_tls_set_client(struct http *h, struct err *e)
{
	struct curl_blob anchor;

	if (http_tls_set_text(h->easy, CURLOPT_SSLCERT, h->client_cert, "client certificates", e) != 0 ||
	    http_tls_set_text(h->easy, CURLOPT_SSLKEY, h->client_key, "client certificates", e) != 0)
		return -1;
	if (h->peer != HTTP_PEER_PIN)
		return 0;
	anchor = (struct curl_blob){.data = h->peer_pem, .len = strlen(h->peer_pem),
		.flags = CURL_BLOB_COPY};
	if (http_tls_option(curl_easy_setopt(h->easy, CURLOPT_CAINFO_BLOB, &anchor),
	    "certificates from memory", e) != 0)
		return -1;
	return http_tls_set_long(h->easy, CURLOPT_SSL_VERIFYPEER, 1L, "verification", e);
}

static int
http_tls_set_peer(struct http *h, struct err *e)
{
	CURL *c = h->easy;
	long judged = h->peer == HTTP_PEER_CA;

	if (http_tls_set_long(c, CURLOPT_SSL_VERIFYPEER, judged, "verification", e) != 0 ||
	    http_tls_set_long(c, CURLOPT_SSL_VERIFYHOST, judged ? 2L : 0L, "verification", e) != 0)
		return -1;
	if (judged && h->ca_file != NULL && http_tls_set_text(c, CURLOPT_CAINFO, h->ca_file,
	    "certificates of its own", e) != 0)
		return -1;
	if (h->peer == HTTP_PEER_PIN)
		return http_tls_set_text(c, CURLOPT_PINNEDPUBLICKEY, h->pin, "pinning a key", e);
	if (h->peer != HTTP_PEER_ASK)
		return 0;
	if (http_tls_set_long(c, CURLOPT_FORBID_REUSE, 1L, "single connections", e) != 0)
		return -1;
	return http_tls_set_long(c, CURLOPT_CERTINFO, 1L, "telling the peer's certificate", e);
}

int
http_tls_set(struct http *h, struct err *e)
{
	CURL *c = h->easy;

	h->key_changed = false;
	if (h->peer == HTTP_PEER_SOCKET || h->peer == HTTP_PEER_LOCAL)
		return http_tls_set_text(c, CURLOPT_PROTOCOLS_STR, "http", "protocol selection", e);
	if (http_tls_set_text(c, CURLOPT_PROTOCOLS_STR, "https", "protocol selection", e) != 0 ||
	    http_tls_set_long(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_3 |
	    CURL_SSLVERSION_MAX_TLSv1_3, "TLS 1.3", e) != 0 ||
	    http_tls_set_long(c, CURLOPT_SSL_SESSIONID_CACHE, 0L, "full handshakes", e) != 0 ||
	    http_tls_set_peer(h, e) != 0)
		return -1;
	return h->client_cert != NULL ? http_tls_set_client(h, e) : 0;
}

static void
http_tls_keep_certificate(struct http *h)
{
	static const char member[] = "Cert:";
	const struct curl_certinfo *info = NULL;

	free(h->peer_pem);
	h->peer_pem = NULL;
	if (curl_easy_getinfo(h->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL ||
	    info->num_of_certs < 1)
		return;
	for (const struct curl_slist *l = info->certinfo[0]; l != NULL; l = l->next)
		if (strncmp(l->data, member, sizeof member - 1) == 0) {
			h->peer_pem = strdup(l->data + sizeof member - 1);
			return;
		}
}

void
http_tls_collect(struct http *h, CURLcode code)
{
	if (h->peer == HTTP_PEER_ASK)
		http_tls_keep_certificate(h);
	h->key_changed = h->peer == HTTP_PEER_PIN && (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH ||
	    code == CURLE_PEER_FAILED_VERIFICATION);
}

int
http_peer_certificate(const struct http *h, struct buf *ret, struct err *e)
{
	if (h->peer != HTTP_PEER_ASK || h->peer_pem == NULL)
		return err_set(e, ERR_NETWORK, "%s: the peer showed no certificate", h->base);
	buf_adds(ret, h->peer_pem);
	return buf_check(ret, e);
}

bool
http_key_changed(const struct http *h)
{
	return h->key_changed;
}
