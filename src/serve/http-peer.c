#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "serve/http-internal.h"

#define HTTP_WATCH_MS 250
#define HTTP_UNSENT_MS (120 * 1000)     /* data that the peer does not acknowledge */

int64_t
http_peer_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t
http_peer_now_ms(void)
{
	return http_peer_now_us() / 1000;
}

static bool
http_peer_owner(const struct http_server *s, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return false;
	return cred.uid == s->o.uid || cred.uid == 0;
}

/* Who no longer acknowledges is gone, also while there is nothing to send for hours. */
static void
http_peer_socket(int fd)
{
	int on = 1, idle = 60, unsent = HTTP_UNSENT_MS;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent, sizeof unsent);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void
http_peer_address(struct http_peer *p, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *a = info != NULL ? info->client_addr : NULL;

	snprintf(p->address, sizeof p->address, "unknown");
	if (a != NULL && a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, p->address,
		    sizeof p->address);
	else if (a != NULL && a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
		    p->address, sizeof p->address);
}

static struct http_peer *
http_peer_new(struct http_server *s, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_peer *p = calloc(1, sizeof *p);

	if (p == NULL || info == NULL) {
		free(p);
		return NULL;
	}
	p->server = s;
	p->since_ms = http_peer_now_ms();
	p->fd = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0);
	if (s->o.tls == NULL) {
		snprintf(p->address, sizeof p->address, "local");
		p->allowed = http_peer_owner(s, info->connect_fd);
	} else {
		http_peer_address(p, mhd);
		http_peer_socket(info->connect_fd);
		p->allowed = p->fd >= 0; /* what cannot be watched is not served */
	}
	return p;
}

static void
http_peer_free(struct http_server *s, struct http_peer *p)
{
	pthread_mutex_lock(&s->lock);
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		s->peers = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	s->count--;
	pthread_mutex_unlock(&s->lock);
	if (p->session != NULL)
		s->o.session_free(p->session);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

void
http_peer_notify(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	struct http_peer *p = *context;

	if (code != MHD_CONNECTION_NOTIFY_STARTED) {
		if (p != NULL)
			http_peer_free(s, p);
		*context = NULL;
		return;
	}
	p = http_peer_new(s, mhd);
	*context = p;
	if (p == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	p->next = s->peers;
	if (p->next != NULL)
		p->next->prev = p;
	s->peers = p;
	s->count++;
	pthread_mutex_unlock(&s->lock);
}

struct http_peer *
http_peer_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* Bytes that the peer's machine has acknowledged. */
static uint64_t
http_peer_acked(const struct http_peer *p)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;

	return getsockopt(p->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 ? info.tcpi_bytes_acked : 0;
}

void
http_peer_phase(struct http_peer *p, enum http_phase phase)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->server->lock);
	p->phase = phase;
	p->since_ms = http_peer_now_ms();
	p->moved = 0;
	p->acked = phase == HTTP_ANSWER ? http_peer_acked(p) : 0;
	pthread_mutex_unlock(&p->server->lock);
}

void
http_peer_moved(struct http_peer *p, uint64_t bytes)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->server->lock);
	p->moved += bytes;
	pthread_mutex_unlock(&p->server->lock);
}

/* What comes in is counted as it comes; what goes out when it has arrived, for a socket's
 * buffer takes much that nobody reads. */
static bool
http_peer_moves(struct http_peer *p)
{
	uint64_t acked;

	if (p->phase == HTTP_BODY)
		return p->moved >= HTTP_STALL_BYTES;
	if (p->server->o.tls == NULL)
		return true; /* a Unix socket's user holds up himself alone */
	acked = http_peer_acked(p);
	if (acked - p->acked < HTTP_STALL_BYTES)
		return false;
	p->acked = acked;
	return true;
}

/* Under the lock. */
static bool
http_peer_slow(struct http_peer *p, const struct http_limits *l, int64_t now)
{
	int64_t waited = (now - p->since_ms) / 1000;

	switch (p->phase) {
	case HTTP_IDLE:
		return waited >= l->idle_s;
	case HTTP_HEADER:
		return waited >= l->header_s;
	case HTTP_BODY:
	case HTTP_ANSWER:
		if (!http_peer_moves(p))
			return waited >= l->stall_s;
		if (p->phase == HTTP_BODY) /* the next window */
			p->moved = 0;
		p->since_ms = now;
		break;
	case HTTP_WORK:
	case HTTP_FOLLOW: /* TCP tells when it is gone */
		break;
	}
	return false;
}

static void *
http_peer_watch(void *arg)
{
	struct http_server *s = arg;
	struct timespec until;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		int64_t now = http_peer_now_ms();

		for (struct http_peer *p = s->peers; p != NULL; p = p->next)
			if (http_peer_slow(p, &s->o.limits, now) && p->fd >= 0)
				(void)shutdown(p->fd, SHUT_RDWR);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += HTTP_WATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&s->wake, &s->lock, &until);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
http_peer_watch_start(struct http_server *s, struct err *e)
{
	errno = pthread_create(&s->watch, NULL, http_peer_watch, s);
	if (errno != 0)
		return err_sys(e, "cannot start a thread");
	s->watching = true;
	return 0;
}

void
http_peer_watch_stop(struct http_server *s)
{
	if (!s->watching)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->watch, NULL);
	s->watching = false;
}
