/* An embedded TPM and what its tests share. */
#ifndef UNIT_TPM_FIXTURE_H
#define UNIT_TPM_FIXTURE_H

#include "tpm/tpm.h"

/* Opens spec without waiting; fails the test when it cannot. */
struct tpm *fixture_open(const char *spec);
/* "embedded:<fresh directory>/<name>"; borrowed until the next call. */
const char *fixture_spec(const char *name);
/* All 24 PCRs of both banks as quote-check takes them. */
struct quote_check_pcrs;
void fixture_pcrs(const struct certificate_pcrs *from, struct quote_check_pcrs *ret);

#endif
