/* PCR arithmetic: new = H(old || H(data)). */
#ifndef EVIDENCE_REPLAY_H
#define EVIDENCE_REPLAY_H

#include "crypto/hash.h"

struct replay {                 /* one PCR in two banks, from all zeros */
	unsigned char sha256[32];
	unsigned char sha384[48];
};

void replay_start(struct replay *r);
int replay_extend(struct replay *r, const void *data, size_t len, struct err *e) MUST_CHECK;

#endif
