/* aicertd: the daemon of a machine that makes attested runs (aicertd(8)). */
#include <string.h>
#include "base/buf.h"
#include "base/options.h"
#include "base/printable.h"
#include "serve/daemon.h"

#define AICERTD_SYNOPSIS "--store DIR --listen ADDR:PORT|--socket PATH [--tpm TCTI|none]" \
	" [--token-file FILE] [--tls-cert FILE --tls-key FILE] [--client-ca FILE]" \
	" [--runtime-config FILE] [--config FILE] [--check-config]"

struct aicertd {
	const char *listen, *store, *socket, *tpm, *token_file, *tls_cert, *tls_key, *client_ca, *config,
	    *runtime_config;
	int64_t control_fd, ready_fd;
	bool check, help, version;
};

static int
aicertd_parse(int argc, char **argv, struct aicertd *a, struct err *e)
{
	const struct option table[] = {
		{OPTION_STRING, 0, "store", &a->store, "DIR", "the .aicert directory to work for, or where to make it"},
		{OPTION_STRING, 0, "listen", &a->listen, "ADDR:PORT", "answer HTTPS there; port 0: any"},
		{OPTION_STRING, 0, "socket", &a->socket, "PATH", "listen on this Unix socket instead"},
		{OPTION_STRING, 0, "tpm", &a->tpm, "TCTI",
		    "embedded[:DIR], device:PATH, swtpm:..., mssim:...; none: a hub"},
		{OPTION_STRING, 0, "token-file", &a->token_file, "FILE", "who may do what"},
		{OPTION_STRING, 0, "tls-cert", &a->tls_cert, "FILE", "PEM; without it a key is made for this process"},
		{OPTION_STRING, 0, "tls-key", &a->tls_key, "FILE", "PEM, of that certificate"},
		{OPTION_STRING, 0, "client-ca", &a->client_ca, "FILE", "PEM; take client certificates issued by it"},
		{OPTION_STRING, 0, "runtime-config", &a->runtime_config, "FILE",
		    "who may come, in one document that is measured"},
		{OPTION_STRING, 0, "config", &a->config, "FILE", "read settings from it; options win"},
		{OPTION_FLAG, 0, "check-config", &a->check, NULL, "read everything, serve nothing"},
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
	if (a->control_fd > 1024 * 1024 || a->ready_fd > 1024 * 1024)
		return err_set(e, ERR_USAGE, "not a file descriptor");
	return 0;
}

/* The file first, then what the command line says. */
static int
aicertd_settings(const struct aicertd *a, struct settings *s, struct err *e)
{
	const struct {
		const char *key, *value;
	} given[] = {
		{"daemon.listen", a->listen}, {"daemon.socket", a->socket}, {"daemon.store", a->store},
		{"daemon.tpm", a->tpm}, {"daemon.tokenfile", a->token_file}, {"daemon.tlscert", a->tls_cert},
		{"daemon.tlskey", a->tls_key}, {"daemon.clientca", a->client_ca},
		{"daemon.runtimeconfig", a->runtime_config},
	};

	if (a->config != NULL && settings_load(s, a->config, e) != 0)
		return -1;
	for (size_t i = 0; i < sizeof given / sizeof *given; i++)
		if (given[i].value != NULL && settings_set(s, given[i].key, given[i].value, e) != 0)
			return -1;
	return settings_check(s, e);
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

static int
aicertd_run(const struct aicertd *a, struct err *e)
{
	CLEANUP(settings_free) struct settings s = {0};
	const struct daemon_options o = {
		.settings = &s, .control_fd = (int)a->control_fd, .ready_fd = (int)a->ready_fd,
	};

	if (settings_init(&s, e) != 0 || aicertd_settings(a, &s, e) != 0)
		return -1;
	return a->check ? daemon_check(&s, e) : daemon_serve(&o, e);
}

int
main(int argc, char **argv)
{
	struct aicertd a = {.control_fd = -1, .ready_fd = -1};
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
	if (aicertd_run(&a, &e) != 0) {
		aicertd_complain(&a, &e);
		return err_exit_status(e.code);
	}
	return 0;
}
