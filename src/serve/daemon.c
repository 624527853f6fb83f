#include "serve/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "crypto/key.h"
#include "serve/listen.h"
#include "serve/routes.h"
#include "serve/session.h"

struct daemon {
	const struct daemon_options *o;
	struct session_app app;
	struct http_server *server;
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

/* What takes the place of a TLS key where there is no TLS: ephemeral. */
static int
daemon_channel_key(struct daemon *d, struct err *e)
{
	CLEANUP(key_freep) struct key *key = NULL;

	if (key_generate_p256(&key, e) != 0 || key_spki(key, &d->app.spki, e) != 0)
		return -1;
	return oid_from_data(&d->app.spki_digest, d->app.spki.data, d->app.spki.len, e);
}

/*
 * Waits for fd (-1: none), a signal, or the end of the control pipe.
 * *ret_stop: it was one of the latter two.
 */
static int
daemon_wait(const struct daemon *d, int fd, bool *ret_stop, struct err *e)
{
	struct pollfd p[3] = {
		{.fd = fd, .events = POLLIN},
		{.fd = interrupt_fd(), .events = POLLIN},
		{.fd = d->o->control_fd, .events = POLLIN},
	};
	char byte;

	for (;;) {
		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return err_sys(e, "cannot wait");
		*ret_stop = interrupt_pending();
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

	return store_open(d->o->store, 0, &s, e) != 0 ? -1 : lease_open(s, &d->app.lease, e);
}

static int
daemon_listen(struct daemon *d, struct err *e)
{
	struct http_server_options o = {
		.listen_fd = d->listen_fd, .uid = geteuid(), .routes = routes_table(),
		.app = &d->app, .session_free = session_free,
	};

	d->listen_fd = -1;
	if (http_server_start(&o, &d->server, e) != 0)
		return -1;
	daemon_say(d, "listening on ", d->o->unix_socket);
	return 0;
}

/* From the worker's start to the order to stop. */
static int
daemon_work(struct daemon *d, struct err *e)
{
	bool stop;

	if (daemon_channel_key(d, e) != 0 ||
	    daemon_wait(d, worker_ready_fd(d->app.worker), &stop, e) != 0)
		return -1;
	if (stop)
		return 0;
	if (worker_ready(d->app.worker, e) != 0 || daemon_lease(d, e) != 0 || daemon_listen(d, e) != 0)
		return -1;
	return daemon_wait(d, -1, &stop, e);
}

/* A daemon that somebody started for himself cleans up after him too: he may have
 * been killed.  The directory goes only when nothing else is in it. */
static void
daemon_remove_socket(const struct daemon_options *o)
{
	CLEANUP(cleanup_free) char *dir = strdup(o->unix_socket);
	char *slash = dir != NULL ? strrchr(dir, '/') : NULL;

	unlink(o->unix_socket);
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

int
daemon_serve(const struct daemon_options *o, struct err *e)
{
	struct daemon d = {.o = o, .app = {.store = o->store}, .listen_fd = -1};
	struct worker_options worker = {
		.store = o->store, .tpm = o->tpm, .on_wait = daemon_on_wait, .arg = &d,
	};
	int rc;

	if (interrupt_install(e) != 0 || daemon_no_sigpipe(e) != 0 ||
	    listen_unix(o->unix_socket, &d.listen_fd, e) != 0)
		return -1;
	rc = worker_start(&worker, &d.app.worker, e);
	if (rc == 0) {
		rc = daemon_work(&d, e);
		if (!worker_stop(d.app.worker)) /* what runs is cancelled and cleaned up first */
			daemon_give_up(o);
	}
	daemon_remove_socket(o);
	http_server_stop(d.server);
	lease_close(d.app.lease);
	worker_free(d.app.worker);
	if (d.listen_fd >= 0)
		close(d.listen_fd);
	buf_free(&d.app.spki);
	return rc;
}
