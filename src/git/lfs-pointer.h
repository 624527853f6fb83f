/* What git-lfs puts in the place of a large file.  Pure. */
#ifndef GIT_LFS_POINTER_H
#define GIT_LFS_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LFS_POINTER_MAX 1024

/* The SHA-256 in hex (65 bytes) and size of the file that the text stands for; false: it is
 * no pointer. */
bool lfs_pointer_decode(const void *data, size_t len, char *ret_hex, uint64_t *ret_size);

#endif
