/* aicertd's work: HTTP routes over one store and one TPM, or over a store alone (a hub). */
#ifndef SERVE_DAEMON_H
#define SERVE_DAEMON_H

#include "serve/settings.h"

struct daemon_options {
	const struct settings *settings;    /* that settings_check() accepted */
	int control_fd;             /* end of file: cancel the run and stop; -1: none */
	int ready_fd;               /* one line is written when it listens; -1: stderr */
};
/* Serves until SIGTERM, end of file on control_fd, or, with a run-time configuration,
 * until there is nothing more to do. */
int daemon_serve(const struct daemon_options *o, struct err *e) MUST_CHECK;
/* Reads every file that the settings name, and serves nothing. */
int daemon_check(const struct settings *s, struct err *e) MUST_CHECK;

#endif
