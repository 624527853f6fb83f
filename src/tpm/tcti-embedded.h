/* A TCTI whose TPM is libtpms in this process. */
#ifndef TPM_TCTI_EMBEDDED_H
#define TPM_TCTI_EMBEDDED_H

#include <tss2/tss2_tcti.h>
#include "tpm/tpm.h"

/*
 * Powers the TPM on.  dir: where its state is kept, or NULL: in memory only.
 * libtpms is one TPM a process: ERR_BUSY for a second.  The waiting and on_wait
 * of o are about the lock of dir.
 */
int tcti_embedded_open(const struct tpm_open_options *o, const char *dir,
    TSS2_TCTI_CONTEXT **ret, struct err *e) MUST_CHECK;
/* Power off and on; TPM2_Startup is the caller's. */
int tcti_embedded_power_cycle(TSS2_TCTI_CONTEXT *tcti, struct err *e) MUST_CHECK;
void tcti_embedded_close(TSS2_TCTI_CONTEXT *tcti);
/* Why state could not be kept, or NULL: then nothing the TPM says is durable. */
const struct err *tcti_embedded_trouble(const TSS2_TCTI_CONTEXT *tcti);

#endif
