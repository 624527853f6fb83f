#include <errno.h>
#include <string.h>
#include "serve/http-internal.h"

/*
 * TLS 1.3 alone.  AES-128-GCM first: it is what the machine's instructions do
 * fastest, and as strong as the P-256 key that the channel is bound to.
 */
#define HTTP_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:" \
	"+AES-256-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE"
#define HTTP_STACK (1024u * 1024)
#define HTTP_OPTIONS_MAX 8

static void
http_server_defaults(struct http_server_options *o)
{
	struct http_limits *l = &o->limits;

	l->idle_s = l->idle_s > 0 ? l->idle_s : 60;
	l->header_s = l->header_s > 0 ? l->header_s : 20;
	l->stall_s = l->stall_s > 0 ? l->stall_s : 60;
	l->connections = l->connections > 0 ? l->connections : 512;
	l->per_address = l->per_address > 0 ? l->per_address : 256;
}

static void
http_server_tls(const struct http_server_options *o, struct MHD_OptionItem *items)
{
	size_t n = 0;

	if (o->tls != NULL) {
		items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
			(void *)(uintptr_t)o->tls->certificate};
		items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
			(void *)(uintptr_t)o->tls->key};
		items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
			(void *)(uintptr_t)HTTP_TLS_PRIORITIES};
		items[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT,
			(intptr_t)o->limits.per_address, NULL};
		if (o->tls->client_ca != NULL)
			items[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0,
				(void *)(uintptr_t)o->tls->client_ca};
	}
	items[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static struct MHD_Daemon *
http_server_mhd(struct http_server *s)
{
	struct MHD_OptionItem items[HTTP_OPTIONS_MAX];
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;

	http_server_tls(&s->o, items);
	if (s->o.tls != NULL)
		flags |= MHD_USE_TLS;
	return MHD_start_daemon(flags, 0, NULL, NULL, http_on_request, s,
	    MHD_OPTION_LISTEN_SOCKET, s->o.listen_fd,
	    MHD_OPTION_URI_LOG_CALLBACK, http_on_target, s,
	    MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, s,
	    MHD_OPTION_NOTIFY_CONNECTION, http_peer_notify, s,
	    MHD_OPTION_CONNECTION_LIMIT, s->o.limits.connections,
	    MHD_OPTION_CONNECTION_TIMEOUT, HTTP_SILENT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEADERS_MAX,
	    MHD_OPTION_THREAD_STACK_SIZE, (size_t)HTTP_STACK,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

static struct http_server *
http_server_new(const struct http_server_options *o)
{
	struct http_server *s = calloc(1, sizeof *s);
	pthread_condattr_t attr;
	struct err ignored;

	if (s == NULL)
		return NULL;
	s->o = *o;
	s->asks_client = o->tls != NULL && o->tls->client_ca != NULL;
	http_server_defaults(&s->o);
	if (shares_new(HTTP_DOCUMENTS_MAX, &s->documents, &ignored) != 0) {
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->large_lock, NULL);
	pthread_cond_init(&s->large_left, NULL);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

static void
http_server_free(struct http_server *s)
{
	shares_free(s->documents);
	pthread_cond_destroy(&s->large_left);
	pthread_mutex_destroy(&s->large_lock);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int
http_server_start(const struct http_server_options *o, struct http_server **ret, struct err *e)
{
	struct http_server *s = http_server_new(o);

	if (s == NULL) {
		close(o->listen_fd);
		return err_nomem(e);
	}
	if (http_peer_watch_start(s, e) != 0) {
		close(o->listen_fd);
		http_server_free(s);
		return -1;
	}
	s->mhd = http_server_mhd(s);
	if (s->mhd == NULL) {
		http_peer_watch_stop(s);
		close(o->listen_fd);
		http_server_free(s);
		return err_set(e, ERR_IO, o->tls != NULL ? "the HTTPS server does not start: do the TLS"
		    " certificate and key belong together?" : "the HTTP server does not start");
	}
	*ret = s;
	return 0;
}

void
http_server_stop(struct http_server *s)
{
	if (s == NULL)
		return;
	MHD_stop_daemon(s->mhd);
	http_peer_watch_stop(s);
	http_server_free(s);
}

unsigned
http_connections(struct http_call *c)
{
	struct http_server *s = http_exchange(c)->server;
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->count;
	pthread_mutex_unlock(&s->lock);
	return n;
}
