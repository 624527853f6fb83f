/*
 * Many objects in one piece, for whatever moves few large things better than many
 * small ones (aicert-remote(5) "Packs"):
 *
 *     aicert pack 1\n
 *     <count>\n
 *     <sha256> <size>\n       count times, ascending, each id once
 *     the bytes of the objects in that order, nothing between or after
 *
 * The head alone, up to the last "\n" above, is the pack's index.  Decoding is pure
 * and bounded; that the bytes have the ids is for the caller to check.
 */
#ifndef REMOTE_PACK_H
#define REMOTE_PACK_H

#include <stdint.h>
#include "base/buf.h"
#include "object/oid.h"

#define PACK_OBJECTS_MAX 100000u
#define PACK_BYTES_MAX (64u * 1024 * 1024)      /* a whole pack */
#define PACK_HEAD_MAX (8u * 1024 * 1024)
#define PACK_OBJECT_MAX (56u * 1024 * 1024)     /* one object in it */
#define PACK_BLOB_MAX (1024u * 1024)            /* longer blobs travel alone */

struct pack_entry {
	struct oid id;
	uint64_t size;
	uint64_t offset;        /* in the whole pack */
};

struct pack {
	struct pack_entry *entries;
	size_t count, cap;
	size_t head_len;        /* bytes before the first object */
	uint64_t total;         /* bytes of the whole */
};

#define PACK_INIT {0}

/* data: a head, or a whole pack (whole: its length must be right too). */
int pack_decode(const void *data, size_t len, bool whole, struct pack *ret, struct err *e) MUST_CHECK;
/* Building: entries in any order, then the head; a repeated id is left out.  The bytes
 * are then the caller's to add, in the order of p->entries. */
int pack_add(struct pack *p, const struct oid *id, uint64_t size, struct err *e) MUST_CHECK;
int pack_head(struct pack *p, struct buf *ret, struct err *e) MUST_CHECK;
void pack_free(struct pack *p);

#endif
