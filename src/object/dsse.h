/* DSSE envelope (secure-systems-lab/dsse v1): exactly one signature. */
#ifndef OBJECT_DSSE_H
#define OBJECT_DSSE_H

#include "base/buf.h"
#include "codec/jcs.h"
#include "object/oid.h"

#define DSSE_PAYLOAD_TYPE "application/vnd.in-toto+json"

struct dsse {
	struct buf payload;
	struct oid keyid;        /* SHA-256 of the SPKI, hex in the document */
	struct buf signature;    /* DER ECDSA, low s */
};

/* Pre-authentication encoding: "DSSEv1 <len> <type> <len> <payload>". */
void dsse_pae(struct buf *ret, const void *payload, size_t len);
struct jcs *dsse_to_jcs(const struct dsse *d);
int dsse_from_jcs(const struct jcs *v, struct dsse *ret, struct err *e) MUST_CHECK;
void dsse_free(struct dsse *d);

#endif
