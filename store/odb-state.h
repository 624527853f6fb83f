/* What the object database keeps in a store; for store.c and odb*.c only. */
#ifndef STORE_ODB_STATE_H
#define STORE_ODB_STATE_H

#include <stdint.h>
#include "db/db.h"
#include "store/store.h"

struct odb_state {
	int fd;                     /* objects/ */
	struct db *small;           /* NULL: not opened yet */
	unsigned batch;             /* depth of odb_batch_begin */
	bool failed;                /* the batch cannot succeed any more */
	bool transaction;           /* of the batch, open in small */
	int64_t transaction_ms;     /* when it was begun */
	unsigned char unsynced[32]; /* of the batch: bit i: objects/<i> has names not yet synced */
};

struct odb_state *odb_state(struct store *s);
/* Closes small.db; an open batch is rolled back. */
void odb_state_close(struct odb_state *o);

#endif
