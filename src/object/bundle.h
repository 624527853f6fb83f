/*
 * A bundle: one file that holds a whole proof (aicert-bundle(5)).  An
 * uncompressed tar archive that other tools can unpack and check, of which one
 * spelling alone is accepted:
 *
 *     aicert-bundle.json      the index, canonical JSON
 *     <type>/<sha256>         objects, in the order of these names
 *     SHA256SUMS              a line for each of the above
 *
 * bundle-reader.h reads the whole, piece by piece.
 */
#ifndef OBJECT_BUNDLE_H
#define OBJECT_BUNDLE_H

#include "object/resource.h"

#define BUNDLE_MEDIA_TYPE "application/vnd.aicert.bundle.v1+json"
#define BUNDLE_INDEX_NAME "aicert-bundle.json"
#define BUNDLE_SUMS_NAME "SHA256SUMS"
#define BUNDLE_BLOCK 512u
#define BUNDLE_END (2u * BUNDLE_BLOCK)              /* zeros after the last member */
#define BUNDLE_NAME_SIZE 80                         /* of a member, with the NUL */
#define BUNDLE_INDEX_MAX (16u * 1024 * 1024)
#define BUNDLE_OBJECTS_MAX 524288u
#define BUNDLE_HEADS_MAX 4096u
#define BUNDLE_SUBJECTS_MAX 4096u
#define BUNDLE_BLOB_MAX (16u * 1024 * 1024)         /* boot logs */

/* What the bundle proves: an output of a run, as its certificate has it. */
struct bundle_subject {
	struct oid certificate;
	struct resource thing;
};

struct bundle_index {
	struct oid *heads;              /* commits with all before them, ascending; none: no history */
	size_t head_count;
	struct bundle_subject *subjects; /* by path, then certificate; at least one */
	size_t subject_count;
};

int bundle_index_decode(const void *data, size_t len, struct bundle_index *ret, struct err *e) MUST_CHECK;
/* Sorts what it is given. */
int bundle_index_encode(struct bundle_index *x, struct buf *ret, struct err *e) MUST_CHECK;
void bundle_index_free(struct bundle_index *x);

/* The order of the members: that of their names. */
int bundle_order(const struct object_ref *a, const struct object_ref *b);
void bundle_name(const struct object_ref *ref, char ret[BUNDLE_NAME_SIZE]);
/* ERR_FORMAT unless name is what bundle_name() writes. */
int bundle_name_parse(const char *name, struct object_ref *ret, struct err *e) MUST_CHECK;
/* Bytes that an object of this type may have. */
uint64_t bundle_object_max(enum object_type type);
/* The one header of a member with that name and size. */
void bundle_header(const char *name, uint64_t size, unsigned char ret[BUNDLE_BLOCK]);
/* The name and size that a header claims to have; only a header that bundle_header()
 * writes is taken. ret_name: BUNDLE_NAME_SIZE. */
int bundle_header_parse(const unsigned char block[BUNDLE_BLOCK], char *ret_name, uint64_t *ret_size,
    struct err *e) MUST_CHECK;
/* "<hex>  <name>\n", as sha256sum(1) writes and checks it. */
void bundle_sum_line(const struct oid *digest, const char *name, struct buf *ret);
/* Zeros after so many bytes of a member. */
size_t bundle_padding(uint64_t size);

#endif
