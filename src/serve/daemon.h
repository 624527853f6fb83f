/* aicertd's work: HTTP routes over one store, one TPM, one run at a time. */
#ifndef SERVE_DAEMON_H
#define SERVE_DAEMON_H

#include "base/err.h"

struct daemon_options {
	const char *store;          /* the .aicert directory */
	const char *unix_socket;    /* listens here, mode 0600, peers of this uid only */
	const char *tpm;            /* TCTI string */
	int control_fd;             /* end of file: cancel the run and stop; -1: none */
	int ready_fd;               /* one line is written when it listens; -1: stderr */
};
/* Serves until SIGTERM or end of file on control_fd. */
int daemon_serve(const struct daemon_options *o, struct err *e) MUST_CHECK;

#endif
