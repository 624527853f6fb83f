/*
 * The cache of the Hugging Face hub: <hub>/<kind>--<owner>--<name>/blobs/<etag>, where
 * the etag of a large file is its SHA-256 and that of a small one is something
 * else.  Read once, when it is first asked for.
 */
#ifndef STORE_ALTERNATES_HUB_H
#define STORE_ALTERNATES_HUB_H

#include "object/oid.h"
#include "store/source.h"

struct alternates_hub;

/* $HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub.
 * NULL, and no error, when there is none. */
int alternates_hub_open(struct alternates_hub **ret, struct err *e) MUST_CHECK;
void alternates_hub_free(struct alternates_hub *h);
int alternates_hub_find(struct alternates_hub *h, const struct oid *id, struct source *ret,
    struct err *e) MUST_CHECK;
typedef int alternates_hub_fn(void *arg, uint64_t size, struct err *e);
/* The sizes of all that it has. */
int alternates_hub_sizes(struct alternates_hub *h, alternates_hub_fn *fn, void *arg,
    struct err *e) MUST_CHECK;

#endif
