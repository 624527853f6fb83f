/* Where clouds keep the AK that they have certified; for ak*.c only. */
#ifndef TPM_AK_CERT_H
#define TPM_AK_CERT_H

#include "tpm/tpm-internal.h"

struct ak_place {           /* handles; 0: none */
	TPM2_HANDLE certificate;
	TPM2_HANDLE persistent;
	TPM2_HANDLE template;
};
/* A place counts only when all that belongs to it is there; all zero: none does. */
int ak_cert_locate(struct tpm *t, struct ak_place *ret, struct err *e) MUST_CHECK;
/* The TPMT_PUBLIC that the index holds, as a template. */
int ak_cert_template(struct tpm *t, TPM2_HANDLE index, TPM2B_PUBLIC *ret, struct err *e) MUST_CHECK;

#endif
