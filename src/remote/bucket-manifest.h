/* The manifest of a bucket (bucket.h has its text): decode, encode, free; pure. */
#ifndef REMOTE_BUCKET_MANIFEST_H
#define REMOTE_BUCKET_MANIFEST_H

#include "remote/remote.h"

#define BUCKET_MANIFEST_PACKS_MAX 100000u

struct bucket_manifest_pack {
	struct oid id;          /* of the whole pack's bytes */
	uint64_t head_len, total;
};

struct bucket_manifest {
	struct bucket_manifest_pack *packs;
	size_t pack_count, pack_cap;
	struct remote_refs refs;
};

int bucket_manifest_decode(const void *data, size_t len, struct bucket_manifest *ret,
    struct err *e) MUST_CHECK;
int bucket_manifest_encode(const struct bucket_manifest *m, struct buf *ret, struct err *e) MUST_CHECK;
void bucket_manifest_free(struct bucket_manifest *m);
/* One that is there already is left as it is. */
int bucket_manifest_add_pack(struct bucket_manifest *m, const struct bucket_manifest_pack *p,
    struct err *e) MUST_CHECK;
/* NULL target: removes. */
int bucket_manifest_set_ref(struct bucket_manifest *m, const char *name,
    const struct object_ref *target, struct err *e) MUST_CHECK;

#endif
