/* A server that answers with fixed bytes, one script entry a request, and keeps what it was sent. */
#ifndef UNIT_NET_PEER_H
#define UNIT_NET_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include "base/buf.h"

struct peer_answer {
	const char *bytes;
	size_t len;         /* 0: strlen(bytes) */
	bool close;         /* the connection, after the answer */
	bool hang;          /* silent until the client goes */
};

struct peer {
	pthread_t thread;
	int listen_fd;
	int port;           /* TCP */
	char path[128];     /* Unix socket */
	const struct peer_answer *answers;
	size_t count;
	struct buf requests;    /* all of them, one after the other */
	unsigned connections;
};

void peer_unix(struct peer *p, const char *name, const struct peer_answer *answers, size_t count);
void peer_tcp(struct peer *p, const struct peer_answer *answers, size_t count);
void peer_start(struct peer *p);
/* Waits until the script is done. */
void peer_join(struct peer *p);

#endif
