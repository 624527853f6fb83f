#include "verify/legacy.h"

#include <string.h>
#include "codec/base64.h"
#include "codec/jcs.h"
#include "evidence/replay.h"
#include "evidence/tpm-alg.h"

#define LEGACY_PCR_BANKS 16             /* places in a TPML_PCR_SELECTION */
#define LEGACY_PCR_BANK 8               /* bytes of each */
#define LEGACY_PCR_LISTS (4 + LEGACY_PCR_BANKS * LEGACY_PCR_BANK)
#define LEGACY_PCR_LIST (4 + 8 * 66)    /* bytes of a TPML_DIGEST of eight TPM2B_DIGEST */

/* --- the PCR values: tpm2-tools 4 and 5, TPML_PCR_SELECTION, then TPML_DIGEST each as in memory --- */

static uint32_t
legacy_le(const unsigned char *p, size_t n)
{
	uint32_t v = 0;

	while (n > 0)
		v = v << 8 | p[--n];
	return v;
}

/* The i-th digest of all lists; its size must be the bank's. */
static const unsigned char *
legacy_pcr_digest(const unsigned char *p, size_t len, size_t i, size_t size)
{
	size_t list = LEGACY_PCR_LISTS + 4 + i / 8 * LEGACY_PCR_LIST, at = list + 4 + i % 8 * 66;

	if (at + 66 > len || i % 8 >= legacy_le(p + list, 4) || legacy_le(p + at, 2) != size)
		return NULL;
	return p + at + 2;
}

/* *n counts digests taken so far. */
static int
legacy_pcr_bank(const unsigned char *p, size_t len, size_t bank, size_t *n, struct pcr_values *v,
    struct err *e)
{
	const unsigned char *s = p + 4 + bank * LEGACY_PCR_BANK;
	enum hash_alg alg;

	if (!tpm_alg_to_hash((uint16_t)legacy_le(s, 2), &alg) || alg >= PCR_VALUES_BANKS || s[2] != 3)
		return err_set(e, ERR_UNSUPPORTED, "PCR values: a bank we do not know");
	if (v->given[alg] != 0)
		return err_set(e, ERR_FORMAT, "PCR values: bank %s twice", hash_name(alg));
	for (unsigned pcr = 0; pcr < ATTEST_PCRS; pcr++) {
		const unsigned char *value;

		if ((s[3 + pcr / 8] >> pcr % 8 & 1) == 0)
			continue;
		value = legacy_pcr_digest(p, len, (*n)++, hash_size(alg));
		if (value == NULL)
			return err_set(e, ERR_FORMAT, "PCR values: that of PCR %u is not there", pcr);
		memcpy(v->value[alg][pcr], value, hash_size(alg));
		v->given[alg] |= UINT32_C(1) << pcr;
	}
	return 0;
}

static int
legacy_pcrs(const struct buf *b, struct pcr_values *ret, struct err *e)
{
	const unsigned char *p = b->data;
	uint32_t banks, lists;
	size_t n = 0;

	if (b->len < LEGACY_PCR_LISTS + 4)
		return err_set(e, ERR_FORMAT, "PCR values: cut short");
	banks = legacy_le(p, 4);
	lists = legacy_le(p + LEGACY_PCR_LISTS, 4);
	if (banks > LEGACY_PCR_BANKS || (b->len - LEGACY_PCR_LISTS - 4) / LEGACY_PCR_LIST != lists ||
	    (b->len - LEGACY_PCR_LISTS - 4) % LEGACY_PCR_LIST != 0)
		return err_set(e, ERR_FORMAT, "PCR values: not as tpm2-tools writes them");
	for (size_t i = 0; i < banks; i++) {
		if (legacy_pcr_bank(p, b->len, i, &n, ret, e) != 0)
			return -1;
	}
	return 0;
}

/* --- the document --- */

/* {"base64": text} */
static int
legacy_bytes(const struct jcs *v, const char *what, struct buf *ret, struct err *e)
{
	const char *text = jcs_get_string(v, "base64");

	if (text == NULL)
		return err_set(e, ERR_FORMAT, "%s: no base64", what);
	if (base64_decode(ret, text, strlen(text), e) != 0)
		return err_prefix(e, "%s", what);
	return ret->len > 0 ? 0 : err_set(e, ERR_FORMAT, "%s: empty", what);
}

static int
legacy_read_log(const struct jcs *v, const char *what, struct legacy_log *l, struct err *e)
{
	size_t n = jcs_length(v);

	if (v == NULL)
		return 0;
	if (jcs_type(v) != JCS_ARRAY || n == 0 || n > LEGACY_EVENTS_MAX)
		return err_set(e, ERR_FORMAT, "%s: not 1 to %d events", what, LEGACY_EVENTS_MAX);
	l->present = true;
	l->texts = calloc(n, sizeof *l->texts);
	if (l->texts == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const char *text = jcs_string(jcs_at(v, i));

		if (text == NULL)
			return err_set(e, ERR_FORMAT, "%s: event %zu is no text", what, i);
		l->texts[i] = buf_strdup(text, e);
		if (l->texts[i] == NULL)
			return -1;
		l->count++;
	}
	return 0;
}

static int
legacy_read_chain(const struct jcs *v, struct legacy *l, struct err *e)
{
	if (v == NULL || jcs_length(v) == 0 || jcs_length(v) > LEGACY_CHAIN_MAX)
		return err_set(e, ERR_FORMAT, "cert_chain: not 1 to %d certificates", LEGACY_CHAIN_MAX);
	for (size_t i = 0; i < jcs_length(v); i++) {
		if (legacy_bytes(jcs_at(v, i), "cert_chain", &l->chain[l->chain_count++], e) != 0)
			return -1;
	}
	return 0;
}

static int
legacy_read_quote(const struct jcs *v, struct legacy *l, struct err *e)
{
	CLEANUP(buf_free) struct buf pcrs = BUF_INIT;

	if (legacy_bytes(jcs_get(v, "message"), "quote: message", &l->attest, e) != 0 ||
	    legacy_bytes(jcs_get(v, "signature"), "quote: signature", &l->signature, e) != 0 ||
	    legacy_bytes(jcs_get(v, "pcr"), "quote: pcr", &pcrs, e) != 0)
		return -1;
	return legacy_pcrs(&pcrs, &l->pcrs, e);
}

/* --- what the log claims --- */

static int
legacy_claim(struct legacy *l, const char *path, const char *digest, struct err *e)
{
	struct legacy_claim *c = &l->claims[l->claim_count];

	if (path == NULL || digest == NULL || l->claim_count == LEGACY_CLAIMS_MAX)
		return 0;
	l->claim_count++;
	c->path = buf_strdup(path, e);
	c->digest = c->path != NULL ? buf_strdup(digest, e) : NULL;
	return c->digest != NULL ? 0 : -1;
}

/* Two vocabularies: {"content":[{"spec":{"path"},"resolved":{"hash"}}]} and
 * {"artifacts":[{"path","digest":{"sha256"}}]}. */
static int
legacy_claims_of(const struct jcs *v, struct legacy *l, struct err *e)
{
	const struct jcs *content = jcs_get(v, "content"), *artifacts = jcs_get(v, "artifacts");
	const char *type = jcs_get_string(v, "event_type");

	if (type == NULL)
		return 0;
	for (size_t i = 0; strcmp(type, "outputs") == 0 && i < jcs_length(content); i++) {
		const struct jcs *c = jcs_at(content, i);

		if (legacy_claim(l, jcs_get_string(jcs_get(c, "spec"), "path"),
		    jcs_get_string(jcs_get(c, "resolved"), "hash"), e) != 0)
			return -1;
	}
	for (size_t i = 0; strcmp(type, "build_artifacts") == 0 && i < jcs_length(artifacts); i++) {
		const struct jcs *a = jcs_at(artifacts, i);

		if (legacy_claim(l, jcs_get_string(a, "path"),
		    jcs_get_string(jcs_get(a, "digest"), "sha256"), e) != 0)
			return -1;
	}
	return 0;
}

/* An event that is no JSON claims nothing; it is replayed all the same. */
static int
legacy_claims(const struct legacy_log *log, struct legacy *l, struct err *e)
{
	for (size_t i = 0; i < log->count; i++) {
		CLEANUP(jcs_freep) struct jcs *v = NULL;
		struct err why;

		if (jcs_decode_any(log->texts[i], strlen(log->texts[i]), LEGACY_BYTES_MAX, &v, &why) != 0) {
			if (why.code == ERR_NOMEM)
				return err_nomem(e);
			continue;
		}
		if (legacy_claims_of(v, l, e) != 0)
			return -1;
	}
	return 0;
}

/* --- all of it --- */

static int
legacy_read(const struct jcs *v, struct legacy *l, struct err *e)
{
	const struct jcs *ra = jcs_get(v, "remote_attestation");

	if (ra == NULL || jcs_type(ra) != JCS_OBJECT)
		return err_set(e, ERR_FORMAT, "no remote_attestation: a claim without any evidence");
	l->simulated = jcs_get(ra, "simulation_mode") != NULL;
	if (legacy_read_log(jcs_get(v, "event_log"), "event_log", &l->events, e) != 0 ||
	    legacy_read_log(jcs_get(v, "output_event_log"), "output_event_log", &l->outputs, e) != 0 ||
	    legacy_read_quote(jcs_get(ra, "quote"), l, e) != 0 ||
	    legacy_read_chain(jcs_get(ra, "cert_chain"), l, e) != 0)
		return -1;
	if (!l->events.present)
		return err_set(e, ERR_FORMAT, "no event_log");
	return legacy_claims(&l->events, l, e) != 0 || legacy_claims(&l->outputs, l, e) != 0 ? -1 : 0;
}

int
legacy_decode(const void *json, size_t len, struct legacy *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct legacy *l = calloc(1, sizeof *l); /* too large for a stack that is shared */
	int rc;

	if (l == NULL)
		return err_nomem(e);
	rc = jcs_decode_any(json, len, LEGACY_BYTES_MAX, &v, e);
	if (rc == 0)
		rc = legacy_read(v, l, e);
	if (rc == 0)
		*ret = *l;
	else
		legacy_free(l);
	free(l);
	return rc;
}

static void
legacy_log_free(struct legacy_log *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->texts[i]);
	free(l->texts);
}

void
legacy_free(struct legacy *l)
{
	legacy_log_free(&l->events);
	legacy_log_free(&l->outputs);
	buf_free(&l->attest);
	buf_free(&l->signature);
	for (size_t i = 0; i < l->chain_count; i++)
		buf_free(&l->chain[i]);
	for (size_t i = 0; i < l->claim_count; i++) {
		free(l->claims[i].path);
		free(l->claims[i].digest);
	}
	memset(l, 0, sizeof *l);
}

int
legacy_replay(const struct legacy_log *l, unsigned char ret[HASH_SHA256_SIZE], struct err *e)
{
	struct replay r;

	replay_start(&r);
	for (size_t i = 0; i < l->count; i++) {
		if (replay_extend(&r, l->texts[i], strlen(l->texts[i]), e) != 0)
			return -1;
	}
	memcpy(ret, r.sha256, sizeof r.sha256);
	return 0;
}
