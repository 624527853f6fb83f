#include <errno.h>
#include <stdatomic.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/workers.h"
#include "crypto/hash.h"
#include "store/fsck-state.h"

#define FSCK_HASH_CHUNK (256 * 1024)
#define FSCK_HASH_SLOTS 16
#define FSCK_HASH_POLL_MS 100

struct fsck_hash_job {
	struct workers_job base; /* first */
	struct fsck_hash *h;
	struct fsck_hash_job *next;
	struct oid id;
	struct source place;
	int rc;
	struct err err;
};

struct fsck_hash {
	struct fsck *f;
	struct workers *workers;
	struct fsck_hash_job jobs[FSCK_HASH_SLOTS];
	struct fsck_hash_job *free;
	atomic_uint_fast64_t bytes; /* hashed and not told yet */
};

static int
fsck_hash_bytes(struct fsck_hash_job *job, struct hash *hash, unsigned char *chunk, struct err *e)
{
	size_t n;

	do {
		if (workers_check(job->h->workers, e) != 0 ||
		    fd_read_upto(job->place.fd, chunk, FSCK_HASH_CHUNK, &n, job->place.path, e) != 0 ||
		    hash_update(hash, chunk, n, e) != 0)
			return -1;
		atomic_fetch_add(&job->h->bytes, n);
	} while (n == FSCK_HASH_CHUNK);
	return 0;
}

static int
fsck_hash_file(struct fsck_hash_job *job, struct err *e)
{
	CLEANUP(hash_freep) struct hash *hash = NULL;
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(FSCK_HASH_CHUNK);
	struct oid found;

	if (chunk == NULL)
		return err_nomem(e);
	if (hash_new(HASH_SHA256, &hash, e) != 0 || fsck_hash_bytes(job, hash, chunk, e) != 0 ||
	    hash_final(hash, found.b, e) != 0)
		return -1;
	return oid_equal(&found, &job->id) ? 0 :
	    err_set(e, ERR_CORRUPT, "%s: its bytes do not have this digest", job->place.path);
}

static void
fsck_hash_work(struct workers_job *base)
{
	struct fsck_hash_job *job = (struct fsck_hash_job *)base;

	job->rc = fsck_hash_file(job, &job->err);
}

static unsigned
fsck_hash_threads(const struct fsck *f)
{
	unsigned n = f->o->threads;

	if (n == 0)
		return workers_processors(FSCK_HASH_SLOTS);
	return n < FSCK_HASH_SLOTS ? n : FSCK_HASH_SLOTS;
}

int
fsck_hash_start(struct fsck *f, struct fsck_hash **ret)
{
	struct fsck_hash *h = calloc(1, sizeof *h);

	if (h == NULL)
		return err_nomem(f->e);
	h->f = f;
	if (workers_start(fsck_hash_threads(f), &h->workers, f->e) != 0) {
		free(h);
		return -1;
	}
	for (size_t i = 0; i < FSCK_HASH_SLOTS; i++) {
		h->jobs[i].h = h;
		h->jobs[i].next = h->free;
		h->jobs[i].base.run = fsck_hash_work;
		h->free = &h->jobs[i];
	}
	*ret = h;
	return 0;
}

bool
fsck_hash_room(const struct fsck_hash *h)
{
	return h->free != NULL;
}

static void
fsck_hash_tell(struct fsck_hash *h)
{
	progress_add(&h->f->progress, atomic_exchange(&h->bytes, 0));
}

/* What cannot be read is a finding; only what concerns the machine stops. */
static int
fsck_hash_done(struct fsck_hash *h, struct fsck_hash_job *job)
{
	int rc = job->rc;

	source_close(&job->place);
	job->next = h->free;
	h->free = job;
	if (rc == 0)
		return 0;
	if (job->err.code == ERR_CORRUPT || job->err.sys == EIO)
		return fsck_state_suspect(h->f, &job->id, job->err.msg);
	*h->f->e = job->err;
	return -1;
}

/* One that is done, if there is one by and by. */
static int
fsck_hash_take(struct fsck_hash *h)
{
	struct workers_job *base = workers_take(h->workers, FSCK_HASH_POLL_MS);

	fsck_hash_tell(h);
	if (interrupt_check(h->f->e) != 0) {
		if (base != NULL) {
			struct fsck_hash_job *job = (struct fsck_hash_job *)base;

			source_close(&job->place);
		}
		return -1;
	}
	return base != NULL ? fsck_hash_done(h, (struct fsck_hash_job *)base) : 0;
}

int
fsck_hash_add(struct fsck_hash *h, const struct oid *id, struct source *p)
{
	struct fsck_hash_job *job;

	while (h->free == NULL)
		if (fsck_hash_take(h) != 0)
			return -1;
	job = h->free;
	h->free = job->next;
	job->id = *id;
	job->place = *p;
	*p = (struct source)SOURCE_INIT;
	workers_submit(h->workers, WORKERS_COMPUTE, &job->base);
	return 0;
}

int
fsck_hash_finish(struct fsck_hash *h)
{
	int rc = 0;

	while (workers_pending(h->workers) > 0 && rc == 0)
		rc = fsck_hash_take(h);
	if (rc != 0)
		workers_cancel(h->workers);
	while (workers_pending(h->workers) > 0) {
		struct fsck_hash_job *job = (struct fsck_hash_job *)workers_take(h->workers, FSCK_HASH_POLL_MS);

		if (job != NULL)
			source_close(&job->place);
	}
	fsck_hash_tell(h);
	workers_stop(h->workers);
	free(h);
	return rc;
}
