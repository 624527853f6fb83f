#ifndef CRYPTO_X509_INTERNAL_H
#define CRYPTO_X509_INTERNAL_H

#include <openssl/x509.h>
#include "crypto/x509.h"

/* Borrowed. */
X509 *x509_raw(const struct x509_cert *c);

#endif
