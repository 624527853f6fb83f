#include "remote/sync-aside.h"

#include <string.h>
#include "base/array.h"
#include "codec/jcs.h"
#include "object/certificate.h"
#include "store/odb.h"

#define SYNC_ASIDE_JOBS 8                       /* under way */
#define SYNC_ASIDE_BYTES (1024u * 1024)         /* of a job's certificates, about */
#define SYNC_ASIDE_BATCH 4096
/* A batch is at first small, so that storing begins early, then twice as large each time. */
#define SYNC_ASIDE_FIRST_BYTES (1024u * 1024)
#define SYNC_ASIDE_BATCH_BYTES (16u * 1024 * 1024)
#define SYNC_ASIDE_THREADS 8                    /* at most; more have nothing to do */
#define SYNC_ASIDE_WAIT_MS 100

/* The certificate's text is canonical and says so: the rest is for those who verify it. */
static int
sync_aside_certificate(const struct buf *text, struct err *e)
{
	CLEANUP(jcs_freep) struct jcs *v = NULL;
	const char *type;

	if (jcs_sure(text->data, text->len, CERTIFICATE_BYTES_MAX, "mediaType", CERTIFICATE_MEDIA_TYPE))
		return 0;
	if (jcs_decode(text->data, text->len, CERTIFICATE_BYTES_MAX, &v, e) != 0)
		return -1;
	type = jcs_get_string(v, "mediaType");
	return type != NULL && strcmp(type, CERTIFICATE_MEDIA_TYPE) == 0 ? 0 :
	    err_set(e, ERR_FORMAT, "it is no certificate");
}

int
sync_aside_judge(const struct object_ref *ref, const struct buf *text, struct err *e)
{
	struct oid got;

	if (oid_from_data(&got, text->data, text->len, e) != 0)
		return -1;
	if (!oid_equal(&got, &ref->id))
		return err_set(e, ERR_REFUSED, "the remote sent other bytes; nothing of them is kept");
	return ref->type == OBJECT_CERTIFICATE ? sync_aside_certificate(text, e) : 0;
}

/* --- in threads --- */

static int
sync_aside_link(void *arg, const struct certificate_scan_link *l)
{
	struct sync_aside_item *item = arg;

	if (ARRAY_ROOM(item->links, item->link_count, item->link_cap, NULL) != 0)
		return -1; /* it is decoded, then */
	item->links[item->link_count++] = *l;
	return 0;
}

static void
sync_aside_judge_all(struct workers_job *base)
{
	struct sync_aside_job *job = (struct sync_aside_job *)base;

	for (size_t i = 0; i < job->count; i++) {
		struct sync_aside_item *item = &job->items[i];
		const struct object_ref ref = {OBJECT_CERTIFICATE, item->id};

		item->good = sync_aside_judge(&ref, &item->text, NULL) == 0;
		item->scanned = item->good && certificate_scan_links(item->text.data, item->text.len,
		    sync_aside_link, item) == 0;
	}
}

static void
sync_aside_store(struct workers_job *base)
{
	struct sync_aside_batch *b = (struct sync_aside_batch *)base;

	b->rc = odb_put_all(b->store, b->ids, b->bytes, b->count, &b->why);
}

/* --- in the walk's own --- */

static int
sync_aside_start(struct sync_aside *a, struct err *e)
{
	if (a->workers != NULL)
		return 0;
	return workers_start(workers_processors(SYNC_ASIDE_THREADS), &a->workers, e);
}

static void
sync_aside_begin(struct sync_aside *a)
{
	workers_submit(a->workers, WORKERS_COMPUTE, &a->filling->base);
	a->filling = NULL;
	a->begun = true;
}

int
sync_aside_add(struct sync_aside *a, const struct oid *id, bool needed, struct buf *text, struct err *e)
{
	struct sync_aside_job *job;

	if (sync_aside_start(a, e) != 0)
		return -1;
	if (a->filling == NULL)
		a->filling = calloc(1, sizeof *a->filling);
	job = a->filling;
	if (job == NULL)
		return err_nomem(e);
	job->base.run = sync_aside_judge_all;
	job->items[job->count].id = *id;
	job->items[job->count].needed = needed;
	job->items[job->count++].text = *text;
	job->bytes += text->len;
	*text = (struct buf)BUF_INIT;
	if (job->count == SYNC_ASIDE_ITEMS || job->bytes > SYNC_ASIDE_BYTES)
		sync_aside_begin(a);
	return 0;
}

/* Jobs that are judged, and have not come back. */
static size_t
sync_aside_away(const struct sync_aside *a)
{
	return a->workers != NULL ? workers_pending(a->workers) - a->storing : 0;
}

bool
sync_aside_busy(const struct sync_aside *a)
{
	return a->filling != NULL || a->done != NULL || sync_aside_away(a) > 0;
}

bool
sync_aside_ready(const struct sync_aside *a, bool idle)
{
	return sync_aside_busy(a) && (idle || a->begun || a->done != NULL);
}

/* One that came back, of either kind. */
static void
sync_aside_back(struct sync_aside *a, int timeout_ms)
{
	struct sync_aside_batch *b = &a->batches[1 - a->batch];
	struct workers_job *job = workers_take(a->workers, timeout_ms);

	if (job == NULL)
		return;
	if (job != &b->base) {
		job->next = a->done;
		a->done = job;
		return;
	}
	for (size_t i = 0; i < b->count; i++)
		buf_free(&b->bytes[i]);
	b->count = 0;
	b->size = 0;
	a->storing = false;
}

struct sync_aside_job *
sync_aside_take(struct sync_aside *a, bool idle)
{
	struct workers_job *job;

	if (idle && a->filling != NULL)
		sync_aside_begin(a);
	a->begun = false;
	if (a->done == NULL && sync_aside_away(a) > 0)
		sync_aside_back(a, idle || sync_aside_away(a) >= SYNC_ASIDE_JOBS ? SYNC_ASIDE_WAIT_MS : 0);
	job = a->done;
	if (job != NULL)
		a->done = job->next;
	return (struct sync_aside_job *)job;
}

void
sync_aside_job_free(struct sync_aside_job *job)
{
	if (job == NULL)
		return;
	for (size_t i = 0; i < job->count; i++) {
		buf_free(&job->items[i].text);
		free(job->items[i].links);
	}
	free(job);
}

int
sync_aside_settle(struct sync_aside *a, struct err *e)
{
	struct sync_aside_batch *b = &a->batches[1 - a->batch];
	int rc;

	while (a->storing)
		sync_aside_back(a, SYNC_ASIDE_WAIT_MS);
	rc = b->rc;
	if (rc != 0 && e != NULL)
		*e = b->why;
	a->failed |= rc != 0;
	b->rc = 0;
	return rc;
}

/* What is kept is given to a thread, and the store with it. */
static int
sync_aside_hand_over(struct sync_aside *a, struct err *e)
{
	struct sync_aside_batch *b = &a->batches[a->batch];

	if (sync_aside_settle(a, e) != 0)
		return -1;
	if (b->count == 0)
		return 0;
	if (sync_aside_start(a, e) != 0)
		return -1;
	b->base.run = sync_aside_store;
	b->store = a->store;
	a->batch = 1 - a->batch;
	a->enough = 2 * b->size < SYNC_ASIDE_BATCH_BYTES ? 2 * b->size : SYNC_ASIDE_BATCH_BYTES;
	a->storing = true;
	workers_submit(a->workers, WORKERS_WAIT, &b->base);
	return 0;
}

int
sync_aside_keep(struct sync_aside *a, const struct oid *id, struct buf *text, struct err *e)
{
	struct sync_aside_batch *b = &a->batches[a->batch];

	if (b->bytes == NULL) {
		b->ids = calloc(SYNC_ASIDE_BATCH, sizeof *b->ids);
		b->bytes = calloc(SYNC_ASIDE_BATCH, sizeof *b->bytes);
	}
	if (b->ids == NULL || b->bytes == NULL)
		return err_nomem(e);
	b->size += text->len;
	b->ids[b->count] = *id;
	b->bytes[b->count++] = *text;
	*text = (struct buf)BUF_INIT;
	if (a->enough == 0)
		a->enough = SYNC_ASIDE_FIRST_BYTES;
	return b->count == SYNC_ASIDE_BATCH || b->size > a->enough ?
	    sync_aside_hand_over(a, e) : 0;
}

int
sync_aside_flush(struct sync_aside *a, struct err *e)
{
	return sync_aside_hand_over(a, e) != 0 ? -1 : sync_aside_settle(a, e);
}

void
sync_aside_end(struct sync_aside *a)
{
	while (a->storing)
		sync_aside_back(a, SYNC_ASIDE_WAIT_MS);
	sync_aside_job_free(a->filling);
	a->filling = NULL;
	while (sync_aside_away(a) > 0 || a->done != NULL)
		sync_aside_job_free(sync_aside_take(a, true));
	workers_stop(a->workers);
	a->workers = NULL;
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < a->batches[i].count; k++)
			buf_free(&a->batches[i].bytes[k]);
		free(a->batches[i].bytes);
		free(a->batches[i].ids);
		a->batches[i].count = 0;
	}
}
