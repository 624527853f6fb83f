/*
 * A bundle, read from its first byte to its last, in pieces of any length: no
 * I/O, no object in memory.  Every object's digest is compared as it passes.
 * The result is a table of what is where; nothing of it is proved by that.
 * Errors are ERR_CORRUPT, whatever is wrong, and cite aicert-bundle(5).
 */
#ifndef OBJECT_BUNDLE_READER_H
#define OBJECT_BUNDLE_READER_H

#include "object/bundle.h"

struct bundle_object {
	struct object_ref ref;
	uint64_t offset, size;
};

struct bundle {
	struct bundle_index index;
	struct bundle_object *objects;  /* in the order of the members */
	size_t count;
};

#define BUNDLE_INIT {0}

struct bundle_reader;
int bundle_reader_new(struct bundle_reader **ret, struct err *e) MUST_CHECK;
int bundle_reader_push(struct bundle_reader *r, const void *data, size_t len, struct err *e) MUST_CHECK;
/* The last byte was pushed. The reader has done its work. */
int bundle_reader_finish(struct bundle_reader *r, struct bundle *ret, struct err *e) MUST_CHECK;
void bundle_reader_free(struct bundle_reader *r);
static inline void bundle_reader_freep(struct bundle_reader **r) { bundle_reader_free(*r); }

void bundle_reader_release(struct bundle *b);
/* NULL: not in it. */
const struct bundle_object *bundle_reader_find(const struct bundle *b, const struct object_ref *ref);
/* As whatever type. */
const struct bundle_object *bundle_reader_find_id(const struct bundle *b, const struct oid *id);

#endif
