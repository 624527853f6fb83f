/*
 * A directory as a text: "aicert tree 1\n", then "<mode> <size> <sha256> <name>\n"
 * an entry, sorted by the raw name bytes (aicert-store(5) "Trees").
 * Decoding checks every rule and accepts nothing else.
 */
#ifndef OBJECT_TREE_H
#define OBJECT_TREE_H

#include <stdint.h>
#include "base/buf.h"
#include "object/oid.h"

#define TREE_BYTES_MAX (256u * 1024 * 1024)
#define TREE_DEPTH_MAX 64

enum tree_mode { TREE_FILE = 0100644, TREE_EXEC = 0100755, TREE_LINK = 0120000, TREE_DIR = 0040000 };

struct tree_entry {
	enum tree_mode mode;
	uint64_t size;
	struct oid id;
	const char *name;   /* raw bytes, NUL ended; owned by the tree */
};

struct tree {
	struct tree_entry *entries;
	size_t count;
	char *names;        /* storage */
	uint64_t size;      /* sum of the entries */
};

#define TREE_INIT {0}

int tree_decode(const void *data, size_t len, struct tree *ret, struct err *e) MUST_CHECK;
int tree_encode(const struct tree *t, struct buf *ret, struct err *e) MUST_CHECK;
void tree_free(struct tree *t);
/* Exact name; NULL when absent. */
const struct tree_entry *tree_find(const struct tree *t, const char *name);

/* Builder: entries in any order; sorted and checked by tree_builder_finish(). */
struct tree_builder;
int tree_builder_new(struct tree_builder **ret, struct err *e) MUST_CHECK;
int tree_builder_add(struct tree_builder *b, enum tree_mode mode, uint64_t size,
    const struct oid *id, const char *name, struct err *e) MUST_CHECK;
int tree_builder_finish(struct tree_builder *b, struct buf *ret_text, uint64_t *ret_size,
    struct err *e) MUST_CHECK;
void tree_builder_free(struct tree_builder *b);

#endif
