/*
 * Ends TLS and passes the bytes on: a server's TLS, or a man in the middle.  It
 * keeps what clients sent.
 */
#ifndef UNIT_NET_RELAY_H
#define UNIT_NET_RELAY_H

#include <pthread.h>
#include <stdbool.h>
#include "base/buf.h"
#include "pki.h"

struct relay {
	pthread_t thread;
	pthread_mutex_t lock;   /* of all that follows */
	int listen_fd;
	int port;
	char url[64];           /* "https://127.0.0.1:port" */
	char backend[104];      /* a Unix socket, or "" for backend_port on 127.0.0.1 */
	int backend_port;
	const struct pki *pki;  /* what new connections are shown */
	bool old;               /* nothing newer than TLS 1.2 */
	unsigned connections;   /* handshakes that were done */
	unsigned with_client;   /* of these, with a client certificate */
	struct buf received;    /* in the clear */
	unsigned open;          /* connection threads */
	bool stop;
};

void relay_start(struct relay *r, const struct pki *pki, const char *socket, int port);
/* Waits for the connections to end. */
void relay_stop(struct relay *r);
void relay_show(struct relay *r, const struct pki *pki);
bool relay_got(struct relay *r, const char *text);
size_t relay_bytes(struct relay *r);
/* base64 of the SHA-256 of the key. */
void relay_pin(const struct pki *pki, char ret[45]);

#endif
