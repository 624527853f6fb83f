/* What bucket.c, which reads, and bucket-put.c and bucket-update.c, which write, share. */
#ifndef REMOTE_BUCKET_INTERNAL_H
#define REMOTE_BUCKET_INTERNAL_H

#include "remote/bucket.h"
#include "remote/bucket-manifest.h"
#include "remote/pack.h"
#include "remote/pack-make.h"
#include "remote/spool.h"
#include "store/oid-map.h"

#define BUCKET_FLUSH (48u * 1024 * 1024)    /* of pending objects */

enum bucket_pack_state { BUCKET_PACK_THERE, BUCKET_PACK_SPOOLED, BUCKET_PACK_BAD };

struct bucket_view {
	bool there;             /* a manifest is */
	char tag[BUCKET_TAG_SIZE];
	struct bucket_manifest m;
	struct oid_map where;   /* an object to the number of its pack */
	size_t indexed;         /* packs whose heads are in it */
	enum bucket_pack_state *packs; /* as many as indexed */
	struct spool *spool;
	/* of a push: what is not in a pack yet, and packs no manifest has yet */
	struct pack_make *pending;
	struct workers *workers; /* NULL: packs are made here */
	struct workers_job *made; /* in threads, and to be written, one at a time */
	size_t made_count;
	bool writing;
	struct bucket_manifest fresh;
	/* What was offered: commits before what they need, so no manifest has it before the last. */
	bool offering;          /* pending is such */
	struct oid_map offered;
	struct bucket_manifest held;
	int64_t published_s;    /* when packs without refs were last published; 0: never */
	struct oid_map merged;  /* packs whose objects are in a fresh one too */
};

/* --- bucket.c --- */
struct bucket *bucket_of(struct remote *r);
/* Of a pack. */
void bucket_key(const struct oid *id, const char *ending, char ret[BUCKET_KEY_MAX]);
int bucket_open_view(struct bucket *b, struct err *e) MUST_CHECK;
/* The manifest as it is now. */
int bucket_load(struct bucket *b, struct err *e) MUST_CHECK;
/* The heads of all packs of the manifest. */
int bucket_index(struct bucket *b, struct err *e) MUST_CHECK;
int bucket_find(struct bucket *b, const struct oid *id, bool *ret, size_t *ret_pack,
    struct err *e) MUST_CHECK;
/* The n-th pack is here, if it is the one with id. */
int bucket_spool(struct bucket *b, size_t n, const struct oid *id, struct err *e) MUST_CHECK;
bool bucket_is_large(const struct remote_item *item);
/* Large items that nothing is known of side by side, so that the transport gets many at a time;
 * the states go back to where they came from. */
typedef int bucket_many(void *self, struct remote_item *items, size_t n, struct err *e);
int bucket_large(struct bucket *b, bucket_many *fn, struct remote_item *items, size_t n,
    struct err *e) MUST_CHECK;
void bucket_unfit(struct remote_item *items, size_t n);

/* --- bucket-put.c --- */
/* What is pending becomes a pack. */
int bucket_put_pack(struct bucket *b, struct err *e) MUST_CHECK;
/* Waits until no more than `away` packs are being made and written. */
int bucket_put_collect(struct bucket *b, size_t away, struct err *e) MUST_CHECK;
/* Nothing more is offered. */
int bucket_put_offered(struct bucket *b, struct err *e) MUST_CHECK;
/* Frees what is pending. */
void bucket_put_end(struct bucket_view *v);

/* --- bucket-update.c --- */
/* Packs that no manifest has yet, and refs. */
int bucket_update_publish(struct bucket *b, struct remote_update *updates, size_t n,
    struct err *e) MUST_CHECK;

#endif
