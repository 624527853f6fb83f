/*
 * The runner's work: one attested run from a resolved spec to a certificate.
 * Invariants: nothing is extended into PCR 15 before the run key's event is in
 * PCR 14; outputs are hashed after the run's last process is gone; whatever
 * happens to the command, what was measured is sealed, and a failed run has a
 * certificate.  A run that is cancelled while files are hashed, and not done with
 * that RUN_CANCEL_MS (_KEEP_MS) later, has none: ERR_CANCELLED.  Nor has one whose inputs
 * have other bytes at its end than were measured: ERR_REFUSED names the input.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "object/certificate.h"
#include "store/store.h"
#include "tpm/tpm.h"

/* A log or state line for whoever watches; called from the run's thread. */
struct run_observer {
	void (*state)(void *arg, const char *state);  /* "measuring", "running", "sealing", ... */
	void (*log)(void *arg, const void *data, size_t len);
	void *arg;
};

/* How long after its cancellation a run may go on hashing: what a command that was
 * cancelled left is kept (a checkpoint), what is cancelled while hashed is not. */
#define RUN_CANCEL_MS 5000
#define RUN_CANCEL_KEEP_MS (10 * 60 * 1000)

/* What the platform says of this machine and its AK; read once, when the TPM is opened. */
struct run_platform {
	struct buf ak_chain[CERTIFICATE_CHAIN_MAX]; /* DER, leaf first, without the root */
	size_t ak_chain_count;
	struct buf boot_log;            /* TCG event log; empty: none */
};
/* What a measured image says of itself, and how the daemon was told to work; borrowed. */
struct run_host {
	const char *image_name;         /* NULL: there is none, the host is unmeasured */
	const char *image_version;
	const unsigned char *verity;    /* root hash of the host's file system, 32 bytes; NULL */
	const char *document;           /* the run-time configuration; NULL: none */
};
#define RUN_BOOT_LOG_TYPE "application/vnd.tcg.event-log"

struct run_request {
	struct store *store;
	struct tpm *tpm;
	const struct run_spec *spec;    /* every input's object is in the store */
	unsigned char nonce[32];
	const char *daemon_version;
	const struct run_platform *platform; /* NULL: nothing is known */
	struct run_host host;
	int cancel_fd;                  /* readable: stop the run; -1: none */
	struct run_observer observer;
};

/* 0: *ret_certificate holds the encoded certificate, also of a run that failed. */
int run_execute(const struct run_request *rq, struct buf *ret_certificate, struct err *e) MUST_CHECK;

#endif
