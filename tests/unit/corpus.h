/* The shared corpus of real evidence: $AICERT_CORPUS, or beside the source tree. */
#ifndef UNIT_CORPUS_H
#define UNIT_CORPUS_H

#include <stdbool.h>
#include "base/buf.h"
#include "codec/jcs.h"

#define CORPUS_FILE_MAX (16u * 1024 * 1024)

/* False, with a line on stdout, when this machine has no corpus or not this part. */
bool corpus_has(const char *path);
bool corpus_there(const char *path); /* the same without a word */
/* Appends the file; fails the test when it cannot. */
void corpus_read(const char *path, struct buf *ret);
struct jcs *corpus_json(const char *path); /* the caller frees */
/* Every file of a directory, by its path in the corpus. */
void corpus_each(const char *dir, void (*file)(void *arg, const char *path), void *arg);
/* Hex of any length, appended. */
void corpus_hex(const char *text, struct buf *ret);

#endif
