/*
 * Unpacks a tar archive (zstd, gzip, xz or plain) beneath a directory, safely:
 * regular files, directories, symlinks and hard links inside it only; no
 * absolute names, "..", devices or set-id bits; bounded in bytes and entries.
 */
#ifndef CODEC_ARCHIVE_H
#define CODEC_ARCHIVE_H

#include <stdint.h>
#include "base/err.h"

struct archive_limits {
	uint64_t bytes;
	uint64_t entries;
};

/* fd is read from its position to the end. whiteouts: OCI layer semantics
 * (.wh. files remove what lower layers had). */
int archive_extract(int fd, int destdirfd, const struct archive_limits *limits, int whiteouts,
    struct err *e) MUST_CHECK;

#endif
