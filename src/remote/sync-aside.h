/*
 * What a fetch does beside its walk, in threads: certificates that came are judged (that they
 * have the digest and the form, and what they name), and what was judged is stored.  For
 * sync*.c only.
 *
 * While a batch is being stored the store belongs to the thread that does it: whoever wants to
 * use it calls sync_aside_settle() first.
 */
#ifndef REMOTE_SYNC_ASIDE_H
#define REMOTE_SYNC_ASIDE_H

#include "base/buf.h"
#include "base/workers.h"
#include "object/certificate-scan.h"
#include "store/store.h"

#define SYNC_ASIDE_ITEMS 64 /* certificates of a job */

struct sync_aside_item {
	struct oid id;
	bool needed;            /* the walk's own, given back */
	struct buf text;
	bool good;              /* else sync_aside_judge() says what is wrong */
	bool scanned;           /* links are all that it names; else it is to be decoded */
	struct certificate_scan_link *links;
	size_t link_count, link_cap;
};

struct sync_aside_job {
	struct workers_job base; /* first */
	struct sync_aside_item items[SYNC_ASIDE_ITEMS];
	size_t count;
	uint64_t bytes;
};

/* Objects that were judged and are not stored yet. */
struct sync_aside_batch {
	struct workers_job base; /* first */
	struct store *store;
	struct oid *ids;
	struct buf *bytes;
	size_t count;
	uint64_t size;
	int rc;                 /* of storing the last ones */
	struct err why;
};

/* Of one thread; begins as zero but for store. */
struct sync_aside {
	struct store *store;
	struct workers *workers;
	struct sync_aside_job *filling;
	struct workers_job *done; /* judged, and not taken */
	bool begun;             /* a job, since some were taken */
	struct sync_aside_batch batches[2];
	unsigned batch;         /* the one that is filled */
	uint64_t enough;        /* bytes for it */
	bool storing;           /* the other one */
	bool failed;            /* something that was kept is not stored */
};

/* The bytes are those of id, as an object of this type: ERR_REFUSED, ERR_FORMAT. */
int sync_aside_judge(const struct object_ref *ref, const struct buf *text, struct err *e) MUST_CHECK;

/* A certificate that came, not judged yet.  Takes text over. */
int sync_aside_add(struct sync_aside *a, const struct oid *id, bool needed, struct buf *text,
    struct err *e) MUST_CHECK;
/* Some are not taken yet. */
bool sync_aside_busy(const struct sync_aside *a);
/* It is time to take what is done: a job was begun, or (idle) there is nothing else to do. */
bool sync_aside_ready(const struct sync_aside *a, bool idle);
/* A job that is done, for sync_aside_job_free(); NULL: none.  Waits a moment when many are under
 * way, or idle: then what was added is begun. */
struct sync_aside_job *sync_aside_take(struct sync_aside *a, bool idle);
void sync_aside_job_free(struct sync_aside_job *job);
static inline void sync_aside_job_freep(struct sync_aside_job **j) { sync_aside_job_free(*j); }

/* What was judged; takes text over. */
int sync_aside_keep(struct sync_aside *a, const struct oid *id, struct buf *text,
    struct err *e) MUST_CHECK;
/* The store is this thread's again. */
int sync_aside_settle(struct sync_aside *a, struct err *e) MUST_CHECK;
/* Likewise, and all that was kept is stored. */
int sync_aside_flush(struct sync_aside *a, struct err *e) MUST_CHECK;
/* Waits for what is under way, and forgets the rest. */
void sync_aside_end(struct sync_aside *a);

#endif
