/*
 * Whether objects are in the store, asked for many of them: after a while the
 * ids of all small objects are read at once, in order, instead of one by one.
 * For those who already know the content (the stat cache): its bytes are not
 * read.  What is found stays: it is in the lease before it is looked for, and
 * the ids that were read are read again when another process changed them.
 */
#ifndef STORE_ODB_PRESENT_H
#define STORE_ODB_PRESENT_H

#include "store/oid-set.h"
#include "store/store.h"

struct odb_present {
	struct store *s;
	bool elsewhere;     /* a reference or an alternate will do, if nothing says it was changed */
	size_t asked;       /* since the ids were last thrown away */
	size_t expected;    /* the caller's guess of how many more will be */
	bool loaded;        /* ids are */
	struct oid_set ids;
	int64_t version;    /* of small.db, taken before the ids were read */
};

#define ODB_PRESENT_INIT(store) {.s = (store)}

/* An object that somebody has the content of; has is the answer. */
struct odb_present_question {
	struct oid id;
	uint64_t size;
	bool has;           /* also: its name is durable, at the end of the batch */
};

int odb_present_find(struct odb_present *p, struct odb_present_question *q, size_t n,
    struct err *e) MUST_CHECK;
void odb_present_free(struct odb_present *p);

#endif
