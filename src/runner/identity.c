#include "runner/identity.h"

#include <string.h>
#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/base64.h"
#include "codec/shape.h"
#include "crypto/x509.h"
#include "evidence/ak-public.h"
#include "verify/verify.h"

#define IDENTITY_LOG_TYPE "application/vnd.tcg.event-log"

static const struct shape identity_shape[] = {
	{"ak", SHAPE_OBJECT, 0},
	{"bootLog", SHAPE_OBJECT, SHAPE_NULLABLE},
	{"daemon", SHAPE_OBJECT, 0},
	{"hardware", SHAPE_OBJECT, SHAPE_NULLABLE},
	{"mediaType", SHAPE_STRING, 0},
	{"quote", SHAPE_OBJECT, 0},
	{"spki", SHAPE_BASE64, 0},
	{"tpm", SHAPE_STRING, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape identity_ak_shape[] = {
	{"chain", SHAPE_ARRAY, 0},
	{"public", SHAPE_BASE64, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape identity_log_shape[] = {
	{"data", SHAPE_BASE64, 0},
	{"mediaType", SHAPE_STRING, 0},
	{NULL, SHAPE_STRING, 0},
};

static const struct shape identity_daemon_shape[] = {
	{"version", SHAPE_STRING, 0},
	{NULL, SHAPE_STRING, 0},
};

static int
identity_tpm(const char *name, enum event_tpm *ret, struct err *e)
{
	for (int k = EVENT_TPM_EMBEDDED; k <= EVENT_TPM_DEVICE; k++)
		if (strcmp(event_tpm_name((enum event_tpm)k), name) == 0) {
			*ret = (enum event_tpm)k;
			return 0;
		}
	return err_set(e, ERR_UNSUPPORTED, "identity: tpm \"%s\" is not known", name);
}

static int
identity_decode_ak(const struct jcs *ak, struct identity *id, struct err *e)
{
	const struct jcs *chain = jcs_get(ak, "chain");
	const char *public;

	if (shape_check(ak, identity_ak_shape, "identity: ak", e) != 0)
		return -1;
	public = jcs_get_string(ak, "public");
	if (base64_decode(&id->ak_public, public, strlen(public), e) != 0)
		return -1;
	if (jcs_length(chain) > CERTIFICATE_CHAIN_MAX)
		return err_set(e, ERR_LIMIT, "identity: more than %d certificates in the chain",
		    CERTIFICATE_CHAIN_MAX);
	for (; id->ak_chain_count < jcs_length(chain); id->ak_chain_count++) {
		const char *der = jcs_string(jcs_at(chain, id->ak_chain_count));

		if (der == NULL)
			return err_set(e, ERR_FORMAT, "identity: ak: chain[%zu]: not base64",
			    id->ak_chain_count);
		if (base64_decode(&id->ak_chain[id->ak_chain_count], der, strlen(der), e) != 0)
			return -1;
	}
	return 0;
}

static int
identity_decode_log(const struct jcs *log, struct identity *id, struct err *e)
{
	const char *data;

	if (jcs_is_null(log))
		return 0;
	if (shape_check(log, identity_log_shape, "identity: bootLog", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(log, "mediaType"), IDENTITY_LOG_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "identity: bootLog: not a TCG event log");
	data = jcs_get_string(log, "data");
	return base64_decode(&id->boot_log, data, strlen(data), e);
}

static int
identity_decode_members(const struct jcs *v, struct identity *id, struct err *e)
{
	const char *text = jcs_get_string(v, "mediaType");

	if (text == NULL || strcmp(text, IDENTITY_DOCUMENT_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "the answer is not an identity document");
	if (shape_check(v, identity_shape, "identity", e) != 0 ||
	    identity_decode_ak(jcs_get(v, "ak"), id, e) != 0 ||
	    identity_decode_log(jcs_get(v, "bootLog"), id, e) != 0 ||
	    shape_check(jcs_get(v, "daemon"), identity_daemon_shape, "identity: daemon", e) != 0 ||
	    certificate_quote_from_jcs(jcs_get(v, "quote"), "identity: quote", &id->quote, e) != 0 ||
	    identity_tpm(jcs_get_string(v, "tpm"), &id->tpm, e) != 0)
		return -1;
	text = jcs_get_string(v, "spki");
	if (base64_decode(&id->spki, text, strlen(text), e) != 0)
		return -1;
	id->version = buf_strdup(jcs_get_string(jcs_get(v, "daemon"), "version"), e);
	return id->version != NULL ? 0 : -1;
}

int
identity_decode(const void *data, size_t len, struct identity *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct identity id = {0};

	if (jcs_decode(data, len, IDENTITY_DOCUMENT_MAX, &v, e) != 0)
		return err_prefix(e, "the runner's identity");
	if (identity_decode_members(v, &id, e) != 0) {
		identity_free(&id);
		return -1;
	}
	*ret = id;
	return 0;
}

void
identity_free(struct identity *id)
{
	certificate_quote_free(&id->quote);
	buf_free(&id->ak_public);
	for (size_t i = 0; i < CERTIFICATE_CHAIN_MAX; i++)
		buf_free(&id->ak_chain[i]);
	buf_free(&id->spki);
	buf_free(&id->boot_log);
	free(id->version);
	*id = (struct identity){0};
}

/* The check that decided: a failed one, else one that was needed and skipped. */
static int
identity_refuse(const struct verdict *v, struct err *e)
{
	for (int pass = 0; pass < 2; pass++)
		for (int c = 0; c < CHECK_COUNT; c++) {
			const struct verdict_item *item = &v->checks[c];
			bool decided = pass == 0 ? item->result == VERDICT_FAIL : item->missing;

			if (decided)
				return err_set(e, ERR_REFUSED, "the runner's identity is refused: %s: %s",
				    verdict_check_name((enum verdict_check)c),
				    item->found != NULL ? item->found : "failed");
		}
	return err_set(e, ERR_REFUSED, "the runner's identity is refused: it reaches level %s, and"
	    " %s is required", verdict_level_name(v->level), verdict_level_name(v->required));
}

int
identity_name(const struct identity *id, char ret[IDENTITY_NAME_SIZE], struct err *e)
{
	CLEANUP(ak_public_free) struct ak_public ak = {0};

	if (ak_public_decode(id->ak_public.data, id->ak_public.len, &ak, e) != 0)
		return -1;
	hex_encode(ret, ak.name, ak.name_len);
	return 0;
}

static int
identity_check_name(const struct identity *id, const char *pinned, struct err *e)
{
	char name[IDENTITY_NAME_SIZE];

	if (pinned == NULL)
		return 0;
	if (identity_name(id, name, e) != 0)
		return -1;
	if (strcmp(name, pinned) != 0)
		return err_set(e, ERR_REFUSED, "the runner's AK is %s, but %s was recorded for it:"
		    " another machine, or its TPM was replaced; if that is known and meant, remove the"
		    " runner and add it again", name, pinned);
	return 0;
}

int
identity_check_channel(const struct identity *id, const struct buf *pem, struct err *e)
{
	CLEANUP(key_freep) struct key *key = NULL;
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	struct x509_cert *cert;
	size_t count;
	int rc;

	if (x509_decode_pem(pem->data, pem->len, 1, &cert, &count, e) != 0)
		return err_prefix(e, "the runner's certificate");
	rc = x509_key(cert, &key, e);
	x509_free(cert);
	if (rc != 0 || key_spki(key, &spki, e) != 0)
		return -1;
	if (spki.len != id->spki.len || memcmp(spki.data, id->spki.data, spki.len) != 0)
		return err_set(e, ERR_REFUSED, "the runner's identity is refused: it is bound to another"
		    " key than this connection's: somebody stands between, or answers in its place");
	return 0;
}

int
identity_judge(const struct identity *id, const unsigned char nonce[32],
    const struct runner_options *o, struct verdict **ret_verdict, struct err *e)
{
	struct verdict *v = NULL;
	struct verify_identity rq = {
		.quote = &id->quote, .ak_public = &id->ak_public, .ak_chain = id->ak_chain,
		.ak_chain_count = id->ak_chain_count, .tpm = id->tpm,
		.boot_log = &id->boot_log, .trust = o->trust, .references = o->references,
		.required = o->required, .time = timestamp_now(), .in_use = o->in_use,
	};

	memcpy(rq.nonce, nonce, sizeof rq.nonce);
	if (oid_from_data(&rq.spki, id->spki.data, id->spki.len, e) != 0 ||
	    verify_identity(&rq, &v, e) != 0)
		return -1;
	*ret_verdict = v;
	if (v->answer != ANSWER_PASS)
		return identity_refuse(v, e);
	return identity_check_name(id, o->ak_name, e);
}
