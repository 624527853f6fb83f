/*
 * Leases: what a process relies on, written down so that gc leaves it alone
 * (store/FORMAT.md, "Leases and garbage collection").
 */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include "object/oid.h"
#include "store/store.h"

#define LEASE_PREFIX "lease-"
#define LEASE_HEAD_SIZE 256 /* the owner's line, filled up */
#define LEASE_GATE "gate"
#define LEASE_GC "gc"       /* gc.lock */

struct lease;

/* A lease of its own, for several handles and threads of a process: see lease_join().
 * It may outlive the handle. */
int lease_open(struct store *s, struct lease **ret, struct err *e) MUST_CHECK;
void lease_close(struct lease *l);
/* What s relies on is written into l, which is borrowed and must outlive s. */
void lease_join(struct store *s, struct lease *l);

/* Before it is looked whether they are there (odb_keep in odb.h).  Nothing is done for a
 * read-only store. */
int lease_add(struct store *s, const struct oid *ids, size_t count, struct err *e) MUST_CHECK;
/* Opens the store's own lease when there is none yet: before work beneath tmp/. */
int lease_begin(struct store *s, struct err *e) MUST_CHECK;

/* A new file beneath tmp/, flocked as long as it is open: without its owner it is litter. */
int lease_create(struct store *s, const char *name, int *ret_fd, struct err *e) MUST_CHECK;

/* The gate, made when it is not there. */
int lease_gate_open(int dirfd, int *ret_fd, struct err *e) MUST_CHECK;
/* op: LOCK_SH or LOCK_EX; waits up to a minute (ERR_BUSY), Ctrl-C ends it. */
int lease_gate_lock(int gate, int op, struct err *e) MUST_CHECK;
void lease_gate_unlock(int gate);

#endif
