/*
 * PEM (RFC 7468), read strictly: a block is a BEGIN line, canonical base64, the
 * END line of the same label.  Text outside blocks is passed over, as tools
 * write it there; a line that begins with dashes and is no marker is refused.
 */
#ifndef CRYPTO_PEM_H
#define CRYPTO_PEM_H

#include <stdbool.h>
#include "base/buf.h"

#define PEM_LABEL_SIZE 65

/* The next block from *offset on; *ret_found false: there is none.  Its bytes
 * are appended to ret_der.  ERR_FORMAT for damage, and for a block without bytes. */
int pem_next(const void *text, size_t len, size_t *offset, char ret_label[PEM_LABEL_SIZE],
    struct buf *ret_der, bool *ret_found, struct err *e) MUST_CHECK;

#endif
