#include <gnutls/gnutls.h>
#include "crypto/x509.h"
#include "serve/http-internal.h"

static void
http_tls_free_cert(struct x509_cert **c)
{
	x509_free(*c);
}

/* The peer's certificate is valid now and issued beneath the CA that the server was given. */
static bool
http_tls_verified(gnutls_session_t session)
{
	unsigned status = 0;

	return gnutls_certificate_verify_peers2(session, &status) == 0 && status == 0;
}

static int
http_tls_digest(const gnutls_datum_t *der, unsigned char ret[32], struct err *e)
{
	CLEANUP(http_tls_free_cert) struct x509_cert *cert = NULL;
	CLEANUP(key_freep) struct key *key = NULL;

	if (x509_decode(der->data, der->size, &cert, e) != 0 || x509_key(cert, &key, e) != 0)
		return -1;
	return key_spki_digest(key, ret, e);
}

const unsigned char *
http_tls_client_key(struct http_peer *p, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info;
	const gnutls_datum_t *list;
	unsigned count = 0;
	struct err e;

	if (!p->key_known && p->server->asks_client) {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		list = info != NULL ? gnutls_certificate_get_peers(info->tls_session, &count) : NULL;
		p->has_key = list != NULL && count > 0 && http_tls_verified(info->tls_session) &&
		    http_tls_digest(&list[0], p->key, &e) == 0;
	}
	p->key_known = true;
	return p->has_key ? p->key : NULL;
}
