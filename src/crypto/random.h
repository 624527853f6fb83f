#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>
#include "base/err.h"

/* From the operating system's generator. */
int random_bytes(void *ret, size_t len, struct err *e) MUST_CHECK;

#endif
