/* What the object database and the index keep in a store; for store.c, odb*.c,
 * index.c and fsck*.c only. */
#ifndef STORE_ODB_STATE_H
#define STORE_ODB_STATE_H

#include <stdint.h>
#include "db/db.h"
#include "object/oid-list.h"
#include "store/store.h"

struct odb_state {
	int fd;                     /* objects/ */
	struct db *small;           /* NULL: not opened yet */
	unsigned batch;             /* depth of odb_batch_begin */
	unsigned batch_puts;        /* of small objects in it */
	unsigned char dirs[32];     /* of a batch of many: bit i: objects/<i> was there */
	bool failed;                /* the batch cannot succeed any more */
	bool transaction;           /* of the batch, open in small */
	bool reading;               /* odb_reading(): reads share a transaction ... */
	bool reading_open;          /* ... which is open in small */
	unsigned reading_count;     /* reads in it */
	int64_t reading_ms;         /* when it was begun */
	int64_t transaction_ms;     /* when it was begun */
	int64_t commit_ms;          /* how long the last commit took */
	struct db *index;           /* index.db or its stand-in; NULL: not opened yet */
	struct alternates *alternates; /* NULL: not looked for yet */
	bool alone;                 /* it is an alternate itself: its own objects only */
	struct db *in_place;        /* NULL: not opened yet */
	int64_t referring_since;    /* in seconds */
	bool referring;             /* a transaction is open in in_place */
	struct lease *lease;        /* NULL: nothing is relied on yet */
	bool lease_shared;          /* another's: lease_join */
	struct oid_list pending;    /* of the transaction, not yet in the lease */
	unsigned char unsynced[32]; /* of the batch: bit i: objects/<i> has names not yet synced */
};

struct odb_state *odb_state(struct store *s);
/* Closes the databases; an open batch is rolled back. */
void odb_state_close(struct odb_state *o);

#endif
