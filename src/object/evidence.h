/* Evidence: what is learned after a run, attached by a new commit. */
#ifndef OBJECT_EVIDENCE_H
#define OBJECT_EVIDENCE_H

#include "base/buf.h"
#include "object/oid.h"

#define EVIDENCE_MEDIA_TYPE "application/vnd.aicert.evidence.v1+json"
#define EVIDENCE_BYTES_MAX (16u * 1024 * 1024)

enum evidence_kind {
	EVIDENCE_RFC3161, EVIDENCE_LOG_PROOF, EVIDENCE_CRL, EVIDENCE_SSH_SIGNATURE, EVIDENCE_ENROLMENT
};

struct evidence {
	enum evidence_kind kind;
	struct object_ref subject;
	struct buf data;            /* the raw bytes; base64 in the document */
};

int evidence_decode(const void *data, size_t len, struct evidence *ret, struct err *e) MUST_CHECK;
int evidence_encode(const struct evidence *v, struct buf *ret, struct err *e) MUST_CHECK;
void evidence_free(struct evidence *v);
const char *evidence_kind_name(enum evidence_kind kind);

#endif
