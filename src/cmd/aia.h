/* Intermediates that a chain left out, from where its certificates say they are. */
#ifndef CMD_AIA_H
#define CMD_AIA_H

#include "verify/quote-verdict.h"

#define AIA_MAX 4

struct aia {
	struct x509_cert *certs[AIA_MAX];
	size_t count;
};

/*
 * Follows authorityInfoAccess from the last certificate of rq's chain until one
 * is signed by a root that rq pins, or is of its own making: a root is never
 * taken.  What comes must have signed the one that named it, and is judged as
 * any other.  A chain that cannot be read has nothing to follow.
 */
int aia_fetch(const struct quote_verdict_request *rq, struct aia *ret, struct err *e) MUST_CHECK;
void aia_free(struct aia *a);

#endif
