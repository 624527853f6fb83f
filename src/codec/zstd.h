/* Bytes in memory, compressed (RFC 8878) and expanded: libarchive. */
#ifndef CODEC_ZSTD_H
#define CODEC_ZSTD_H

#include "base/buf.h"

int zstd_compress(const void *data, size_t len, struct buf *ret, struct err *e) MUST_CHECK;
/* Exactly `want` bytes, at least one, must come out (ERR_FORMAT); more are never kept. */
int zstd_expand(const void *data, size_t len, size_t want, struct buf *ret, struct err *e) MUST_CHECK;

#endif
