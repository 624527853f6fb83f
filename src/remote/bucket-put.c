/* Small objects into packs, and packs out, in threads where objects are offered. */
#include <time.h>
#include "base/interrupt.h"
#include "remote/bucket-internal.h"
#include "store/odb.h"

#define BUCKET_FLUSH_COUNT 50000u
#define BUCKET_THREADS 4                    /* that make packs of what was offered ... */
#define BUCKET_AWAY 4                       /* ... so many packs at a time */
#define BUCKET_WAIT_MS 100
#define BUCKET_PUBLISH_S 5

void
bucket_put_end(struct bucket_view *v)
{
	while (v->workers != NULL && workers_pending(v->workers) > 0)
		pack_make_free((struct pack_make *)workers_take(v->workers, BUCKET_WAIT_MS));
	workers_stop(v->workers);
	while (v->made != NULL) {
		struct workers_job *job = v->made;

		v->made = job->next;
		pack_make_free((struct pack_make *)job);
	}
	pack_make_free(v->pending);
}

/* A pack under its name; no manifest has it yet. */
static int
bucket_write_pack(struct bucket *b, const struct pack_make *m, struct err *e)
{
	char key[BUCKET_KEY_MAX];

	bucket_key(&m->id, "", key);
	if (b->ops->write(b->self, key, m->packed.data, m->packed.len, NULL, e) != 0)
		return err_prefix(e, "%s", key);
	bucket_key(&m->id, ".idx", key);
	return b->ops->write(b->self, key, m->head.data, m->head.len, NULL, e) == 0 ? 0 :
	    err_prefix(e, "%s", key);
}

static void
bucket_write_run(struct workers_job *base)
{
	struct pack_make *m = (struct pack_make *)base;

	if (m->rc == 0)
		m->rc = bucket_write_pack(m->arg, m, &m->why);
}

/* One that was written. */
static int
bucket_written(struct bucket_view *v, const struct pack_make *m, struct err *e)
{
	const struct bucket_manifest_pack p = {.id = m->id, .head_len = m->head.len, .total = m->total};

	if (m->rc == 0)
		return bucket_manifest_add_pack(m->held ? &v->held : &v->fresh, &p, e);
	if (e != NULL)
		*e = m->why;
	return -1;
}

/* The transport belongs to the thread that writes, as long as it does. */
static void
bucket_write_next(struct bucket_view *v)
{
	struct workers_job *job = v->made;

	if (v->writing || job == NULL)
		return;
	v->made = job->next;
	v->made_count--;
	v->writing = true;
	job->run = bucket_write_run;
	workers_submit(v->workers, WORKERS_WAIT, job);
}

/* Something that was done: made, or written. */
static int
bucket_take(struct bucket_view *v, int timeout_ms, struct err *e)
{
	struct workers_job *job = workers_take(v->workers, timeout_ms);
	int rc = 0;

	if (job != NULL && job->run == bucket_write_run) {
		v->writing = false;
		rc = bucket_written(v, (struct pack_make *)job, e);
		pack_make_free((struct pack_make *)job);
	} else if (job != NULL) {
		job->next = v->made;
		v->made = job;
		v->made_count++;
	}
	bucket_write_next(v);
	return rc;
}

static size_t
bucket_away(const struct bucket_view *v)
{
	return workers_pending(v->workers) + v->made_count;
}

/* Waits until no more than `away` are being made and written. */
int
bucket_put_collect(struct bucket *b, size_t away, struct err *e)
{
	struct bucket_view *v = b->view;

	if (v->workers == NULL)
		return 0;
	do {
		if (interrupt_check(e) != 0 ||
		    bucket_take(v, bucket_away(v) > away ? BUCKET_WAIT_MS : 0, e) != 0)
			return -1;
	} while (bucket_away(v) > away);
	return 0;
}

/* What is pending becomes a pack. */
int
bucket_put_pack(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;
	struct pack_make *next;

	if (v->pending->count == 0)
		return 0;
	if (pack_make_new(&next, e) != 0)
		return -1;
	v->pending->held = v->offering;
	v->pending->arg = b;
	if (v->workers != NULL) {
		workers_submit(v->workers, WORKERS_COMPUTE, &v->pending->base);
		v->pending = next;
		return bucket_put_collect(b, BUCKET_AWAY, e);
	}
	v->pending->base.run(&v->pending->base);
	bucket_write_run(&v->pending->base);
	if (bucket_written(v, v->pending, e) != 0) {
		pack_make_free(next);
		return -1;
	}
	pack_make_free(v->pending);
	v->pending = next;
	return 0;
}

static size_t
bucket_piece(const struct bucket *b)
{
	return b->ops->piece != 0 ? b->ops->piece : BUCKET_FLUSH;
}

/* There is no room for so many bytes more. */
static bool
bucket_is_full(const struct bucket *b, uint64_t more)
{
	const struct bucket_view *v = b->view;

	return v->pending->count > 0 && (v->pending->bytes.len + more > bucket_piece(b) ||
	    v->pending->count >= BUCKET_FLUSH_COUNT);
}

static int64_t
bucket_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec;
}

/* Now and then also what no ref needs yet: a push that is killed has not to send it again. */
static int
bucket_flush(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;
	int64_t now = bucket_now_s();

	if (bucket_put_pack(b, e) != 0)
		return -1;
	if (v->published_s == 0)
		v->published_s = now;
	if (now - v->published_s < BUCKET_PUBLISH_S)
		return 0;
	v->published_s = now;
	return bucket_update_publish(b, NULL, 0, e);
}

/* Ours may be damaged: then it is not sent, and the rest is. */
static int
bucket_put_small(struct bucket *b, struct remote_item *item, struct err *e)
{
	struct bucket_view *v = b->view;
	size_t before = v->pending->bytes.len;
	char hex[OID_HEX_SIZE];

	if (bucket_is_full(b, item->size)) {
		if (odb_reading(b->remote->store, false, e) != 0 || bucket_flush(b, e) != 0)
			return -1;
		before = 0;
	}
	if (odb_reading(b->remote->store, true, e) != 0)
		return -1;
	if (odb_read(b->remote->store, &item->ref.id, PACK_OBJECT_MAX, &v->pending->bytes, e) == 0) {
		item->state = REMOTE_HAS;
		return pack_make_add(v->pending, &item->ref.id, before, e);
	}
	v->pending->bytes.len = before;
	if (e->code != ERR_CORRUPT && e->code != ERR_NOTFOUND && e->code != ERR_LIMIT)
		return -1;
	oid_hex(&item->ref.id, hex);
	notice_say(&b->remote->notice, "object %s is not sent: %s", hex, e->msg);
	item->state = REMOTE_FAILED;
	return 0;
}

/* One offers faster than one packs. */
static int
bucket_hire(struct bucket *b, struct err *e)
{
	return workers_start(workers_processors(BUCKET_THREADS), &b->view->workers, e);
}

int
bucket_offer(struct remote *r, struct remote_item *item, const void *data, struct err *e)
{
	struct bucket *b = bucket_of(r);
	struct bucket_view *v;
	size_t ignored, before;
	bool there, fresh;

	if (bucket_find(b, &item->ref.id, &there, &ignored, e) != 0)
		return -1;
	v = b->view;
	if (there || item->size > PACK_OBJECT_MAX)
		return 0;
	if (oid_map_add(&v->offered, &item->ref.id, 0, &fresh, e) != 0)
		return -1;
	item->state = REMOTE_HAS;
	if (!fresh)
		return 0;
	if (!v->offering && bucket_hire(b, e) != 0)
		return -1;
	v->offering = true;
	if (bucket_is_full(b, item->size) && bucket_put_pack(b, e) != 0)
		return -1;
	before = v->pending->bytes.len;
	buf_add(&v->pending->bytes, data, (size_t)item->size);
	return buf_check(&v->pending->bytes, e) != 0 ? -1 : pack_make_add(v->pending, &item->ref.id, before, e);
}

/* What is pending of the offered is not mixed with what may be published before it. */
int
bucket_put_offered(struct bucket *b, struct err *e)
{
	struct bucket_view *v = b->view;

	if (!v->offering)
		return 0;
	if (bucket_put_pack(b, e) != 0 || bucket_put_collect(b, 0, e) != 0)
		return -1;
	workers_stop(v->workers);
	v->workers = NULL;
	v->offering = false;
	return 0;
}

int
bucket_put(struct remote *r, struct remote_item *items, size_t n, struct err *e)
{
	struct bucket *b = bucket_of(r);
	struct progress p;
	int rc = bucket_open_view(b, e) != 0 ? -1 : bucket_put_offered(b, e);

	progress_start(&p, r->progress, "sending", 0);
	for (size_t i = 0; i < n && rc == 0; i++)
		p.total += bucket_is_large(&items[i]) ? 0 : items[i].size;
	for (size_t i = 0; i < n && rc == 0; i++) {
		items[i].state = REMOTE_ASKED;
		if (bucket_is_large(&items[i]))
			continue;
		rc = interrupt_check(e) != 0 ? -1 : bucket_put_small(b, &items[i], e);
		progress_add(&p, items[i].size);
	}
	progress_end(&p);
	if (rc != 0 || odb_reading(r->store, false, e) != 0)
		return -1;
	if (b->ops->put != NULL)
		return bucket_large(b, b->ops->put, items, n, e);
	bucket_unfit(items, n);
	return 0;
}
