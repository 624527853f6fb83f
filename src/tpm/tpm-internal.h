/* Shared by the files of tpm/. */
#ifndef TPM_TPM_INTERNAL_H
#define TPM_TPM_INTERNAL_H

#include <tss2/tss2_esys.h>
#include "tpm/tpm.h"

struct tpm {
	enum event_tpm kind;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR ak;              /* ESYS_TR_NONE until loaded; gone after a reset */
	struct buf ak_public;    /* TPMT_PUBLIC while ak is loaded */
	bool sha256, sha384;     /* banks with all of PCR 0-23 */
};

/* ERR_TPM with the TPM's own words; -1.  what: the command, e.g. "TPM2_Quote". */
int tpm_failed(const struct tpm *t, TSS2_RC rc, const char *what, struct err *e);
static inline void tpm_esys_freep(void *p) { Esys_Free(*(void **)p); }

#endif
