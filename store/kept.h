/*
 * Inputs that were laid out for a run and are kept for the next (FORMAT.md "Kept
 * inputs").  Who renames an entry out of kept/ owns it; nothing there is believed.
 */
#ifndef STORE_KEPT_H
#define STORE_KEPT_H

#include <stdbool.h>
#include "object/resource.h"
#include "store/store.h"

#define KEPT_AGE_SECONDS (14 * 24 * 3600)

/* Moves the entry with this content to dirfd/name, which is free and on the store's
 * file system; every byte was read there again.  *ret_taken false: there is none, or
 * it was not what it should be and is gone. */
int kept_take(struct store *s, const struct resource *r, int dirfd, const char *name,
    bool *ret_taken, struct err *e) MUST_CHECK;
/* Moves dirfd/name, which was laid out for it, there.  It stays where it is when it is
 * not worth it, when there is one already, or when the file system is nearly full. */
void kept_give(struct store *s, const struct resource *r, int dirfd, const char *name);
/* Removes entries that no run used for so many seconds (0: all); *ret_count of them. */
int kept_sweep(struct store *s, int64_t seconds, size_t *ret_count, struct err *e) MUST_CHECK;
/* Less than a tenth of the store's file system is free. */
bool kept_full(struct store *s);

#endif
