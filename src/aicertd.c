/* aicertd: the daemon of a machine that makes attested runs (aicertd(8)). */
#include <string.h>
#include "base/options.h"
#include "base/printable.h"
#include "serve/daemon.h"

#define AICERTD_SYNOPSIS "--store DIR --socket PATH [--tpm TCTI]"

struct aicertd {
	const char *store, *socket, *tpm;
	int64_t control_fd, ready_fd;
	bool help, version;
};

static int
aicertd_parse(int argc, char **argv, struct aicertd *a, struct err *e)
{
	const struct option table[] = {
		{OPTION_STRING, 0, "store", &a->store, "DIR", "the .aicert directory to work for"},
		{OPTION_STRING, 0, "socket", &a->socket, "PATH", "listen on this Unix socket"},
		{OPTION_STRING, 0, "tpm", &a->tpm, "TCTI", "embedded[:DIR], device:PATH, swtpm:..., mssim:..."},
		{OPTION_INT, 0, "control-fd", &a->control_fd, "N", "stop at its end of file"},
		{OPTION_INT, 0, "ready-fd", &a->ready_fd, "N", "say there when it listens"},
		{OPTION_HELP, 'h', "help", &a->help, NULL, "print this help"},
		{OPTION_FLAG, 0, "version", &a->version, NULL, "print the version"},
		{OPTION_END},
	};
	int left;

	if (options_parse(table, argc, argv, &left, e) != 0)
		return -1;
	if (a->help)
		options_usage(stdout, "aicertd", AICERTD_SYNOPSIS, table);
	if (a->help || a->version)
		return 0;
	if (left > 0)
		return err_set(e, ERR_USAGE, "%s: takes no arguments", argv[0]);
	if (a->store == NULL || a->socket == NULL)
		return err_set(e, ERR_USAGE, "--store and --socket are needed; see aicertd --help");
	if (a->control_fd > 1024 * 1024 || a->ready_fd > 1024 * 1024)
		return err_set(e, ERR_USAGE, "not a file descriptor");
	return 0;
}

/* Whoever started us reads the ready pipe until we listen; later it is closed. */
static void
aicertd_complain(const struct aicertd *a, const struct err *e)
{
	CLEANUP(cleanup_free) char *safe = printable(e->msg, NULL);
	const char *text = safe != NULL ? safe : "out of memory";

	if (a->ready_fd >= 0 && dprintf((int)a->ready_fd, "aicertd: %s\n", text) > 0)
		return;
	fprintf(stderr, "aicertd: %s\n", text);
}

int
main(int argc, char **argv)
{
	struct aicertd a = {.tpm = "embedded", .control_fd = -1, .ready_fd = -1};
	struct daemon_options o;
	struct err e;

	/* The TSS writes to stderr by itself; what matters comes back as an error. */
	setenv("TSS2_LOG", "all+none", 0);
	if (aicertd_parse(argc, argv, &a, &e) != 0) {
		aicertd_complain(&a, &e);
		return err_exit_status(e.code);
	}
	if (a.version)
		printf("aicertd %s\n", AICERT_VERSION);
	if (a.help || a.version)
		return fflush(stdout) == 0 ? 0 : err_exit_status(ERR_IO);
	o = (struct daemon_options){
		.store = a.store, .unix_socket = a.socket, .tpm = a.tpm,
		.control_fd = (int)a.control_fd, .ready_fd = (int)a.ready_fd,
	};
	if (daemon_serve(&o, &e) != 0) {
		aicertd_complain(&a, &e);
		return err_exit_status(e.code);
	}
	return 0;
}
