/*
 * Named pieces of bytes in somebody's git repository: the tree of the commit that one ref,
 * refs/aicert/store, names.  The commits only carry; what is in them is for the reader to
 * check.  A bare repository of our own beside (the quarantine) holds what was fetched and
 * what is to be pushed; the git program moves it.
 */
#ifndef GIT_MAILBOX_H
#define GIT_MAILBOX_H

#include <stdio.h>
#include "base/buf.h"

#define MAILBOX_REF "refs/aicert/store"

struct mailbox;

/* dir: of the quarantine, made when it is not there; one process at a time has it.  url: as
 * git takes it. */
int mailbox_open(const char *dir, const char *url, FILE *progress, struct mailbox **ret,
    struct err *e) MUST_CHECK;
void mailbox_close(struct mailbox *m);
/* What the ref names now; ERR_NOTFOUND when the repository has no such ref. */
int mailbox_fetch(struct mailbox *m, struct err *e) MUST_CHECK;
/* A piece of what was fetched last, "name" or "directory/name"; ERR_LIMIT before it is inflated
 * when it is longer than max. */
int mailbox_read(struct mailbox *m, const char *path, size_t max, struct buf *ret,
    struct err *e) MUST_CHECK;
/* Becomes part of the next push; the same path again replaces it. */
int mailbox_add(struct mailbox *m, const char *path, const void *data, size_t len,
    struct err *e) MUST_CHECK;
/* All that was added, on top of what was fetched last.  ERR_CONFLICT when the ref has moved
 * since: fetch, and push again. */
int mailbox_push(struct mailbox *m, struct err *e) MUST_CHECK;

#endif
