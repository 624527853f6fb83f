#include "object/evidence.h"

#include <string.h>
#include "codec/base64.h"
#include "codec/shape.h"

static const char *const evidence_kinds[] = {
	[EVIDENCE_RFC3161] = "rfc3161",
	[EVIDENCE_LOG_PROOF] = "log-proof",
	[EVIDENCE_CRL] = "crl",
	[EVIDENCE_SSH_SIGNATURE] = "ssh-signature",
	[EVIDENCE_ENROLMENT] = "enrolment",
};

const char *
evidence_kind_name(enum evidence_kind kind)
{
	return evidence_kinds[kind];
}

static int
evidence_read(const struct jcs *v, struct evidence *ret, struct err *e)
{
	static const struct shape table[] = {
		{"mediaType", SHAPE_STRING, 0}, {"kind", SHAPE_STRING, 0}, {"subject", SHAPE_OBJECT, 0},
		{"data", SHAPE_BASE64, 0}, {0},
	};
	const char *type = jcs_get_string(v, "mediaType"), *data;
	size_t kind = 0, kinds = sizeof evidence_kinds / sizeof evidence_kinds[0];

	if (type == NULL || strcmp(type, EVIDENCE_MEDIA_TYPE) != 0)
		return err_set(e, ERR_FORMAT, "evidence: mediaType is not " EVIDENCE_MEDIA_TYPE);
	if (shape_check(v, table, "evidence", e) != 0)
		return -1;
	while (kind < kinds && strcmp(evidence_kinds[kind], jcs_get_string(v, "kind")) != 0)
		kind++;
	if (kind == kinds)
		return err_set(e, ERR_UNSUPPORTED, "evidence: a kind that this version does not know");
	ret->kind = (enum evidence_kind)kind;
	data = jcs_get_string(v, "data");
	if (oid_ref_from_jcs(jcs_get(v, "subject"), "evidence: subject", &ret->subject, e) != 0)
		return -1;
	return base64_decode(&ret->data, data, strlen(data), e);
}

int
evidence_decode(const void *data, size_t len, struct evidence *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	struct evidence ev = {0};

	if (jcs_decode(data, len, EVIDENCE_BYTES_MAX, &v, e) != 0)
		return err_prefix(e, "aicert-certificate(5) section 2.4: evidence");
	if (evidence_read(v, &ev, e) != 0) {
		evidence_free(&ev);
		return err_prefix(e, "aicert-certificate(5) section 2.4");
	}
	*ret = ev;
	return 0;
}

int
evidence_encode(const struct evidence *v, struct buf *ret, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *doc = jcs_new_object();
	CLEANUP(buf_free) struct buf data = BUF_INIT;

	base64_encode(&data, v->data.data, v->data.len);
	jcs_set_string(doc, "mediaType", EVIDENCE_MEDIA_TYPE);
	jcs_set_string(doc, "kind", evidence_kind_name(v->kind));
	jcs_set(doc, "subject", oid_ref_to_jcs(&v->subject));
	jcs_set(doc, "data", data.failed ? NULL : jcs_new_string(buf_str(&data)));
	return jcs_encode(doc, ret, e);
}

void
evidence_free(struct evidence *v)
{
	buf_free(&v->data);
	*v = (struct evidence){0};
}
