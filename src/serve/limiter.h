/* Failed authentications an address: after LIMITER_FAILURES within LIMITER_WINDOW_S it
 * must wait.  Of bounded size: when it is full, the oldest address is forgotten. */
#ifndef SERVE_LIMITER_H
#define SERVE_LIMITER_H

#include <stdint.h>
#include "base/err.h"

#define LIMITER_FAILURES 10
#define LIMITER_WINDOW_S 60
#define LIMITER_ADDRESSES 1024

struct limiter;

#define LIMITER_SITE_SIZE 64
/* The address that counts: of IPv6 the /64. */
void limiter_site(const char *address, char ret[LIMITER_SITE_SIZE]);

int limiter_new(struct limiter **ret, struct err *e) MUST_CHECK;
void limiter_free(struct limiter *l);
/* Seconds that the address has to wait from now (seconds, any clock that does not go
 * back); 0: it may try.  An IPv6 address stands for its /64. */
unsigned limiter_wait(struct limiter *l, const char *address, int64_t now);
void limiter_failed(struct limiter *l, const char *address, int64_t now);

#endif
