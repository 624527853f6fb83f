/* Attestations as the original AICert made them, by a machine of our own making. */
#ifndef UNIT_VERIFY_LEGACY_FORGE_H
#define UNIT_VERIFY_LEGACY_FORGE_H

#include "base/buf.h"
#include "pki.h"

#define LEGACY_FORGE_TIME 1763900000 /* 2025-11-23 */

struct legacy_forge {
	int generation;             /* 2: PCR 14 and 8, PEM in the chain */
	bool wrong_chain;           /* another CA's certificate in the place of the issuer's */
	bool nonce;                 /* some extraData */
	unsigned flip_pcr;          /* value of this PCR in the file changed, if not 0 */
	struct pki *root, *ca, *leaf, *other;
	struct buf json;
};

/* Members set beforehand say what; json is made. */
void legacy_forge_make(struct legacy_forge *f);
void legacy_forge_free(struct legacy_forge *f);
/* The trust entry for the root, or for the CA as an intermediate. */
void legacy_forge_trust(const struct legacy_forge *f, bool root, struct buf *ret);

#endif
