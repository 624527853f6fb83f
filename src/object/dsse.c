#include "object/dsse.h"

#include <string.h>
#include "codec/base64.h"
#include "codec/shape.h"

#define DSSE_PAYLOAD_MAX (32u * 1024 * 1024)
#define DSSE_SIGNATURE_MAX 1024

void
dsse_pae(struct buf *ret, const void *payload, size_t len)
{
	buf_addf(ret, "DSSEv1 %zu %s %zu ", strlen(DSSE_PAYLOAD_TYPE), DSSE_PAYLOAD_TYPE, len);
	buf_add(ret, payload, len);
}

struct jcs *
dsse_to_jcs(const struct dsse *d)
{
	CLEANUP(buf_free) struct buf payload = BUF_INIT;
	CLEANUP(buf_free) struct buf sig = BUF_INIT;
	struct jcs *v = jcs_new_object(), *list = jcs_new_array(), *one = jcs_new_object();
	char keyid[OID_HEX_SIZE];

	base64_encode(&payload, d->payload.data, d->payload.len);
	base64_encode(&sig, d->signature.data, d->signature.len);
	oid_hex(&d->keyid, keyid);
	jcs_set_string(one, "keyid", keyid);
	jcs_set(one, "sig", sig.failed ? NULL : jcs_new_string(buf_str(&sig)));
	jcs_append(list, one);
	jcs_set(v, "payload", payload.failed ? NULL : jcs_new_string(buf_str(&payload)));
	jcs_set_string(v, "payloadType", DSSE_PAYLOAD_TYPE);
	jcs_set(v, "signatures", list);
	return v;
}

static int
dsse_read(const struct jcs *v, struct dsse *d, struct err *e)
{
	static const struct shape table[] = {
		{"payload", SHAPE_BASE64, 0}, {"payloadType", SHAPE_STRING, 0},
		{"signatures", SHAPE_ARRAY, 0}, {0},
	};
	static const struct shape signature[] = {{"keyid", SHAPE_HEX32, 0}, {"sig", SHAPE_BASE64, 0}, {0}};
	const struct jcs *one = jcs_at(jcs_get(v, "signatures"), 0);
	const char *payload, *sig;

	if (shape_check(v, table, "envelope", e) != 0)
		return -1;
	if (strcmp(jcs_get_string(v, "payloadType"), DSSE_PAYLOAD_TYPE) != 0)
		return err_set(e, ERR_UNSUPPORTED, "envelope: payloadType must be " DSSE_PAYLOAD_TYPE);
	if (jcs_length(jcs_get(v, "signatures")) != 1)
		return err_set(e, ERR_FORMAT, "envelope: there must be exactly one signature");
	if (shape_check(one, signature, "envelope: signature", e) != 0)
		return -1;
	payload = jcs_get_string(v, "payload");
	sig = jcs_get_string(one, "sig");
	d->payload.max = DSSE_PAYLOAD_MAX;
	d->signature.max = DSSE_SIGNATURE_MAX;
	if (base64_decode(&d->payload, payload, strlen(payload), e) != 0 ||
	    base64_decode(&d->signature, sig, strlen(sig), e) != 0)
		return err_prefix(e, "envelope");
	if (d->payload.len == 0 || d->signature.len == 0)
		return err_set(e, ERR_FORMAT, "envelope: the payload or the signature is empty");
	return oid_from_hex(&d->keyid, jcs_get_string(one, "keyid"), e);
}

int
dsse_from_jcs(const struct jcs *v, struct dsse *ret, struct err *e)
{
	struct dsse d = {0};

	if (dsse_read(v, &d, e) != 0) {
		dsse_free(&d);
		return err_prefix(e, "aicert-certificate(5) section 6.2");
	}
	*ret = d;
	return 0;
}

void
dsse_free(struct dsse *d)
{
	buf_free(&d->payload);
	buf_free(&d->signature);
	*d = (struct dsse){0};
}
