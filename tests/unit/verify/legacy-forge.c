#include "verify/legacy-forge.h"

#include <string.h>
#include "codec/base64.h"
#include "codec/jcs.h"
#include "evidence/fixture.h"
#include "evidence/replay.h"
#include "unit.h"

static const char *const forge_inputs[] = {
	"{\"event_type\": \"build_request\", \"content\": {\"spec\": {\"cmdline\": \"make\"}}}",
	"{\"event_type\": \"input_image\", \"content\": {\"spec\": {\"image_name\": \"a\"}}}",
};
static const char *const forge_outputs[] = {
	"{\"event_type\": \"outputs\", \"content\": [{\"spec\": {\"path\": \"weights.bin\"},"
	" \"resolved\": {\"hash\": \"feed\"}}]}",
	"{\"event_type\": \"build_artifacts\", \"artifacts\": [{\"path\": \"log.txt\","
	" \"digest\": {\"sha256\": \"beef\"}}]}",
	"not JSON at all",
};

static void
forge_extend(unsigned char *pcr, const char *text)
{
	struct replay r;
	struct err e;

	replay_start(&r);
	memcpy(r.sha256, pcr, 32);
	UNIT_OK(replay_extend(&r, text, strlen(text), &e), &e);
	memcpy(pcr, r.sha256, 32);
}

static void
forge_logs(const struct legacy_forge *f, struct jcs *doc, unsigned char pcrs[24][32])
{
	struct jcs *events = jcs_new_array(), *outputs = jcs_new_array();
	unsigned in = f->generation == 2 ? 14 : 16, out = f->generation == 2 ? 8 : 16;

	for (size_t i = 0; i < 2; i++) {
		jcs_append(events, jcs_new_string(forge_inputs[i]));
		forge_extend(pcrs[in], forge_inputs[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		jcs_append(f->generation == 2 ? outputs : events, jcs_new_string(forge_outputs[i]));
		forge_extend(pcrs[out], forge_outputs[i]);
	}
	jcs_set(doc, "event_log", events);
	if (f->generation == 2)
		jcs_set(doc, "output_event_log", outputs);
	else
		jcs_free(outputs);
}

static void
forge_le(struct buf *b, unsigned v, int n)
{
	for (int i = 0; i < n; i++)
		buf_addc(b, (int)(v >> (8 * i) & 0xff));
}

static void
forge_pcr_file(unsigned char pcrs[24][32], struct buf *ret)
{
	static const unsigned char zeros[32];

	forge_le(ret, 1, 4);
	buf_add(ret, "\x0b\0\3\xff\xff\xff\0\0", 8);
	for (int i = 1; i < 16; i++)
		buf_add(ret, zeros, 8);
	forge_le(ret, 3, 4);
	for (size_t i = 0; i < 24; i++) {
		if (i % 8 == 0)
			forge_le(ret, 8, 4);
		forge_le(ret, 32, 2);
		buf_add(ret, pcrs[i], 32);
		buf_add(ret, zeros, 32);
	}
}

static struct jcs *
forge_base64(const struct buf *b)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct jcs *v = jcs_new_object();

	base64_encode(&text, b->data, b->len);
	jcs_set_string(v, "base64", buf_str(&text));
	return v;
}

static struct jcs *
forge_quote(const struct legacy_forge *f, unsigned char pcrs[24][32])
{
	CLEANUP(buf_free) struct buf message = BUF_INIT;
	CLEANUP(buf_free) struct buf signature = BUF_INIT;
	CLEANUP(buf_free) struct buf file = BUF_INIT;
	struct attest a = {.selection_count = 1, .selection = {{HASH_SHA256, 0xffffff}},
	    .pcr_digest_len = 32, .signer_len = 34, .signer = {0, 0xb}, .clock = {.safe = true}};
	struct jcs *v = jcs_new_object();
	struct err e;

	if (f->nonce)
		a.extra_len = 20;
	UNIT_OK(hash_once(HASH_SHA256, pcrs, 24 * 32, a.pcr_digest, &e), &e);
	fixture_attest(&a, &message);
	fixture_sign(f->leaf, 0x0014, 0x000b, &message, &signature);
	if (f->flip_pcr != 0)
		pcrs[f->flip_pcr][0] ^= 1;
	forge_pcr_file(pcrs, &file);
	jcs_set(v, "message", forge_base64(&message));
	jcs_set(v, "signature", forge_base64(&signature));
	jcs_set(v, "pcr", forge_base64(&file));
	return v;
}

static void
forge_pki(struct legacy_forge *f)
{
	f->root = pki_root("root");
	f->ca = pki_ca("intermediate", f->root);
	f->other = pki_ca("another", f->root);
	f->leaf = pki_make(&(struct pki_options){.name = "ak", .issuer = f->ca, .key = PKI_RSA2048,
	    .usage = "critical,digitalSignature"});
}

static struct jcs *
forge_chain(const struct legacy_forge *f)
{
	const struct pki *above = f->wrong_chain ? f->other : f->ca;
	CLEANUP(buf_free) struct buf leaf = BUF_INIT;
	CLEANUP(buf_free) struct buf ca = BUF_INIT;
	struct jcs *v = jcs_new_array();

	pki_der(f->leaf, &leaf);
	if (f->generation == 2)
		pki_pem(above, &ca);
	else
		pki_der(above, &ca);
	jcs_append(v, forge_base64(&leaf));
	jcs_append(v, forge_base64(&ca));
	return v;
}

void
legacy_forge_make(struct legacy_forge *f)
{
	unsigned char pcrs[24][32] = {{0}};
	struct jcs *doc = jcs_new_object(), *ra = jcs_new_object();
	struct err e;

	forge_pki(f);
	forge_logs(f, doc, pcrs);
	jcs_set(ra, "quote", forge_quote(f, pcrs));
	jcs_set(ra, "cert_chain", forge_chain(f));
	jcs_set(doc, "remote_attestation", ra);
	buf_reset(&f->json);
	UNIT_OK(jcs_encode(doc, &f->json, &e), &e);
	jcs_free(doc);
}

void
legacy_forge_free(struct legacy_forge *f)
{
	pki_free(f->root);
	pki_free(f->ca);
	pki_free(f->other);
	pki_free(f->leaf);
	buf_free(&f->json);
}

void
legacy_forge_trust(const struct legacy_forge *f, bool root, struct buf *ret)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;

	pki_der(root ? f->root : f->ca, &der);
	buf_adds(ret, "{\"certificate\":\"");
	base64_encode(ret, der.data, der.len);
	buf_addf(ret, "\",%s\"mediaType\":\"application/vnd.aicert.trust.v1+json\",\"name\":\"%s\","
	    "\"notAfter\":\"2040-01-01T00:00:00Z\",\"notBefore\":\"2020-01-01T00:00:00Z\","
	    "\"purpose\":\"%s\"}", root ? "\"grants\":\"vtpm\"," : "\"grants\":null,", root ? "root" : "intermediate",
	    root ? "ak" : "intermediate");
}
