#include "serve/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include "base/fd.h"
#include "base/hex.h"
#include "base/interrupt.h"
#include "evidence/ak-public.h"
#include "serve/channel.h"
#include "serve/confine.h"
#include "serve/hub.h"
#include "serve/idle.h"
#include "serve/journal.h"
#include "serve/listen.h"
#include "serve/place.h"
#include "serve/routes.h"
#include "serve/runtime-config.h"
#include "serve/session.h"
#include "serve/upload.h"
#include "serve/worker.h"
#include "tpm/tpm.h"

#define DAEMON_IDLE_LOOK_MS 1000
#define DAEMON_SWEEP_S (24 * 3600)

struct daemon {
	const struct daemon_options *o;
	const struct settings *settings;
	struct session_app app;
	struct place place;         /* on an address only, as channel and ledger */
	struct channel channel;
	struct ledger *ledger;
	struct runtime_config config;
	unsigned char verity[32];
	struct http_server *server;
	char *url;                  /* what it listens on */
	int listen_fd;
};

static void
daemon_ignore(int signo)
{
	(void)signo;
}

/* A handler and not SIG_IGN, which programs started from here would inherit. */
static int
daemon_no_sigpipe(struct err *e)
{
	struct sigaction sa = {.sa_handler = daemon_ignore, .sa_flags = SA_RESTART};

	sigemptyset(&sa.sa_mask);
	return sigaction(SIGPIPE, &sa, NULL) == 0 ? 0 : err_sys(e, "cannot catch SIGPIPE");
}

/* One line to whoever waits for us. Who no longer listens is told by the control pipe. */
static void
daemon_say(const struct daemon *d, const char *what, const char *text)
{
	CLEANUP(cleanup_free) char *line = NULL;
	struct err e;
	int rc UNUSED;

	if (asprintf(&line, "aicertd: %s%s\n", what, text) < 0) {
		line = NULL;
		return;
	}
	rc = fd_write_all(d->o->ready_fd >= 0 ? d->o->ready_fd : STDERR_FILENO, line, strlen(line),
	    "ready pipe", &e);
}

static void
daemon_on_wait(void *arg, const char *message)
{
	daemon_say(arg, "waiting: ", message);
}

/* A Unix socket has no TLS: there the key stands for this process alone. */
static int
daemon_channel(const struct settings *s, const char *client_ca, struct channel *ret, struct err *e)
{
	if ((s->tls_cert != NULL ? channel_load(s->tls_cert, s->tls_key, ret, e) :
	    channel_ephemeral("aicertd", ret, e)) != 0)
		return -1;
	if (client_ca != NULL)
		return channel_set_client_ca(client_ca, "clientCa of the run-time configuration", ret, e);
	return s->client_ca == NULL ? 0 : channel_load_client_ca(s->client_ca, ret, e);
}

/* The channel's key and the principals' tokens are in this process's memory alone: no core
 * file, and nobody of the same user looks in. */
static int
daemon_keep_memory(struct err *e)
{
	const struct rlimit none = {0};

	int rc = setrlimit(RLIMIT_CORE, &none);

#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks from another process */
	if (rc == 0)
		rc = prctl(PR_SET_DUMPABLE, 0);
#endif
	return rc == 0 ? 0 : err_sys(e, "cannot keep the memory of this process from others");
}

/* As many descriptors as we may have: a connection takes two, an object being sent one. */
static void
daemon_descriptors(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		return;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static bool
daemon_is_certificate(const struct http_done *done)
{
	const char *arg;
	size_t len;

	return strcmp(done->call->method, "GET") == 0 &&
	    http_route_matches("/v1/runs/*/certificate", done->path, &arg, &len);
}

static void
daemon_on_done(void *arg, const struct http_done *done)
{
	const struct session_app *app = arg;
	const struct principal *p = done->call->principal;
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	struct err e;

	if (p != NULL && app->idle != NULL)
		idle_end(app->idle, done->status == 200 && daemon_is_certificate(done), session_now());
	metrics_request(app->metrics, done);
	if (app->ledger != NULL &&
	    journal_request_line(done, p != NULL ? p->name : "-", &line, &e) == 0)
		journal_write(STDERR_FILENO, &line);
}

static void
daemon_on_run(void *arg, const struct ledger_run *row)
{
	const struct daemon *d = arg;
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	struct err e;

	metrics_run(d->app.metrics, row->state);
	if (d->ledger != NULL && journal_run_line(row, &line, &e) == 0)
		journal_write(STDERR_FILENO, &line);
}

static void
daemon_say_idle(void)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;

	buf_addf(&line, "aicertd: the run was fetched, or nobody came: ending\n");
	journal_write(STDERR_FILENO, &line);
}

static bool
daemon_is_idle(const struct daemon *d)
{
	unsigned waiting = 0;
	bool active = false;

	if (d->app.idle == NULL)
		return false;
	run_table_load(d->app.table, &waiting, &active);
	if (!idle_due(d->app.idle, waiting > 0 || active, session_now()))
		return false;
	daemon_say_idle();
	return true;
}

/* What nobody continues goes. The next look, in seconds of session_now(): when something can
 * have become old, or in a day. */
static int64_t
daemon_sweep(const struct daemon *d)
{
	CLEANUP(store_closep) struct store *s = NULL;
	int64_t kept_s = d->settings->parts_kept_s;
	struct err ignored;

	if (d->ledger == NULL)
		return INT64_MAX;
	if (store_open(d->app.store, 0, &s, &ignored) == 0)
		upload_sweep(s, time(NULL), kept_s);
	return session_now() + (kept_s < DAEMON_SWEEP_S ? kept_s : DAEMON_SWEEP_S);
}

static int
daemon_wait_ms(const struct daemon *d, int64_t next_sweep)
{
	int64_t left;

	if (d->app.idle != NULL)
		return DAEMON_IDLE_LOOK_MS;
	if (next_sweep == INT64_MAX)
		return -1;
	left = next_sweep - session_now();
	return left > 0 ? (int)left * 1000 : 0;
}

/*
 * Waits for fd (-1: none), a signal, the end of the control pipe, or until there is
 * nothing more to do.  *ret_stop: it was one of the latter three.
 */
static int
daemon_wait(const struct daemon *d, int fd, bool *ret_stop, struct err *e)
{
	int64_t next_sweep = 0;
	struct pollfd p[3] = {
		{.fd = fd, .events = POLLIN},
		{.fd = interrupt_fd(), .events = POLLIN},
		{.fd = d->o->control_fd, .events = POLLIN},
	};
	char byte;

	for (;;) {
		if (session_now() >= next_sweep)
			next_sweep = daemon_sweep(d);
		if (poll(p, 3, daemon_wait_ms(d, next_sweep)) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait");
		*ret_stop = interrupt_pending() || daemon_is_idle(d);
		if (p[2].revents != 0 && read(d->o->control_fd, &byte, 1) <= 0)
			*ret_stop = true; /* bytes have no meaning, the end has */
		if (*ret_stop || p[0].revents != 0)
			return 0;
	}
}

/* Lasts as long as the daemon. */
static int
daemon_lease(struct daemon *d, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;

	return store_open(d->app.store, 0, &s, e) != 0 ? -1 : lease_open(s, &d->app.lease, e);
}

/* For people who add this runner, to compare with what they met. */
static void
daemon_say_ak(const struct daemon *d)
{
	const struct buf *bytes = worker_ak_public(d->app.worker);
	CLEANUP(ak_public_free) struct ak_public ak = {0};
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	char name[2 * sizeof ak.name + 1];
	struct err e;

	if (ak_public_decode(bytes->data, bytes->len, &ak, &e) != 0)
		return;
	hex_encode(name, ak.name, ak.name_len);
	buf_addf(&line, "aicertd: AK %s\n", name);
	journal_write(STDERR_FILENO, &line);
}

static int
daemon_listen(struct daemon *d, struct err *e)
{
	const struct settings *s = d->settings;
	const struct http_tls tls = {
		.certificate = buf_str(&d->channel.certificate), .key = buf_str(&d->channel.key),
		.client_ca = d->channel.client_ca.len > 0 ? buf_str(&d->channel.client_ca) : NULL,
	};
	struct http_server_options o = {
		.listen_fd = d->listen_fd, .tls = s->listen != NULL ? &tls : NULL, .uid = geteuid(),
		.limits = {
			.connections = (unsigned)s->connections, .per_address = (unsigned)s->per_address,
			.idle_s = (unsigned)s->idle_s, .header_s = (unsigned)s->header_s,
			.stall_s = (unsigned)s->stall_s,
		},
		.routes = routes_table(), .app = &d->app, .session_free = session_free,
		.gate = session_gate, .leave = session_leave, .done = daemon_on_done,
	};
	int rc;

	d->listen_fd = -1;
	rc = http_server_start(&o, &d->server, e);
	channel_wipe(&d->channel);
	if (rc == 0)
		daemon_say(d, "listening on ", s->listen != NULL ? d->url : s->socket);
	if (rc == 0 && s->listen != NULL && d->app.worker != NULL)
		daemon_say_ak(d);
	return rc;
}

static int
daemon_access(struct daemon *d, struct err *e)
{
	return d->settings->runtime_config != NULL ?
	    access_new_fixed(&d->config.principals, &d->app.access, e) :
	    access_new(d->settings->token_file, &d->app.access, e);
}

/* What only a daemon on an address has. */
static int
daemon_open_place(struct daemon *d, struct err *e)
{
	const struct settings *s = d->settings;

	if (s->listen == NULL)
		return 0;
	daemon_descriptors();
	if (daemon_keep_memory(e) != 0 || confine_self(settings_is_hub(s), e) != 0 || daemon_access(d, e) != 0 ||
	    place_prepare(s->store, &d->place, e) != 0 ||
	    ledger_open(d->place.ledger, &d->ledger, e) != 0)
		return -1;
	d->app.store = d->place.store;
	d->app.ledger = d->ledger;
	d->app.requests_each = (uint64_t)s->per_principal;
	d->app.max_seconds = (uint64_t)s->max_seconds;
	d->app.max_memory = (uint64_t)s->max_memory;
	d->app.parts_max = (unsigned)s->parts;
	return shares_new(UINT64_MAX, &d->app.requests, e);
}

static void
daemon_on_closed(void *arg, const char *name, const struct err *why)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	struct err e;

	(void)arg;
	if (journal_ref_line(name, why, &line, &e) == 0)
		journal_write(STDERR_FILENO, &line);
}

static int
daemon_open_hub(struct daemon *d, struct err *e)
{
	CLEANUP(store_closep) struct store *s = NULL;
	const struct hub_options o = {
		.settings = d->settings, .ledger = d->ledger, .on_closed = daemon_on_closed,
	};

	if (store_open(d->app.store, 0, &s, e) != 0)
		return -1;
	return hub_new(&o, s, &d->app.hub, e);
}

static struct run_host
daemon_host(struct daemon *d)
{
	const struct settings *s = d->settings;
	struct run_host host = {.document = d->config.text};
	struct err ignored;

	if (s->image_verity == NULL || hex_decode(d->verity, sizeof d->verity, s->image_verity, &ignored) != 0)
		return host;
	host.image_name = s->image_name;
	host.image_version = s->image_version;
	host.verity = d->verity;
	return host;
}

static int
daemon_open_worker(struct daemon *d, struct err *e)
{
	const struct settings *s = d->settings;
	const struct run_table_options table = {
		.ledger = d->ledger, .logs = d->place.logs, .queue = d->ledger != NULL ? (unsigned)s->queue : 0,
		.queue_each = d->ledger != NULL ? (unsigned)s->queue_each : 0,
	};
	struct worker_options worker = {
		.store = d->app.store, .tpm = s->tpm, .ledger = d->ledger,
		.platform = {.ak_chain = s->ak_chain, .boot_log = s->boot_log},
		.host = daemon_host(d), .on_wait = daemon_on_wait, .on_run = daemon_on_run, .arg = d,
	};

	if (run_table_open(&table, &d->app.table, e) != 0)
		return -1;
	worker.table = d->app.table;
	return worker_start(&worker, &d->app.worker, e);
}

static int
daemon_open_config(struct daemon *d, struct err *e)
{
	if (d->settings->runtime_config == NULL)
		return 0;
	if (runtime_config_load(d->settings->runtime_config, &d->config, e) != 0)
		return -1;
	return idle_new(d->config.idle_s, session_now(), &d->app.idle, e);
}

static int
daemon_open(struct daemon *d, struct err *e)
{
	const struct settings *s = d->settings;

	d->app.store = s->store;
	if (daemon_open_config(d, e) != 0)
		return -1;
	if (s->socket != NULL ? listen_unix(s->socket, &d->listen_fd, e) != 0 :
	    listen_tcp(s->listen, &d->listen_fd, &d->url, e) != 0)
		return -1;
	if (metrics_new(&d->app.metrics, e) != 0 || daemon_channel(s, d->config.client_ca, &d->channel, e) != 0 ||
	    daemon_open_place(d, e) != 0)
		return -1;
	buf_add(&d->app.spki, d->channel.spki.data, d->channel.spki.len);
	d->app.spki_digest = d->channel.spki_digest;
	if (buf_check(&d->app.spki, e) != 0)
		return -1;
	return settings_is_hub(s) ? daemon_open_hub(d, e) : daemon_open_worker(d, e);
}

/* From the worker's start to the order to stop. */
static int
daemon_work(struct daemon *d, struct err *e)
{
	bool stop = false;

	if (d->app.worker != NULL && daemon_wait(d, worker_ready_fd(d->app.worker), &stop, e) != 0)
		return -1;
	if (stop)
		return 0;
	if ((d->app.worker != NULL && worker_ready(d->app.worker, e) != 0) || daemon_lease(d, e) != 0 ||
	    daemon_listen(d, e) != 0)
		return -1;
	return daemon_wait(d, -1, &stop, e);
}

/* A daemon that somebody started for himself cleans up after him too: he may have
 * been killed.  The directory goes only when nothing else is in it. */
static void
daemon_remove_socket(const struct daemon_options *o)
{
	const char *path = o->settings->socket;
	CLEANUP(cleanup_free) char *dir = path != NULL ? strdup(path) : NULL;
	char *slash = dir != NULL ? strrchr(dir, '/') : NULL;

	if (path != NULL)
		unlink(path);
	if (o->control_fd < 0 || slash == NULL || slash == dir)
		return;
	*slash = '\0';
	(void)rmdir(dir);
}

/* Stuck, say in a file system that does not answer.  The sandbox dies with the
 * worker's thread, and the store survives the end of a process at any moment. */
__attribute__((noreturn)) static void
daemon_give_up(const struct daemon_options *o)
{
	daemon_remove_socket(o);
	_exit(err_exit_status(ERR_IO));
}

static void
daemon_close(struct daemon *d)
{
	http_server_stop(d->server);
	lease_close(d->app.lease);
	worker_free(d->app.worker);
	run_table_free(d->app.table);
	hub_free(d->app.hub);
	ledger_close(d->ledger);
	access_free(d->app.access);
	shares_free(d->app.requests);
	metrics_free(d->app.metrics);
	idle_free(d->app.idle);
	runtime_config_free(&d->config);
	cleanup_close(&d->listen_fd);
	channel_free(&d->channel);
	place_free(&d->place);
	buf_free(&d->app.spki);
	free(d->url);
}

int
daemon_serve(const struct daemon_options *o, struct err *e)
{
	struct daemon d = {.o = o, .settings = o->settings, .listen_fd = -1};
	bool listening;
	int rc;

	if (interrupt_install(e) != 0 || daemon_no_sigpipe(e) != 0)
		return -1;
	rc = daemon_open(&d, e);
	listening = d.listen_fd >= 0; /* else the socket there is another's */
	if (rc == 0)
		rc = daemon_work(&d, e);
	if (d.app.worker != NULL && !worker_stop(d.app.worker)) /* what runs is cancelled first */
		daemon_give_up(o);
	if (listening)
		daemon_remove_socket(o);
	daemon_close(&d);
	return rc;
}

int
daemon_check(const struct settings *s, struct err *e)
{
	CLEANUP(runtime_config_free) struct runtime_config config = {0};
	struct channel channel = {0};
	struct access *access = NULL;
	const struct platform_options platform = {.ak_chain = s->ak_chain, .boot_log = s->boot_log};
	int rc = s->runtime_config != NULL ? runtime_config_load(s->runtime_config, &config, e) : 0;

	if (rc == 0 && s->listen != NULL)
		rc = listen_check(s->listen, e);
	if (rc == 0 && !settings_is_hub(s))
		rc = tpm_check_spec(s->tpm, e);
	if (rc == 0)
		rc = platform_check(&platform, e);
	if (rc == 0)
		rc = daemon_channel(s, config.client_ca, &channel, e);
	if (rc == 0 && s->token_file != NULL)
		rc = access_new(s->token_file, &access, e);
	access_free(access);
	channel_free(&channel);
	return rc;
}
