#include "serve/identity.h"

#include "base/hex.h"
#include "codec/base64.h"
#include "object/statement.h"
#include "serve/limiter.h"
#include "serve/session.h"

static struct jcs *
identity_base64(const struct buf *data)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	base64_encode(&text, data->data, data->len);
	return text.failed ? NULL : jcs_new_string(buf_str(&text));
}

static struct jcs *
identity_ak(const struct worker *w)
{
	const struct run_platform *p = worker_platform(w);
	struct jcs *ak = jcs_new_object(), *chain = jcs_new_array();

	for (size_t i = 0; i < p->ak_chain_count; i++)
		jcs_append(chain, identity_base64(&p->ak_chain[i]));
	jcs_set(ak, "chain", chain);
	jcs_set(ak, "public", identity_base64(worker_ak_public(w)));
	return ak;
}

static struct jcs *
identity_boot_log(const struct worker *w)
{
	const struct run_platform *p = worker_platform(w);
	struct jcs *v;

	if (p->boot_log.len == 0)
		return jcs_new_null();
	v = jcs_new_object();
	jcs_set(v, "data", identity_base64(&p->boot_log));
	jcs_set_string(v, "mediaType", RUN_BOOT_LOG_TYPE);
	return v;
}

static struct jcs *
identity_document(const struct session_app *app, const struct certificate_quote *quote)
{
	struct jcs *v = jcs_new_object(), *daemon = jcs_new_object();

	jcs_set_string(v, "mediaType", IDENTITY_MEDIA_TYPE);
	jcs_set(v, "ak", identity_ak(app->worker));
	jcs_set(v, "bootLog", identity_boot_log(app->worker));
	jcs_set_string(daemon, "version", AICERT_VERSION);
	jcs_set(v, "daemon", daemon);
	jcs_set(v, "hardware", jcs_new_null());
	jcs_set(v, "quote", certificate_quote_to_jcs(quote));
	jcs_set(v, "spki", identity_base64(&app->spki));
	jcs_set_string(v, "tpm", event_tpm_name(worker_tpm_kind(app->worker)));
	return v;
}

int
identity_get(struct http_call *c, struct err *e)
{
	static const char *const names[] = {"nonce", NULL};
	const struct session_app *app = session_app(c);
	CLEANUP(cleanup_free) char *hex = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(certificate_quote_free) struct certificate_quote quote = {0};
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	char site[LIMITER_SITE_SIZE];
	unsigned char nonce[32];
	struct oid extra;

	if (app->worker == NULL)
		return err_set(e, ERR_NOTFOUND, "a hub has no identity but its certificate");
	if (session_query(c, names, "nonce", &hex, e) != 0)
		return -1;
	if (hex == NULL || hex_decode(nonce, sizeof nonce, hex, NULL) != 0)
		return err_set(e, ERR_USAGE, "nonce: 64 lower-case hex digits are needed");
	statement_identity_text(&text, nonce, &app->spki_digest);
	limiter_site(c->address, site);
	if (buf_check(&text, e) != 0 || oid_from_data(&extra, text.data, text.len, e) != 0 ||
	    worker_quote(app->worker, c->local ? NULL : site, extra.b, &quote, e) != 0)
		return -1;
	v = identity_document(app, &quote);
	return http_reply_json(c, 200, v, e);
}
