/* A real daemon in a child process, on a real socket in unit_dir(). */
#ifndef UNIT_SERVE_HARNESS_H
#define UNIT_SERVE_HARNESS_H

#include <sys/types.h>
#include "net/http.h"
#include "object/run-spec.h"
#include "store/store.h"

struct harness {
	pid_t pid;
	int control;            /* our end of the control pipe */
	char worktree[128];
	char store[160];        /* .aicert */
	char dir[160];          /* of the socket */
	char socket[192];
	struct http *http;
};

/* Makes the store where there is none. */
void harness_start(struct harness *h, const char *name);
/* Starts it again on the same store and socket. */
void harness_restart(struct harness *h);
/* Closes the control pipe; returns the wait status. */
int harness_stop(struct harness *h);

/* One request on a connection of its own, bytes as they are; everything that comes back. */
void harness_raw(const struct harness *h, const void *request, size_t len, struct buf *ret);
/* The status of such an answer to "<line>\r\nHost: local\r\nConnection: close\r\n\r\n". */
int harness_status(const struct harness *h, const char *line);

/* One request through net/http; the status. *ret may be NULL. */
int harness_do(const struct harness *h, const char *method, const char *path, const char *header,
    const void *body, size_t len, struct http_response *ret);

/* A run request for `sh -c script` with one output, out.txt. */
void harness_run_body(const char *script, unsigned char nonce_byte, struct buf *ret);
/* POSTs it; the status, and the run's id on 201. */
int harness_run(const struct harness *h, const char *script, char ret_id[65]);
/* Follows the log to its end. */
void harness_log(const struct harness *h, const char *id, struct buf *ret);

#endif
