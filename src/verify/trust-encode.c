#include "verify/trust-internal.h"

#include "base/hex.h"
#include "base/timestamp.h"
#include "codec/base64.h"

static int
trust_set_time(struct jcs *o, const char *name, int64_t seconds, struct err *e)
{
	char text[TIMESTAMP_SIZE];

	if (timestamp_format(text, seconds, e) != 0)
		return -1;
	jcs_set_string(o, name, text);
	return 0;
}

static void
trust_set_launch(struct jcs *o, const struct trust_entry *t)
{
	struct jcs *list = jcs_new_array();

	for (size_t i = 0; i < t->launch_count; i++) {
		const struct hardware_launch *l = &t->launch[i];
		char hex[2 * sizeof l->digest + 1];
		struct jcs *one = jcs_new_object();

		hex_encode(hex, l->digest, sizeof l->digest);
		jcs_set_string(one, l->kind == HARDWARE_ID_KEY ? "idKeyDigest" : "measurement", hex);
		jcs_append(list, one);
	}
	jcs_set(o, "launch", list);
}

static void
trust_set_tcb(struct jcs *o, const struct snp_tcb *m)
{
	struct jcs *tcb = jcs_new_object();

	jcs_set_int(tcb, "bootloader", m->bootloader);
	if (m->fmc != 0)
		jcs_set_int(tcb, "fmc", m->fmc);
	jcs_set_int(tcb, "microcode", m->microcode);
	jcs_set_int(tcb, "snp", m->snp);
	jcs_set_int(tcb, "tee", m->tee);
	jcs_set(o, "minimumTcb", tcb);
}

int
trust_encode(const struct trust_entry *t, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *o = jcs_new_object();
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];
	struct oid digest;

	if (x509_der(t->cert, &der, e) != 0 || x509_digest(t->cert, digest.b, e) != 0)
		return -1;
	base64_encode(&text, der.data, der.len);
	oid_hex(&digest, hex);
	jcs_set_string(o, "mediaType", TRUST_MEDIA_TYPE);
	jcs_set_string(o, "name", t->name);
	jcs_set_string(o, "purpose", trust_purpose_name(t->purpose));
	jcs_set_string(o, "grants",
	    t->purpose == TRUST_INTERMEDIATE ? NULL : verdict_level_name(t->grants));
	jcs_set_string(o, "certificate", text.failed ? NULL : buf_str(&text));
	jcs_set_string(o, "fingerprint", hex);
	if (t->source != NULL)
		jcs_set_string(o, "source", t->source);
	trust_leaf_encode(t, o);
	if (t->launch_count > 0)
		trust_set_launch(o, t);
	if (t->has_minimum_tcb)
		trust_set_tcb(o, &t->minimum_tcb);
	if (trust_set_time(o, "notBefore", t->not_before, e) != 0 ||
	    trust_set_time(o, "notAfter", t->not_after, e) != 0 ||
	    (t->ak_not_before != 0 && trust_set_time(o, "akNotBefore", t->ak_not_before, e) != 0) ||
	    buf_check(&text, e) != 0)
		return -1;
	return jcs_encode(o, ret, e);
}
