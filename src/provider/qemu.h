/*
 * A virtual machine of QEMU with a TPM of swtpm and OVMF's firmware: what qemu.c does
 * with it, qemu-args.c the command lines, qemu-disks.c its disks.
 *
 * It is emulated and its TPM is a process of ours: its proofs never exceed the level
 * simulated (aicert-reference(5)).
 */
#ifndef PROVIDER_QEMU_H
#define PROVIDER_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

#define QEMU_ARGS_MAX 80
#define QEMU_GUEST_PORT 8443
#define QEMU_PROCESSORS 2
#define QEMU_PROCESSORS_MAX 64
#define QEMU_MEMORY_MIB 2048
#define QEMU_MEMORY_MIB_MIN 512
#define QEMU_MEMORY_MIB_MAX (1024 * 1024)

#define QEMU_STARTS_MAX 4           /* of one machine: the port was taken, KVM does not work */
#define QEMU_READY_S 600            /* until it answers; emulated on a busy host */
#define QEMU_SILENT_S 240           /* a firmware that has started nothing by then will not */
#define QEMU_KVM_SILENT_S 20        /* KVM that has printed nothing by then does not work */

/* Names of files in the machine's directory. */
#define QEMU_ESP "esp.img"
#define QEMU_CONFIG "config.img"
#define QEMU_VARS "vars.fd"
#define QEMU_CONSOLE "console"
#define QEMU_LOG "qemu.log"
#define QEMU_TPM_LOG "swtpm.log"
#define QEMU_TPM_STATE "tpm"

struct qemu_args {
	char *argv[QEMU_ARGS_MAX];      /* ends with NULL */
	size_t count;
	bool failed;
};

struct qemu_shape {
	const char *tag, *dir;
	const char *root;               /* the image's root file system */
	const char *firmware;           /* OVMF's code */
	int64_t processors, memory_mib;
	bool kvm, secure_boot;
	unsigned port;                  /* on 127.0.0.1 */
};

void qemu_args_free(struct qemu_args *a);
/* The control channel of both is descriptor 3. */
int qemu_args_tpm(const struct qemu_shape *s, struct qemu_args *ret, struct err *e) MUST_CHECK;
int qemu_args_machine(const struct qemu_shape *s, struct qemu_args *ret, struct err *e) MUST_CHECK;

/* The run-time configuration that the image reads: canonical JSON.  token: its digest
 * goes in, it does not. */
int qemu_disks_document(const char *token, struct buf *ret, struct err *e) MUST_CHECK;
/* ESP with the image, configuration, firmware variables: into dir. */
struct qemu_disks {
	const char *tag, *dir;
	const char *image;
	const char *token;
	const char *vars;               /* firmware variables to start from */
};
int qemu_disks_make(const struct qemu_disks *d, struct err *e) MUST_CHECK;

#endif
