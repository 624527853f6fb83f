/* The documents of tests/data/object and what is done to all of them. */
#ifndef UNIT_OBJECT_GOLDEN_H
#define UNIT_OBJECT_GOLDEN_H

#include "unit.h"
#include "base/buf.h"

/* Decodes and encodes again. */
typedef int golden_again(const void *data, size_t len, struct buf *ret, struct err *e);

golden_again golden_event, golden_spec, golden_certificate, golden_commit, golden_evidence,
    golden_tree;

/* The decoder of a document by its name; NULL when it is none of ours. */
golden_again *golden_decoder(const char *name);

/* The whole file into ret. */
void golden_read(const char *name, struct buf *ret);
/* The names of SHA256SUMS one by one: i counts up until NULL; the caller frees. */
char *golden_name(size_t i, char ret_hex[65]);

#endif
