#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "crypto/hash.h"
#include "store/ingest-state.h"

#define PASS_CHUNK (256 * 1024)
#define PASS_RING 8                          /* chunks between the two threads */
#define PASS_ALONE_MAX (4 * 1024 * 1024)     /* a second thread does not pay */
#define PASS_WRITE_BACK (8 * 1024 * 1024)    /* the disk is given work early: the last sync is short */

struct pass_out {
	off_t offset, started;
	bool hole;                               /* the last bytes were not written */
};

static bool
pass_zero(const unsigned char *p, size_t n)
{
	return n > 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static int
pass_write(const struct ingest_pass *p, struct pass_out *out, const void *data, size_t n,
    struct err *e)
{
	if (p->to < 0 || n == 0)
		return 0;
	out->hole = p->sparse && pass_zero(data, n);
	if (out->hole) {
		if (lseek(p->to, (off_t)n, SEEK_CUR) < 0)
			return err_sys(e, "%s: a new object: cannot seek", p->what);
	} else if (fd_write_all(p->to, data, n, "a new object", e) != 0) {
		return err_prefix(e, "%s", p->what);
	}
	out->offset += (off_t)n;
	if (out->offset - out->started < PASS_WRITE_BACK)
		return 0;
	/* advice alone: the sync at the end is what counts */
	(void)(sync_file_range(p->to, out->started, out->offset - out->started,
	    SYNC_FILE_RANGE_WRITE) != 0);
	out->started = out->offset;
	return 0;
}

/* A hole at the end is a length alone. */
static int
pass_end(const struct ingest_pass *p, const struct pass_out *out, struct err *e)
{
	if (p->to >= 0 && out->hole && ftruncate(p->to, out->offset) != 0)
		return err_sys(e, "%s: a new object: cannot set its length", p->what);
	return 0;
}

static int
pass_read(const struct ingest_pass *p, unsigned char *data, size_t *ret, struct err *e)
{
	if (workers_check(p->in->workers, e) != 0)
		return -1;
	return fd_read_upto(p->from, data, PASS_CHUNK, ret, p->what, e);
}

static int
pass_alone(struct ingest_pass *p, struct hash *h, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(PASS_CHUNK);
	struct pass_out out = {0};
	size_t n;

	if (chunk == NULL)
		return err_nomem(e);
	do {
		if (pass_read(p, chunk, &n, e) != 0 || hash_update(h, chunk, n, e) != 0 ||
		    pass_write(p, &out, chunk, n, e) != 0)
			return -1;
		p->size += n;
		ingest_count(p->in, n);
	} while (n == PASS_CHUNK);
	return pass_end(p, &out, e);
}

/*
 * Two threads: one reads each chunk, and hashes it while it is in its processor's cache, the
 * other writes it.
 */
struct pass_ring {
	struct ingest_pass *p;
	unsigned char *chunks;
	size_t lengths[PASS_RING];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t read, written;              /* chunks */
	bool ended;                          /* the last chunk was read */
	bool failed;                         /* with err, of the first */
	struct err err;
};

static unsigned char *
pass_slot(const struct pass_ring *r, uint64_t i)
{
	return r->chunks + (size_t)(i % PASS_RING) * PASS_CHUNK;
}

static void
pass_failed(struct pass_ring *r, const struct err *why)
{
	pthread_mutex_lock(&r->lock);
	if (!r->failed)
		r->err = *why;
	r->failed = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* Waits until chunk i has a place; false: something failed. */
static bool
pass_room(struct pass_ring *r, uint64_t i)
{
	bool room;

	pthread_mutex_lock(&r->lock);
	while (!r->failed && i - r->written == PASS_RING)
		pthread_cond_wait(&r->changed, &r->lock);
	room = !r->failed;
	pthread_mutex_unlock(&r->lock);
	return room;
}

static void
pass_give(struct pass_ring *r, size_t n)
{
	pthread_mutex_lock(&r->lock);
	r->lengths[r->read++ % PASS_RING] = n;
	r->ended = n < PASS_CHUNK;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* Waits for chunk i; false: there is none, or something failed. */
static bool
pass_take(struct pass_ring *r, uint64_t i, size_t *ret)
{
	bool there;

	pthread_mutex_lock(&r->lock);
	while (!r->failed && i == r->read && !r->ended)
		pthread_cond_wait(&r->changed, &r->lock);
	there = !r->failed && i < r->read;
	if (there)
		*ret = r->lengths[i % PASS_RING];
	pthread_mutex_unlock(&r->lock);
	return there;
}

static void
pass_written(struct pass_ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->written++;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

static void *
pass_writer(void *arg)
{
	struct pass_ring *r = arg;
	struct pass_out out = {0};
	struct err why;
	size_t n;

	for (uint64_t i = 0; pass_take(r, i, &n); i++) {
		if (pass_write(r->p, &out, pass_slot(r, i), n, &why) != 0 ||
		    (n < PASS_CHUNK && pass_end(r->p, &out, &why) != 0)) {
			pass_failed(r, &why);
			break;
		}
		pass_written(r);
	}
	return NULL;
}

static void
pass_hash(struct pass_ring *r, struct hash *h)
{
	struct ingest_pass *p = r->p;
	size_t n = PASS_CHUNK;
	struct err why;

	for (uint64_t i = 0; n == PASS_CHUNK && pass_room(r, i); i++) {
		int rc = pass_read(p, pass_slot(r, i), &n, &why);

		if (rc == 0) {
			pass_give(r, n);
			rc = hash_update(h, pass_slot(r, i), n, &why);
		}
		if (rc != 0) {
			pass_failed(r, &why);
			return;
		}
		p->size += n;
		ingest_count(p->in, n);
	}
}

static int
pass_two(struct ingest_pass *p, struct hash *h, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *chunks = malloc((size_t)PASS_RING * PASS_CHUNK);
	struct pass_ring r = {.p = p, .chunks = chunks};
	pthread_t writer;
	int rc;

	if (chunks == NULL)
		return err_nomem(e);
	pthread_mutex_init(&r.lock, NULL);
	pthread_cond_init(&r.changed, NULL);
	if (workers_thread(&writer, pass_writer, &r) != 0) {
		rc = pass_alone(p, h, e);
	} else {
		pass_hash(&r, h);
		pthread_join(writer, NULL);
		rc = r.failed ? -1 : 0;
		if (r.failed && e != NULL)
			*e = r.err;
	}
	pthread_cond_destroy(&r.changed);
	pthread_mutex_destroy(&r.lock);
	return rc;
}

int
ingest_pass(struct ingest_pass *p, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	struct stat st;
	int rc;

	if (fstat(p->from, &st) != 0)
		return err_sys(e, "%s: cannot look at it", p->what);
	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	(void)(posix_fadvise(p->from, 0, 0, POSIX_FADV_SEQUENTIAL) != 0);
	p->sparse = st.st_blocks * 512 < st.st_size;
	p->size = 0;
	rc = p->to >= 0 && st.st_size > PASS_ALONE_MAX && workers_idle(p->in->workers) > 0 ?
	    pass_two(p, h, e) : pass_alone(p, h, e);
	return rc != 0 ? -1 : hash_final(h, p->id.b, e);
}
