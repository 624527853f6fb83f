#include "runner/transfer-internal.h"

#include "base/interrupt.h"
#include "crypto/hash.h"

struct transfer_queue {
	const struct transfer_work *work;
	pthread_mutex_t lock;   /* of all that follows */
	size_t next;            /* item */
	bool failed;
	bool key_changed;
	struct err error;       /* of the first that failed */
	struct progress progress;
};

static void
transfer_queue_fail(struct transfer_queue *q, const struct link *l, const struct err *e)
{
	pthread_mutex_lock(&q->lock);
	if (!q->failed) {
		q->failed = true;
		q->error = *e;
		q->key_changed = l->key_changed;
	}
	pthread_mutex_unlock(&q->lock);
}

static const struct transfer_item *
transfer_queue_take(struct transfer_queue *q)
{
	const struct transfer_item *item = NULL;

	pthread_mutex_lock(&q->lock);
	if (!q->failed && q->next < q->work->list->count)
		item = &q->work->list->items[q->next++];
	pthread_mutex_unlock(&q->lock);
	return item;
}

/* A thread's own reason to stop: another one failed. */
static int
transfer_queue_stopped(void *arg, struct err *e)
{
	struct transfer_queue *q = arg;
	bool failed;

	pthread_mutex_lock(&q->lock);
	failed = q->failed;
	pthread_mutex_unlock(&q->lock);
	return failed ? err_set(e, ERR_CANCELLED, "another transfer failed") : 0;
}

static void
transfer_queue_notice(void *arg, const char *message)
{
	struct transfer_queue *q = arg;

	pthread_mutex_lock(&q->lock);
	if (q->progress.drawn)
		fputs("\r\033[K", q->progress.out);
	notice_say(&q->work->link->notice, "%s", message);
	pthread_mutex_unlock(&q->lock);
}

void
transfer_queue_moved(void *worker, uint64_t n)
{
	struct transfer_queue *q = ((struct transfer_worker *)worker)->queue;

	pthread_mutex_lock(&q->lock);
	progress_add(&q->progress, n);
	pthread_mutex_unlock(&q->lock);
}

void
transfer_queue_resumed(struct transfer_worker *w, uint64_t stopped, uint64_t at)
{
	struct progress *p = &w->queue->progress;
	uint64_t ahead = at > stopped ? at - stopped : 0, back = at < stopped ? stopped - at : 0;

	pthread_mutex_lock(&w->queue->lock);
	p->total -= p->total < ahead ? p->total : ahead;
	p->done -= p->done < back ? p->done : back;
	pthread_mutex_unlock(&w->queue->lock);
}

static int
transfer_queue_items(struct transfer_worker *w, struct err *e)
{
	const struct transfer_item *item;

	while ((item = transfer_queue_take(w->queue)) != NULL) {
		if ((w->link.deaf ? 0 : interrupt_check(e)) != 0 ||
		    w->queue->work->item(w, item, e) != 0)
			return -1;
	}
	return 0;
}

/* All that one worker does; it has its connection and its store. */
static void
transfer_queue_worker(struct transfer_worker *w)
{
	struct transfer_queue *q = w->queue;
	struct err e = {0}, end = {0};
	int rc = transfer_queue_items(w, &e);

	if (q->work->end != NULL && q->work->end(w, rc != 0, &end) != 0 && rc == 0) {
		rc = -1;
		e = end;
	}
	if (rc != 0)
		transfer_queue_fail(q, &w->link, &e);
}

static void
transfer_queue_prepare(struct transfer_queue *q, struct transfer_worker *w)
{
	*w = (struct transfer_worker){.queue = q, .link = *q->work->link, .store = q->work->store,
	    .arg = q->work->arg};
	w->link.notice = (struct notice){transfer_queue_notice, q};
	w->link.key_changed = false;
}

static void *
transfer_queue_thread(void *arg)
{
	struct transfer_queue *q = arg;
	CLEANUP(store_closep) struct store *own = NULL;
	CLEANUP(http_freep) struct http *http = NULL;
	struct transfer_worker w;
	struct err e = {0};

	transfer_queue_prepare(q, &w);
	interrupt_watch(transfer_queue_stopped, q);
	if (store_open(store_path(q->work->store), 0, &own, &e) != 0 ||
	    http_clone(q->work->link->http, &http, &e) != 0) {
		transfer_queue_fail(q, &w.link, &e);
	} else {
		w.store = own;
		w.link.http = http;
		transfer_queue_worker(&w);
	}
	interrupt_watch(NULL, NULL);
	http_freep(&http);
	http = NULL;
	store_closep(&own);
	own = NULL;
	hash_thread_end();
	return NULL;
}

/* One worker is this thread itself, with the caller's store and connection. */
static void
transfer_queue_here(struct transfer_queue *q)
{
	struct transfer_worker w;

	transfer_queue_prepare(q, &w);
	interrupt_watch(transfer_queue_stopped, q);
	transfer_queue_worker(&w);
	interrupt_watch(NULL, NULL);
}

static uint64_t
transfer_queue_total(const struct transfer_list *l)
{
	uint64_t total = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->items[i].exact)
			total += l->items[i].size;
	return total;
}

int
transfer_queue_run(const struct transfer_work *w, struct err *e)
{
	struct transfer_queue q = {.work = w, .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t threads[TRANSFER_THREADS - 1];
	size_t started = 0;

	progress_start(&q.progress, w->link->progress, w->label, transfer_queue_total(w->list));
	while (started < TRANSFER_THREADS - 1 && started + 1 < w->list->count &&
	    pthread_create(&threads[started], NULL, transfer_queue_thread, &q) == 0)
		started++;
	transfer_queue_here(&q);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	progress_end(&q.progress);
	pthread_mutex_destroy(&q.lock);
	if (!q.failed)
		return 0;
	w->link->key_changed = q.key_changed;
	if (e != NULL)
		*e = q.error;
	return -1;
}
