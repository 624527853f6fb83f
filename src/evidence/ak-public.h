/* TPMT_PUBLIC of an attestation key. */
#ifndef EVIDENCE_AK_PUBLIC_H
#define EVIDENCE_AK_PUBLIC_H

#include "crypto/key.h"

struct ak_public {
	uint32_t attributes;        /* TPMA_OBJECT */
	struct key *key;
	enum key_scheme scheme;
	enum hash_alg scheme_hash;
	unsigned char name[68];     /* TPM2B_NAME content: nameAlg and digest */
	size_t name_len;
};

/* Accepts RSA >= 2048 and P-256/P-384, a stated signing scheme with SHA-256 or
 * better; trailing bytes refused; re-encoding must give the same bytes. */
int ak_public_decode(const void *data, size_t len, struct ak_public *ret, struct err *e) MUST_CHECK;
void ak_public_free(struct ak_public *a);
/* restricted, sign, not decrypt, fixedTPM, fixedParent, sensitiveDataOrigin, noDA
 * optional: on false, reason says which is wrong. */
bool ak_public_attributes_ok(const struct ak_public *a, struct buf *reason);

enum ak_hierarchy { AK_OWNER, AK_ENDORSEMENT, AK_PLATFORM, AK_NULL };
/* Qualified name of this key as a primary of a hierarchy (part 1, section 16). */
int ak_public_qualified(const struct ak_public *a, enum ak_hierarchy h, unsigned char ret[68],
    size_t *ret_len, struct err *e) MUST_CHECK;

#endif
