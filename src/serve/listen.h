/* Where requests come in: a Unix socket that only its owner can reach, or an address. */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include "base/err.h"

/*
 * Listens at path, mode 0600.  Its directory must be ours and closed to others
 * (0700), else ERR_DENIED; a socket that nobody answers on any more is
 * replaced, one that lives is ERR_BUSY, anything else there ERR_EXISTS.
 */
int listen_unix(const char *path, int *ret_fd, struct err *e) MUST_CHECK;

/*
 * Listens on "ADDR:PORT", "[ADDR]:PORT" for IPv6; port 0: any.  *ret_url is
 * "https://ADDR:PORT" with the numbers that it has got, malloc'd.
 */
int listen_tcp(const char *address, int *ret_fd, char **ret_url, struct err *e) MUST_CHECK;
/* Whether it is such an address, and a name in it has one; nothing is opened. */
int listen_check(const char *address, struct err *e) MUST_CHECK;

#endif
