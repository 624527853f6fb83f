/* Was a certificate of an AK's chain revoked?  By the lists that are given; none is asked for. */
#ifndef EVIDENCE_AK_REVOKED_H
#define EVIDENCE_AK_REVOKED_H

#include "crypto/x509-crl.h"
#include "evidence/ak-chain.h"

#define AK_REVOKED_LISTS_MAX 16

enum ak_revoked_result {
	AK_REVOKED_UNKNOWN, /* some certificate has no list of this time; notes say which */
	AK_REVOKED_NONE,    /* every certificate of the path has one, and is not on it */
	AK_REVOKED_SOME     /* notes begin with the one that is revoked */
};

/* lists: DER or PEM; what is no revocation list: ERR_FORMAT with its number.  The issuer
 * of the path's last certificate is its anchor; without one, it has no list. */
int ak_revoked(const struct ak_chain_path *path, const struct buf *lists, size_t n, int64_t time,
    enum ak_revoked_result *ret, struct buf *notes, struct err *e) MUST_CHECK;

#endif
