/* A time stamping authority made for a test. */
#ifndef UNIT_TSA_H
#define UNIT_TSA_H

#include "pki.h"

struct tsa_stamp {
	const struct pki *signer, *above;   /* above: NULL, or what certified the signer */
	int64_t time;
	bool token, sha1, sha512;           /* the token alone; how it is signed; of which digest */
};

/* A certificate for time stamps, by issuer. */
struct pki *tsa_make(const struct pki *issuer, int64_t until);
void tsa_stamp(const struct tsa_stamp *s, const void *data, size_t len, struct buf *ret);

#endif
