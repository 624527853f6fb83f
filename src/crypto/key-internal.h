/* Shared by the files of crypto/ that see libcrypto's own types. */
#ifndef CRYPTO_KEY_INTERNAL_H
#define CRYPTO_KEY_INTERNAL_H

#include <openssl/evp.h>
#include "crypto/key.h"

/* Takes pkey over, also when it fails. */
int key_adopt(EVP_PKEY *pkey, struct key **ret, struct err *e) MUST_CHECK;
/* Borrowed. */
EVP_PKEY *key_pkey(const struct key *k);

#endif
