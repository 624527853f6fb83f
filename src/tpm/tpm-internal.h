/* Shared by the files of tpm/. */
#ifndef TPM_TPM_INTERNAL_H
#define TPM_TPM_INTERNAL_H

#include <pthread.h>
#include <tss2/tss2_esys.h>
#include "tpm/tpm.h"

struct tpm {
	pthread_mutex_t lock;    /* recursive: held by every exported function but open and close */
	enum event_tpm kind;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR ak;              /* ESYS_TR_NONE until loaded; gone after a reset */
	bool ak_persistent;      /* not ours to flush */
	struct buf ak_public;    /* TPMT_PUBLIC while ak is loaded */
	bool sha256, sha384;     /* banks with all of PCR 0-23 */
};

/* ERR_TPM with the TPM's own words; -1.  what: the command, e.g. "TPM2_Quote". */
int tpm_failed(const struct tpm *t, TSS2_RC rc, const char *what, struct err *e);
/* CLEANUP(tpm_unlock) struct tpm *locked = tpm_lock(t); */
struct tpm *tpm_lock(struct tpm *t);
void tpm_unlock(struct tpm **t);
/* A handle that the TPM has: an NV index, or a persistent object. */
int tpm_has_handle(struct tpm *t, TPM2_HANDLE handle, bool *ret, struct err *e) MUST_CHECK;
static inline void tpm_esys_freep(void *p) { Esys_Free(*(void **)p); }

#endif
