#include "store/ingest.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/interrupt.h"
#include "store/config.h"
#include "store/ingest-state.h"
#include "store/ingest-write.h"
#include "store/lease.h"
#include "store/odb-small.h"

#define INGEST_NODES_MAX 300    /* open at a time: each holds a descriptor */
#define INGEST_LISTING_MAX 8    /* directories listed ahead */
#define INGEST_READING_MAX 64   /* large files given to the threads before entries wait */
#define INGEST_POLL_MS 100

void
ingest_name(const struct ingest_node *node, const struct ingest_entry *x, char ret[INGEST_NAME_SIZE])
{
	if (node->item != NULL)
		snprintf(ret, INGEST_NAME_SIZE, "%s", ingest_shown(node->item));
	else
		snprintf(ret, INGEST_NAME_SIZE, "%s/%s", node->path, x->name);
}

void
ingest_was_read(const struct ingest_node *node, const struct ingest_entry *x)
{
	const struct ingest_options *o = node->job.in->o;
	char path[INGEST_NAME_SIZE];

	if (o->told == NULL)
		return;
	ingest_name(node, x, path);
	o->told(o->told_arg, path, &x->id);
}

int
ingest_refuse(const char *path, mode_t mode, struct err *e)
{
	if (S_ISLNK(mode))
		return err_set(e, ERR_DENIED, "%s: is a symbolic link; name what it points to", path);
	return err_set(e, ERR_DENIED, "%s: neither a file nor a directory (a %s)", path,
	    S_ISFIFO(mode) ? "FIFO" : S_ISSOCK(mode) ? "socket" : "device");
}

static void
ingest_job_run(struct workers_job *base)
{
	struct ingest_job *job = (struct ingest_job *)base;

	job->rc = workers_check(job->in->workers, &job->err);
	if (job->rc == 0)
		job->rc = job->work(job, &job->err);
}

void
ingest_job_submit(struct ingest_job *job, enum workers_lane lane)
{
	job->base.run = ingest_job_run;
	workers_submit(job->in->workers, lane, &job->base);
}

static void
ingest_tell(struct ingest *in)
{
	uint64_t n = atomic_exchange(&in->bytes, 0);

	ingest_total_tell(in);
	if (in->o->progress != NULL && n > 0)
		progress_add(in->o->progress, n);
}

void
ingest_count(struct ingest *in, uint64_t n)
{
	atomic_fetch_add(&in->bytes, n);
	if (in->inline_)
		ingest_tell(in);
}

static bool
ingest_may_open(const struct ingest *in)
{
	bool busy = in->listing + in->looking + in->reading > 0 || in->unseen != NULL;

	return !busy || (in->listing < INGEST_LISTING_MAX && in->nodes < INGEST_NODES_MAX);
}

/* 1: a job more is under way, 0: none can be given now. */
static int
ingest_feed_one(struct ingest *in, size_t window, struct err *e)
{
	struct ingest_node *node = in->unseen;

	if (node != NULL && in->looking < window && in->reading < INGEST_READING_MAX) {
		if (ingest_look(node, e) != 0)
			return -1;
		if (node->seen == node->count)
			in->unseen = node->link;
		return 1;
	}
	if (node != NULL || !ingest_may_open(in))
		return 0;
	node = in->ready;
	if (node != NULL) {
		if (node->dirs == 1)
			in->ready = node->link;
		return ingest_node_visit(node, e) != 0 ? -1 : 1;
	}
	if (in->next_item == in->item_count)
		return 0;
	return ingest_node_open_item(in, &in->items[in->next_item++], e) != 0 ? -1 : 1;
}

/* Without threads one job at a time; else as many as keep them busy. */
static int
ingest_feed(struct ingest *in, size_t window, struct err *e)
{
	int rc;

	do
		rc = ingest_feed_one(in, window, e);
	while (rc == 1 && (!in->inline_ || workers_pending(in->workers) == 0));
	return rc < 0 ? -1 : 0;
}

static int
ingest_take(struct ingest *in, struct err *e)
{
	struct ingest_job *job = (struct ingest_job *)workers_take(in->workers, INGEST_POLL_MS);
	int rc = 0;

	ingest_tell(in);
	if (job != NULL && job->rc == 0) {
		rc = job->handle(job, e);
	} else if (job != NULL) {
		*e = job->err;
		job->drop(job);
		rc = -1;
	}
	if (rc == 0)
		rc = interrupt_check(e);
	if (rc == 0 && in->s != NULL)
		rc = odb_small_tick(in->s, e);
	return rc;
}

static int
ingest_drive(struct ingest *in, size_t window, struct err *e)
{
	do
		if (ingest_feed(in, window, e) != 0)
			return -1;
		else if (workers_pending(in->workers) > 0 && ingest_take(in, e) != 0)
			return -1;
	while (workers_pending(in->workers) > 0 || in->unseen != NULL || in->ready != NULL ||
	    in->next_item < in->item_count);
	return 0;
}

/* Everything under way is called back; what it wrote beneath tmp/ goes away. */
static void
ingest_give_up(struct ingest *in)
{
	workers_cancel(in->workers);
	while (workers_pending(in->workers) > 0) {
		struct ingest_job *job = (struct ingest_job *)workers_take(in->workers, INGEST_POLL_MS);

		if (job != NULL)
			job->drop(job);
	}
}

static unsigned
ingest_threads(const struct ingest_options *o)
{
	if (o->threads != 0)
		return o->threads;
	return workers_processors(WORKERS_MAX);
}

static int
ingest_all(struct ingest *in, struct err *e)
{
	unsigned threads = ingest_threads(in->o);
	int rc;

	in->inline_ = threads < 2;
	if (workers_start(threads, &in->workers, e) != 0)
		return -1;
	ingest_total_start(in);
	rc = ingest_drive(in, in->inline_ ? 1 : 2 * (size_t)threads + 2, e);
	if (rc != 0)
		ingest_give_up(in);
	workers_stop(in->workers);
	ingest_total_stop(in);
	ingest_tell(in);
	while (in->all != NULL)
		ingest_node_free(in->all);
	ingest_loose_store(in);
	ingest_loose_free(in);
	odb_present_free(&in->present);
	return rc;
}

int
ingest_items(struct store *s, const struct ingest_options *o, struct ingest_item *items, size_t n,
    struct err *e)
{
	struct ingest in = {.s = o->flags & INGEST_HASH_ONLY ? NULL : s, .o = o, .items = items,
	    .item_count = n,
	    .present = {.s = s, .elsewhere = o->mode == INGEST_AUTO || o->mode == INGEST_REFERENCE}};
	struct err local;

	if (e == NULL)
		e = &local;
	for (size_t i = 0; i < n; i++)
		items[i].done = false;
	if (in.s == NULL)
		return ingest_all(&in, e);
	if (odb_batch_begin(s, e) != 0)
		return -1;
	/* the lease is made here, not by whichever thread is first */
	if (lease_begin(s, e) != 0 || ingest_all(&in, e) != 0) {
		odb_batch_abort(s);
		return -1;
	}
	return odb_batch_end(s, e);
}

int
ingest_path(struct store *s, int dirfd, const char *path, unsigned flags,
    struct progress *progress, struct ingest_result *ret, struct err *e)
{
	const struct ingest_options o = {.flags = flags, .progress = progress};
	struct ingest_item item = {.dirfd = dirfd, .path = path};

	if (ingest_items(s, &o, &item, 1, e) != 0)
		return -1;
	*ret = item.result;
	return 0;
}

/* A number of threads, as a text. */
static int
ingest_configure_threads(const char *text, unsigned *ret, struct err *e)
{
	unsigned n = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9' || n > WORKERS_MAX)
			return err_set(e, ERR_USAGE, "store.threads: %s is no number from 0 to %d", text,
			    WORKERS_MAX);
		n = n * 10 + (unsigned)(*p - '0');
	}
	if (*text == '\0' || n > WORKERS_MAX)
		return err_set(e, ERR_USAGE, "store.threads: \"%s\" is no number from 0 to %d", text,
		    WORKERS_MAX);
	*ret = n;
	return 0;
}

static int
ingest_configure_mode(const char *text, enum ingest_mode *ret, struct err *e)
{
	static const char *const names[] = {
		[INGEST_AUTO] = "auto", [INGEST_COPY] = "copy", [INGEST_REFLINK] = "reflink",
		[INGEST_REFERENCE] = "reference",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], text) == 0) {
			*ret = (enum ingest_mode)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "store.ingest: \"%s\" is none of auto, copy, reflink and reference", text);
}

int
ingest_configure(struct store *s, struct ingest_options *ret, struct err *e)
{
	CLEANUP(cleanup_free) char *threads = NULL;
	CLEANUP(cleanup_free) char *mode = NULL;
	struct config *c;
	int rc = 0;

	if (config_open(s, &c, e) != 0)
		return -1;
	if (config_get(c, "store.threads", &threads, e) == 0)
		rc = ingest_configure_threads(threads, &ret->threads, e);
	else if (e->code != ERR_NOTFOUND)
		rc = -1;
	if (rc == 0 && config_get(c, "store.ingest", &mode, e) == 0)
		rc = ingest_configure_mode(mode, &ret->mode, e);
	else if (rc == 0 && e->code != ERR_NOTFOUND)
		rc = -1;
	config_close(c);
	return rc;
}

int
ingest_materialise(struct store *s, enum object_type type, const struct oid *id, int dirfd,
    const char *name, struct err *e)
{
	const struct object_ref ref = {type, *id};

	return ingest_write(s, &ref, dirfd, name, true, e);
}

int
ingest_checkout(struct store *s, enum object_type type, const struct oid *id, int dirfd,
    const char *name, struct err *e)
{
	const struct object_ref ref = {type, *id};

	return ingest_write(s, &ref, dirfd, name, false, e);
}
