#include "cmd/aia.h"

#include "evidence/ak-chain.h"
#include "net/http.h"

#define AIA_BYTES_MAX (64u * 1024)

void
aia_free(struct aia *a)
{
	while (a->count > 0)
		x509_free(a->certs[--a->count]);
}

static bool
aia_reached(const struct quote_verdict_request *rq, const struct x509_cert *c)
{
	for (size_t i = 0; i < rq->root_count; i++) {
		if (x509_signed_by(c, rq->roots[i]) || x509_equal(c, rq->roots[i]))
			return true;
	}
	for (size_t i = 0; rq->trust != NULL && i < rq->trust->count; i++) {
		const struct trust_entry *t = &rq->trust->entries[i];

		if ((t->purpose == TRUST_AK || t->purpose == TRUST_INTERMEDIATE) &&
		    x509_signed_by(c, t->cert))
			return true;
	}
	return x509_signed_by(c, c);
}

/* DER as RFC 5280 has it, or PEM as some servers do. */
static int
aia_get(const struct x509_cert *c, struct x509_cert **ret, struct err *e)
{
	CLEANUP(buf_free) struct buf url = BUF_INIT;
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	size_t n;
	int rc;

	if (x509_issuer_url(c, &url, e) != 0 ||
	    http_download_public(buf_str(&url), AIA_BYTES_MAX, &body, e) != 0)
		return -1;
	rc = body.len > 0 && body.data[0] == 0x30 ? x509_decode(body.data, body.len, ret, e) :
	    x509_decode_pem(body.data, body.len, 1, ret, &n, e);
	if (rc != 0)
		return err_prefix(e, "%s", buf_str(&url));
	if (x509_signed_by(c, *ret) && !x509_signed_by(*ret, *ret))
		return 0;
	x509_free(*ret);
	*ret = NULL;
	return err_set(e, ERR_REFUSED, "%s: not the certificate of an intermediate that signed this"
	    " one", buf_str(&url));
}

static int
aia_follow(const struct quote_verdict_request *rq, const struct x509_cert *last, struct aia *ret,
    struct err *e)
{
	while (!aia_reached(rq, last)) {
		struct x509_cert *next = NULL;

		if (ret->count == AIA_MAX)
			return err_set(e, ERR_LIMIT, "more than %d intermediates to fetch", AIA_MAX);
		if (aia_get(last, &next, e) != 0)
			return e->code == ERR_NOTFOUND || e->code == ERR_REFUSED ? 0 : -1;
		ret->certs[ret->count++] = next;
		last = next;
	}
	return 0;
}

int
aia_fetch(const struct quote_verdict_request *rq, struct aia *ret, struct err *e)
{
	struct x509_cert *chain[AK_CHAIN_MAX] = {NULL};
	size_t n = 0;
	int rc;

	if (rq->chain_pem == NULL)
		return 0;
	if (x509_decode_pem(rq->chain_pem->data, rq->chain_pem->len, AK_CHAIN_MAX, chain, &n, e) != 0) {
		err_clear(e); /* the verdict will say so */
		return 0;
	}
	rc = aia_follow(rq, chain[n - 1], ret, e);
	while (n > 0)
		x509_free(chain[--n]);
	return rc;
}
