/*
 * Making evidence: a TPM 2.0 through any TCTI, "embedded[:state-dir]" being
 * libtpms in this process.  Only tpm/ uses tss2-esys and libtpms.  A struct tpm
 * may be used by several threads: each call has the TPM for itself.
 */
#ifndef TPM_TPM_H
#define TPM_TPM_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "object/certificate.h"
#include "object/event.h"

struct tpm;

/*
 * spec: "embedded", "embedded:DIR", or a tctildr string ("device:/dev/tpmrm0",
 * "swtpm:...", "mssim:...").  The embedded TPM keeps its state in DIR (created
 * 0700), locked while open: another holder is waited for up to wait_ms, then
 * ERR_BUSY that names it.  on_wait (may be NULL) is called once if it must wait.
 */
struct tpm_open_options {
	const char *spec;
	int wait_ms;
	void (*on_wait)(void *arg, const char *message);
	void *arg;
};
/* Whether it is such a text; nothing is opened. */
int tpm_check_spec(const char *spec, struct err *e) MUST_CHECK;
int tpm_open(const struct tpm_open_options *o, struct tpm **ret, struct err *e) MUST_CHECK;
void tpm_close(struct tpm *t);
static inline void tpm_closep(struct tpm **t) { tpm_close(*t); }

enum event_tpm tpm_kind(const struct tpm *t);
/* True for a TPM that can be power-cycled by us (embedded). */
bool tpm_resettable(const struct tpm *t);
/* Power-cycles an embedded TPM: same AK, PCRs zero. ERR_UNSUPPORTED for others. */
int tpm_reset(struct tpm *t, struct err *e) MUST_CHECK;
/* Which of the banks SHA-256 and SHA-384 the TPM has. */
void tpm_banks(const struct tpm *t, bool *ret_sha256, bool *ret_sha384);

/*
 * tpm/ak.c: finds or creates the AK.  Where the TPM has an AK that a cloud has
 * certified (tpm/ak-cert.c), that one: Azure's at 0x81000003, or the primary that
 * Google's template makes.  Else a P-256 primary of the endorsement hierarchy,
 * restricted, fixedTPM, fixedParent, sensitiveDataOrigin, noDA, so that the same
 * seed gives the same key.  ret_public: TPMT_PUBLIC, appended.
 */
int ak_load(struct tpm *t, struct buf *ret_public, struct err *e) MUST_CHECK;
/* tpm/ak-cert.c: the DER of the AK's certificate as the cloud left it in the TPM, appended;
 * *ret_found is false, and nothing is written, where there is none. */
int ak_cert_read(struct tpm *t, struct buf *ret_der, bool *ret_found, struct err *e) MUST_CHECK;

/* tpm/pcr.c: extends SHA-256(data) and SHA-384(data) into each bank the TPM has. */
int pcr_extend(struct tpm *t, unsigned pcr, const void *data, size_t len, struct err *e) MUST_CHECK;
int pcr_read_all(struct tpm *t, struct certificate_pcrs *ret, struct err *e) MUST_CHECK;

/* tpm/quote.c: quotes PCR 0-23 of both banks by the AK, extra: 32 bytes; reads the
 * values and makes sure they are the quoted ones. */
int quote_make(struct tpm *t, const unsigned char extra[32], struct certificate_quote *ret,
    struct err *e) MUST_CHECK;
/* TPM2_ReadClock */
int quote_clock(struct tpm *t, uint64_t *ret_clock, uint32_t *ret_resets, uint32_t *ret_restarts,
    struct err *e) MUST_CHECK;

#endif
