/* What the platform says of this machine's AK and boot: read when the TPM is opened. */
#ifndef SERVE_PLATFORM_H
#define SERVE_PLATFORM_H

#include "run/run.h"

#define PLATFORM_BOOT_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"
#define PLATFORM_BOOT_LOG_MAX (2u * 1024 * 1024)

struct platform_options {
	const char *ak_chain;   /* PEM file; NULL: what the TPM's NV indices hold */
	const char *boot_log;   /* file; NULL: the machine's own when the TPM is a device, else none */
};

/*
 * ak_chain: the file's certificates, after the one that the TPM holds unless they
 * begin with it.  A boot log that was asked for and cannot be read is an error; the
 * machine's own may be absent or empty.
 */
int platform_read(struct tpm *t, const struct platform_options *o, struct run_platform *ret,
    struct err *e) MUST_CHECK;
/* Reads the files that are named, and understands them; no TPM is needed. */
int platform_check(const struct platform_options *o, struct err *e) MUST_CHECK;
void platform_free(struct run_platform *p);

#endif
