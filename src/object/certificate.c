#include "object/certificate.h"

#include <string.h>
#include "base/hex.h"
#include "codec/base64.h"
#include "codec/shape.h"

#define CERTIFICATE_ATTEST_MAX 4096
#define CERTIFICATE_DER_MAX 16384
#define CERTIFICATE_HARDWARE_MAX 16384
#define CERTIFICATE_HARDWARE_FORMAT "azure-hcl-snp"

/* --- quotes --- */

static struct jcs *
certificate_base64(const struct buf *bytes)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	base64_encode(&text, bytes->data, bytes->len);
	return text.failed ? NULL : jcs_new_string(buf_str(&text));
}

static struct jcs *
certificate_bank(const unsigned char *values, size_t size)
{
	struct jcs *v = jcs_new_object();
	char name[8], hex[97];

	for (size_t i = 0; i < CERTIFICATE_PCRS; i++) {
		snprintf(name, sizeof name, "%zu", i);
		hex_encode(hex, values + i * size, size);
		jcs_set_string(v, name, hex);
	}
	return v;
}

struct jcs *
certificate_quote_to_jcs(const struct certificate_quote *q)
{
	struct jcs *v = jcs_new_object(), *pcrs = jcs_new_object();

	if (q->pcrs.has_sha256)
		jcs_set(pcrs, "sha256", certificate_bank(q->pcrs.sha256[0], 32));
	if (q->pcrs.has_sha384)
		jcs_set(pcrs, "sha384", certificate_bank(q->pcrs.sha384[0], 48));
	jcs_set(v, "attest", certificate_base64(&q->attest));
	jcs_set(v, "signature", certificate_base64(&q->signature));
	jcs_set(v, "pcrs", pcrs);
	return v;
}

/* All 24 values, named "0" to "23", nothing else. */
static int
certificate_read_bank(const struct jcs *v, unsigned char *ret, size_t size, const char *where,
    struct err *e)
{
	if (v == NULL || jcs_type(v) != JCS_OBJECT || jcs_length(v) != CERTIFICATE_PCRS)
		return err_set(e, ERR_FORMAT, "%s: a bank must have the values 0 to 23", where);
	for (size_t i = 0; i < CERTIFICATE_PCRS; i++) {
		const char *hex;
		char name[8];

		snprintf(name, sizeof name, "%zu", i);
		hex = jcs_get_string(v, name);
		if (hex == NULL || hex_decode(ret + i * size, size, hex, NULL) != 0)
			return err_set(e, ERR_FORMAT, "%s: PCR %zu is missing, or no value of its bank", where, i);
	}
	return 0;
}

static int
certificate_read_pcrs(const struct jcs *v, const char *where, struct certificate_pcrs *ret,
    struct err *e)
{
	static const struct shape table[] = {
		{"sha256", SHAPE_OBJECT, SHAPE_OPTIONAL}, {"sha384", SHAPE_OBJECT, SHAPE_OPTIONAL}, {0},
	};

	if (shape_check(v, table, where, e) != 0)
		return -1;
	ret->has_sha256 = jcs_get(v, "sha256") != NULL;
	ret->has_sha384 = jcs_get(v, "sha384") != NULL;
	if (!ret->has_sha256 && !ret->has_sha384)
		return err_set(e, ERR_FORMAT, "%s: no bank", where);
	if (ret->has_sha256 &&
	    certificate_read_bank(jcs_get(v, "sha256"), ret->sha256[0], 32, where, e) != 0)
		return -1;
	return ret->has_sha384 ?
	    certificate_read_bank(jcs_get(v, "sha384"), ret->sha384[0], 48, where, e) : 0;
}

static int
certificate_read_bytes(const struct jcs *object, const char *name, size_t max, struct buf *ret,
    struct err *e)
{
	const char *text = jcs_get_string(object, name);

	ret->max = max;
	if (base64_decode(ret, text, strlen(text), e) != 0)
		return err_prefix(e, "\"%s\"", name);
	return ret->len > 0 ? 0 : err_set(e, ERR_FORMAT, "\"%s\" is empty", name);
}

int
certificate_quote_from_jcs(const struct jcs *v, const char *where, struct certificate_quote *ret,
    struct err *e)
{
	static const struct shape table[] = {
		{"attest", SHAPE_BASE64, 0}, {"signature", SHAPE_BASE64, 0}, {"pcrs", SHAPE_OBJECT, 0}, {0},
	};
	struct certificate_quote q = {0};

	if (shape_check(v, table, where, e) != 0)
		return -1;
	if (certificate_read_bytes(v, "attest", CERTIFICATE_ATTEST_MAX, &q.attest, e) != 0 ||
	    certificate_read_bytes(v, "signature", CERTIFICATE_ATTEST_MAX, &q.signature, e) != 0 ||
	    certificate_read_pcrs(jcs_get(v, "pcrs"), where, &q.pcrs, e) != 0) {
		certificate_quote_free(&q);
		return err_prefix(e, "%s", where);
	}
	*ret = q;
	return 0;
}

void
certificate_quote_free(struct certificate_quote *q)
{
	buf_free(&q->attest);
	buf_free(&q->signature);
	*q = (struct certificate_quote){0};
}

/* --- reading --- */

static int
certificate_read_der(const struct jcs *v, const char *where, struct buf *ret, struct err *e)
{
	const char *text = jcs_string(v);

	if (text == NULL)
		return err_set(e, ERR_FORMAT, "%s: the chain must be base64 texts", where);
	ret->max = CERTIFICATE_DER_MAX;
	if (base64_decode(ret, text, strlen(text), e) != 0)
		return err_prefix(e, "%s: chain", where);
	if (ret->len == 0)
		return err_set(e, ERR_FORMAT, "%s: an empty certificate in the chain", where);
	return 0;
}

static int
certificate_read_chain(const struct jcs *v, struct certificate *c, struct err *e)
{
	if (jcs_length(v) > CERTIFICATE_CHAIN_MAX)
		return err_set(e, ERR_FORMAT, "ak: a chain of more than %d", CERTIFICATE_CHAIN_MAX);
	for (size_t i = 0; i < jcs_length(v); i++) {
		c->ak_chain_count = i + 1;
		if (certificate_read_der(jcs_at(v, i), "ak", &c->ak_chain[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
certificate_read_hardware(const struct jcs *v, struct certificate_hardware *ret, struct err *e)
{
	static const struct shape table[] = {
		{"format", SHAPE_STRING, 0}, {"report", SHAPE_BASE64, 0}, {"chain", SHAPE_ARRAY, 0}, {0},
	};
	const struct jcs *chain = jcs_get(v, "chain");

	if (jcs_is_null(v))
		return 0;
	if (shape_check(v, table, "hardware", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "format"), CERTIFICATE_HARDWARE_FORMAT) != 0)
		return err_set(e, ERR_UNSUPPORTED, "hardware: the format must be "
		    CERTIFICATE_HARDWARE_FORMAT);
	if (jcs_length(chain) != CERTIFICATE_HARDWARE_CHAIN)
		return err_set(e, ERR_FORMAT, "hardware: the chain must be VCEK and ASK");
	ret->present = true;
	if (certificate_read_bytes(v, "report", CERTIFICATE_HARDWARE_MAX, &ret->report, e) != 0)
		return err_prefix(e, "hardware");
	for (size_t i = 0; i < CERTIFICATE_HARDWARE_CHAIN; i++) {
		if (certificate_read_der(jcs_at(chain, i), "hardware", &ret->chain[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
certificate_read_boot_log(const struct jcs *v, struct certificate_blob_ref *ret, struct err *e)
{
	static const struct shape table[] = {
		{"type", SHAPE_STRING, 0}, {"digests", SHAPE_OBJECT, 0}, {"size", SHAPE_INT, 0},
		{"mediaType", SHAPE_STRING, 0}, {0},
	};
	static const struct shape digests[] = {{"sha256", SHAPE_HEX32, 0}, {0}};
	int64_t size;

	if (jcs_is_null(v))
		return 0;
	if (shape_check(v, table, "bootLog", e) != 0 ||
	    shape_check(jcs_get(v, "digests"), digests, "bootLog: digests", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "type"), "blob") != 0 || jcs_int(jcs_get(v, "size"), &size) != 0)
		return err_set(e, ERR_FORMAT, "bootLog: must be a blob");
	ret->media_type = buf_strdup(jcs_get_string(v, "mediaType"), e);
	if (ret->media_type == NULL)
		return -1;
	ret->present = true;
	ret->size = (uint64_t)size;
	return oid_from_hex(&ret->id, jcs_get_string(jcs_get(v, "digests"), "sha256"), e);
}

static int
certificate_read_attestation(const struct jcs *v, struct certificate *c, struct err *e)
{
	static const struct shape table[] = {
		{"format", SHAPE_STRING, 0}, {"quote", SHAPE_OBJECT, 0}, {"startQuote", SHAPE_OBJECT, 0},
		{"ak", SHAPE_OBJECT, 0}, {"bootLog", SHAPE_OBJECT, SHAPE_NULLABLE},
		{"hardware", SHAPE_OBJECT, SHAPE_NULLABLE}, {0},
	};
	static const struct shape ak[] = {{"public", SHAPE_BASE64, 0}, {"chain", SHAPE_ARRAY, 0}, {0}};

	if (shape_check(v, table, "attestation", e) != 0 ||
	    shape_check(jcs_get(v, "ak"), ak, "ak", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "format"), "tpm2-quote") != 0)
		return err_set(e, ERR_UNSUPPORTED, "attestation: the format must be tpm2-quote");
	if (certificate_quote_from_jcs(jcs_get(v, "quote"), "quote", &c->quote, e) != 0 ||
	    certificate_quote_from_jcs(jcs_get(v, "startQuote"), "startQuote", &c->start_quote, e) != 0 ||
	    certificate_read_bytes(jcs_get(v, "ak"), "public", CERTIFICATE_ATTEST_MAX, &c->ak_public, e) != 0 ||
	    certificate_read_chain(jcs_get(jcs_get(v, "ak"), "chain"), c, e) != 0)
		return -1;
	if (certificate_read_hardware(jcs_get(v, "hardware"), &c->hardware, e) != 0)
		return -1;
	return certificate_read_boot_log(jcs_get(v, "bootLog"), &c->boot_log, e);
}

static int
certificate_read_event(const struct jcs *v, struct event *ret, struct err *e)
{
	static const struct shape table[] = {{"pcr", SHAPE_INT, 0}, {"data", SHAPE_STRING, 0}, {0}};
	const char *text;
	int64_t pcr;

	if (shape_check(v, table, "event", e) != 0)
		return -1;
	text = jcs_get_string(v, "data");
	if (jcs_int(jcs_get(v, "pcr"), &pcr) != 0 || event_decode(text, strlen(text), ret, e) != 0)
		return -1;
	if (pcr == ret->pcr)
		return 0;
	err_set(e, ERR_FORMAT, "event: %s belongs to another PCR", event_kind_name(ret->kind));
	event_free(ret);
	return -1;
}

static int
certificate_read_events(const struct jcs *v, struct certificate *c, struct err *e)
{
	size_t n = jcs_length(v);

	if (n == 0 || n > EVENT_COUNT_MAX)
		return err_set(e, ERR_FORMAT, "events: there must be 1 to %d", EVENT_COUNT_MAX);
	c->events = calloc(n, sizeof *c->events);
	if (c->events == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (certificate_read_event(jcs_at(v, i), &c->events[i], e) != 0)
			return err_prefix(e, "events[%zu]", i);
		c->event_count++;
	}
	return 0;
}

static int
certificate_read(const struct jcs *v, struct certificate *c, struct err *e)
{
	static const struct shape table[] = {
		{"mediaType", SHAPE_STRING, 0}, {"nonce", SHAPE_HEX32, 0}, {"events", SHAPE_ARRAY, 0},
		{"attestations", SHAPE_ARRAY, 0}, {"envelope", SHAPE_OBJECT, 0}, {0},
	};
	const char *type = jcs_get_string(v, "mediaType");

	if (type == NULL || strcmp(type, CERTIFICATE_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "mediaType is not " CERTIFICATE_MEDIA_TYPE);
	if (shape_check(v, table, "certificate", e) != 0)
		return -1;
	if (jcs_length(jcs_get(v, "attestations")) != 1)
		return err_set(e, ERR_FORMAT, "there must be exactly one attestation");
	if (hex_decode(c->nonce, sizeof c->nonce, jcs_get_string(v, "nonce"), e) != 0 ||
	    certificate_read_events(jcs_get(v, "events"), c, e) != 0 ||
	    certificate_read_attestation(jcs_at(jcs_get(v, "attestations"), 0), c, e) != 0)
		return -1;
	return dsse_from_jcs(jcs_get(v, "envelope"), &c->envelope, e);
}

/* Commands rely on these two being there; their order is verify/'s question. */
static int
certificate_complete(const struct certificate *c, struct err *e)
{
	if (certificate_event(c, EVENT_RUN_REQUEST) == NULL ||
	    certificate_event(c, EVENT_RUN_FINISHED) == NULL)
		return err_set(e, ERR_FORMAT, "events: run_request or run_finished is missing");
	return 0;
}

int
certificate_decode(const void *data, size_t len, struct certificate *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct certificate c = {0};

	if (jcs_decode(data, len, CERTIFICATE_BYTES_MAX, &v, e) != 0)
		return err_prefix(e, "aicert-certificate(5) section 3: certificate");
	if (certificate_read(v, &c, e) != 0 || certificate_complete(&c, e) != 0) {
		certificate_free(&c);
		return err_prefix(e, "aicert-certificate(5) section 3: certificate");
	}
	*ret = c;
	return 0;
}

/* --- writing --- */

static struct jcs *
certificate_boot_log(const struct certificate_blob_ref *b)
{
	struct jcs *v, *digests;
	char hex[OID_HEX_SIZE];

	if (!b->present)
		return jcs_new_null();
	v = jcs_new_object();
	digests = jcs_new_object();
	oid_hex(&b->id, hex);
	jcs_set_string(digests, "sha256", hex);
	jcs_set_string(v, "type", "blob");
	jcs_set(v, "digests", digests);
	jcs_set_int(v, "size", b->size <= (uint64_t)JCS_INT_MAX ? (int64_t)b->size : INT64_MAX);
	jcs_set(v, "mediaType", jcs_new_string(b->media_type));
	return v;
}

static struct jcs *
certificate_hardware_jcs(const struct certificate_hardware *h)
{
	struct jcs *v, *chain;

	if (!h->present)
		return jcs_new_null();
	v = jcs_new_object();
	chain = jcs_new_array();
	for (size_t i = 0; i < CERTIFICATE_HARDWARE_CHAIN; i++)
		jcs_append(chain, certificate_base64(&h->chain[i]));
	jcs_set_string(v, "format", CERTIFICATE_HARDWARE_FORMAT);
	jcs_set(v, "report", certificate_base64(&h->report));
	jcs_set(v, "chain", chain);
	return v;
}

static struct jcs *
certificate_attestation(const struct certificate *c)
{
	struct jcs *v = jcs_new_object(), *ak = jcs_new_object(), *chain = jcs_new_array();

	for (size_t i = 0; i < c->ak_chain_count; i++)
		jcs_append(chain, certificate_base64(&c->ak_chain[i]));
	jcs_set(ak, "public", certificate_base64(&c->ak_public));
	jcs_set(ak, "chain", chain);
	jcs_set_string(v, "format", "tpm2-quote");
	jcs_set(v, "quote", certificate_quote_to_jcs(&c->quote));
	jcs_set(v, "startQuote", certificate_quote_to_jcs(&c->start_quote));
	jcs_set(v, "ak", ak);
	jcs_set(v, "bootLog", certificate_boot_log(&c->boot_log));
	jcs_set(v, "hardware", certificate_hardware_jcs(&c->hardware));
	return v;
}

int
certificate_encode(const struct certificate *c, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = jcs_new_object();
	struct jcs *events = jcs_new_array(), *attestations = jcs_new_array();
	char nonce[65];

	for (size_t i = 0; i < c->event_count; i++) {
		struct jcs *ev = jcs_new_object();

		jcs_set_int(ev, "pcr", c->events[i].pcr);
		jcs_set(ev, "data", jcs_new_string(c->events[i].text));
		jcs_append(events, ev);
	}
	hex_encode(nonce, c->nonce, sizeof c->nonce);
	jcs_append(attestations, certificate_attestation(c));
	jcs_set_string(v, "mediaType", CERTIFICATE_MEDIA_TYPE);
	jcs_set_string(v, "nonce", nonce);
	jcs_set(v, "events", events);
	jcs_set(v, "attestations", attestations);
	jcs_set(v, "envelope", dsse_to_jcs(&c->envelope));
	return jcs_encode(v, ret, e);
}

/* --- looking inside --- */

const struct event *
certificate_event(const struct certificate *c, enum event_kind kind)
{
	for (size_t i = 0; i < c->event_count; i++)
		if (c->events[i].kind == kind)
			return &c->events[i];
	return NULL;
}

const struct resource *
certificate_output(const struct certificate *c, const char *path)
{
	for (size_t i = 0; i < c->event_count; i++)
		if (c->events[i].kind == EVENT_OUTPUT_RESOURCE &&
		    strcmp(c->events[i].u.output.output.path, path) == 0)
			return &c->events[i].u.output.output;
	return NULL;
}

bool
certificate_run_ok(const struct certificate *c)
{
	const struct event *ev = certificate_event(c, EVENT_RUN_FINISHED);

	return ev != NULL && event_finished_ok(&ev->u.finished) &&
	    certificate_event(c, EVENT_OUTPUT_MISSING) == NULL;
}

void
certificate_free(struct certificate *c)
{
	for (size_t i = 0; i < c->event_count; i++)
		event_free(&c->events[i]);
	free(c->events);
	certificate_quote_free(&c->quote);
	certificate_quote_free(&c->start_quote);
	buf_free(&c->ak_public);
	for (size_t i = 0; i < c->ak_chain_count; i++)
		buf_free(&c->ak_chain[i]);
	free(c->boot_log.media_type);
	buf_free(&c->hardware.report);
	for (size_t i = 0; i < CERTIFICATE_HARDWARE_CHAIN; i++)
		buf_free(&c->hardware.chain[i]);
	dsse_free(&c->envelope);
	*c = (struct certificate){0};
}
