/* The parts of transfer.h. */
#ifndef RUNNER_TRANSFER_INTERNAL_H
#define RUNNER_TRANSFER_INTERNAL_H

#include <pthread.h>
#include "base/progress.h"
#include "object/oid.h"
#include "object/tree.h"
#include "runner/transfer.h"

#define TRANSFER_THREADS 4
#define TRANSFER_LIST_TYPE "application/vnd.aicert.object-list.v1+json"
#define TRANSFER_LIST_MAX 50000         /* ids in one request: below the runner's bound */
#define TRANSFER_ANSWER_MAX (8u * 1024 * 1024)
#define TRANSFER_PATH_SIZE (OID_HEX_SIZE + 1024)

struct transfer_item {
	struct oid id;
	uint64_t size;
	bool exact;             /* else size is a bound */
};

struct transfer_list {
	struct transfer_item *items;
	size_t count, cap;
};

/* transfer-list.c */
void transfer_list_free(struct transfer_list *l);
int transfer_list_add(struct transfer_list *l, const struct transfer_item *item,
    struct err *e) MUST_CHECK;
/* Sorted by id, each once. */
void transfer_list_unique(struct transfer_list *l);
bool transfer_list_has(const struct transfer_list *l, const struct oid *id);
/* Ids as the protocol has them. */
int transfer_list_encode(const struct transfer_list *l, struct buf *ret, struct err *e) MUST_CHECK;
/*
 * The runner's answer to `asked` (sorted): what it lacks is added to *ret, with the
 * sizes of asked.  It may only name what it was asked about, once: else it could ask
 * for any object here.
 */
int transfer_list_decode(const void *data, size_t len, const struct transfer_list *asked,
    struct transfer_list *ret, struct err *e) MUST_CHECK;
int transfer_read_tree(struct store *s, const struct oid *id, struct tree *ret,
    struct err *e) MUST_CHECK;
void transfer_path(const struct link *l, const struct oid *id, char ret[TRANSFER_PATH_SIZE]);
/* What the other side lacks of at most TRANSFER_LIST_MAX objects (sorted). */
int transfer_ask_missing(struct link *l, const struct transfer_list *part, struct transfer_list *ret,
    struct err *e) MUST_CHECK;

/*
 * transfer-queue.c: the items of a list, several at a time, each by one worker.
 * The first failure stops the others.
 */
struct transfer_queue;

struct transfer_worker {
	struct transfer_queue *queue;
	struct link link;       /* http is the worker's own; notices are serialised */
	struct store *store;    /* the worker's own */
	void *state;            /* of its function, NULL at first */
	void *arg;              /* transfer_work.arg */
};

typedef int transfer_item_fn(struct transfer_worker *w, const struct transfer_item *item,
    struct err *e);
/* After a worker's last item, also after a failure; frees w->state. */
typedef int transfer_end_fn(struct transfer_worker *w, bool failed, struct err *e);

struct transfer_work {
	struct link *link;
	struct store *store;
	const struct transfer_list *list;
	const char *label;      /* for people, of the progress */
	transfer_item_fn *item;
	transfer_end_fn *end;   /* NULL: none */
	void *arg;
};
int transfer_queue_run(const struct transfer_work *w, struct err *e) MUST_CHECK;
/* Bytes that moved; any thread. A http_moved. */
void transfer_queue_moved(void *worker, uint64_t n);
/* An object goes on at another place than where it stopped: ahead, because what lies
 * between is there already, or back, because it was lost on the way. */
void transfer_queue_resumed(struct transfer_worker *w, uint64_t stopped, uint64_t at);

/* transfer-send.c, transfer-fetch.c */
int transfer_send_item(struct transfer_worker *w, const struct transfer_item *item,
    struct err *e) MUST_CHECK;
int transfer_fetch_item(struct transfer_worker *w, const struct transfer_item *item,
    struct err *e) MUST_CHECK;
int transfer_fetch_end(struct transfer_worker *w, bool failed, struct err *e) MUST_CHECK;

#endif
