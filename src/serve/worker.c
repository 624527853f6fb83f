#include "serve/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include "crypto/hash.h"
#include "run/run.h"
#include "run/run-dir.h"
#include "tpm/tpm.h"

#define WORKER_TPM_SLICE_MS 300 /* between looks at whether to stop */
#define WORKER_TPM_WAIT_S 5     /* for another quote */

struct worker {
	pthread_t thread;
	struct worker_options o;
	int ready_fd;

	pthread_mutex_t tpm_lock;   /* around every use of tpm; held through a run */
	struct tpm *tpm;
	struct buf ak_public;

	pthread_mutex_t lock;       /* around what follows; taken after tpm_lock */
	pthread_cond_t changed;
	bool stopping;
	bool ready;
	struct err ready_error;
	struct run_state *active;   /* queued or running; also in runs */
	struct run_spec spec;       /* of active */
	unsigned char nonce[32];
	struct run_state *runs[WORKER_RUNS_KEPT];
	size_t next;
};

static bool
worker_stopping(struct worker *w)
{
	bool stopping;

	pthread_mutex_lock(&w->lock);
	stopping = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return stopping;
}

/* Waits as long as another holds the TPM's state, in slices, so that it can be stopped. */
static int
worker_open_tpm(struct worker *w, struct err *e)
{
	struct tpm_open_options o = {
		.spec = w->o.tpm, .wait_ms = WORKER_TPM_SLICE_MS, .on_wait = w->o.on_wait, .arg = w->o.arg,
	};

	while (tpm_open(&o, &w->tpm, e) != 0) {
		if (e->code != ERR_BUSY)
			return -1;
		if (worker_stopping(w))
			return err_set(e, ERR_CANCELLED, "stopped while waiting for the TPM");
		o.on_wait = NULL; /* said once */
	}
	return ak_load(w->tpm, &w->ak_public, e);
}

static void
worker_set_ready(struct worker *w, const struct err *error)
{
	uint64_t one = 1;
	ssize_t n UNUSED;

	pthread_mutex_lock(&w->lock);
	w->ready = error == NULL;
	if (error != NULL)
		w->ready_error = *error;
	pthread_mutex_unlock(&w->lock);
	n = write(w->ready_fd, &one, sizeof one);
}

static void
worker_on_state(void *arg, const char *state)
{
	run_state_set(arg, state);
}

static void
worker_on_log(void *arg, const void *data, size_t len)
{
	run_state_log(arg, data, len);
}

static void
worker_run(struct worker *w, struct store *s, struct run_state *run)
{
	struct run_request rq = {
		.store = s, .tpm = w->tpm, .spec = &w->spec, .daemon_version = AICERT_VERSION,
		.cancel_fd = run_state_cancel_fd(run),
		.observer = {.state = worker_on_state, .log = worker_on_log, .arg = run},
	};
	CLEANUP(buf_free) struct buf certificate = BUF_INIT;
	struct err e;
	int rc;

	memcpy(rq.nonce, w->nonce, sizeof rq.nonce);
	pthread_mutex_lock(&w->tpm_lock);
	rc = run_execute(&rq, &certificate, &e);
	pthread_mutex_unlock(&w->tpm_lock);
	pthread_mutex_lock(&w->lock);
	w->active = NULL; /* before it is over for its client, who may send the next */
	run_spec_free(&w->spec);
	w->spec = (struct run_spec){0};
	pthread_mutex_unlock(&w->lock);
	run_state_finish(run, rc == 0 ? &certificate : NULL, &e);
	run_state_unref(run);
}

/* The next run, referenced, or NULL when it is time to stop. */
static struct run_state *
worker_next(struct worker *w)
{
	struct run_state *run = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->stopping && w->active == NULL)
		pthread_cond_wait(&w->changed, &w->lock);
	if (w->active != NULL)
		run = run_state_ref(w->active);
	pthread_mutex_unlock(&w->lock);
	return run;
}

static void
worker_serve(struct worker *w)
{
	CLEANUP(store_closep) struct store *s = NULL;
	struct run_state *run;
	struct err e;

	if (store_open(w->o.store, 0, &s, &e) != 0 || worker_open_tpm(w, &e) != 0) {
		worker_set_ready(w, &e);
		return;
	}
	worker_set_ready(w, NULL);
	run_dir_sweep(s);
	while ((run = worker_next(w)) != NULL)
		worker_run(w, s, run);
}

static void *
worker_main(void *arg)
{
	worker_serve(arg);
	hash_thread_end();
	return NULL;
}

int
worker_start(const struct worker_options *o, struct worker **ret, struct err *e)
{
	struct worker *w = calloc(1, sizeof *w);

	if (w == NULL)
		return err_nomem(e);
	w->o = *o;
	pthread_mutex_init(&w->tpm_lock, NULL);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->ready_fd < 0) {
		err_sys(e, "cannot make an event");
		worker_free(w);
		return -1;
	}
	errno = pthread_create(&w->thread, NULL, worker_main, w);
	if (errno != 0) {
		err_sys(e, "cannot start a thread");
		worker_free(w);
		return -1;
	}
	*ret = w;
	return 0;
}

int
worker_ready_fd(const struct worker *w)
{
	return w->ready_fd;
}

int
worker_ready(struct worker *w, struct err *e)
{
	bool ready;

	pthread_mutex_lock(&w->lock);
	ready = w->ready;
	if (!ready)
		*e = w->ready_error;
	pthread_mutex_unlock(&w->lock);
	return ready ? 0 : -1;
}

bool
worker_stop(struct worker *w)
{
	struct timespec deadline;

	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	if (w->active != NULL)
		run_state_cancel(w->active);
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WORKER_STOP_S;
	return pthread_timedjoin_np(w->thread, NULL, &deadline) == 0;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < WORKER_RUNS_KEPT; i++)
		run_state_unref(w->runs[i]);
	tpm_close(w->tpm);
	buf_free(&w->ak_public);
	if (w->ready_fd >= 0)
		close(w->ready_fd);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	pthread_mutex_destroy(&w->tpm_lock);
	free(w);
}

static int
worker_busy(struct err *e)
{
	return err_set(e, ERR_BUSY, "a run is in progress on this runner; try again when it is over");
}

/* Another quote is waited for, a run is not. */
static int
worker_lock_tpm(struct worker *w, struct err *e)
{
	struct timespec deadline;
	bool active;

	pthread_mutex_lock(&w->lock);
	active = w->active != NULL;
	pthread_mutex_unlock(&w->lock);
	if (active)
		return worker_busy(e);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WORKER_TPM_WAIT_S;
	return pthread_mutex_timedlock(&w->tpm_lock, &deadline) == 0 ? 0 : worker_busy(e);
}

int
worker_quote(struct worker *w, const unsigned char extra[32], struct certificate_quote *ret,
    struct buf *ret_public, enum event_tpm *ret_kind, struct err *e)
{
	int rc;

	if (worker_lock_tpm(w, e) != 0)
		return -1;
	rc = quote_make(w->tpm, extra, ret, e);
	*ret_kind = tpm_kind(w->tpm);
	pthread_mutex_unlock(&w->tpm_lock);
	if (rc != 0)
		return -1;
	buf_add(ret_public, w->ak_public.data, w->ak_public.len);
	return buf_check(ret_public, e);
}

static bool
worker_zero(const unsigned char *data, size_t len)
{
	unsigned char any = 0;

	for (size_t i = 0; i < len; i++)
		any |= data[i];
	return any == 0;
}

/* One run a boot, unless the TPM can be power-cycled. */
static int
worker_check_unused(struct worker *w, struct err *e)
{
	struct certificate_pcrs pcrs = {0};
	int rc;

	if (tpm_resettable(w->tpm))
		return 0;
	if (worker_lock_tpm(w, e) != 0)
		return -1;
	rc = pcr_read_all(w->tpm, &pcrs, e);
	pthread_mutex_unlock(&w->tpm_lock);
	if (rc != 0)
		return -1;
	for (unsigned pcr = 14; pcr <= 15; pcr++)
		if (!worker_zero(pcrs.sha256[pcr], 32) || !worker_zero(pcrs.sha384[pcr], 48))
			return err_set(e, ERR_CONFLICT, "PCR %u of this boot is used: one run a boot;"
			    " restart the machine", pcr);
	return 0;
}

static int
worker_log_file(struct store *s, int *ret, struct err *e)
{
	int fd = openat(store_tmp_fd(s), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) /* not every file system has nameless files */
		fd = memfd_create("aicert-log", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot make a file for the log");
	*ret = fd;
	return 0;
}

/* Makes the slot of the oldest run free; the active one is never the oldest of many. */
static void
worker_keep(struct worker *w, struct run_state *run)
{
	run_state_unref(w->runs[w->next]);
	w->runs[w->next] = run_state_ref(run);
	w->next = (w->next + 1) % WORKER_RUNS_KEPT;
}

int
worker_submit(struct worker *w, struct store *s, struct run_spec *spec,
    const unsigned char nonce[32], struct run_state **ret, struct err *e)
{
	CLEANUP(run_state_unrefp) struct run_state *run = NULL;
	bool busy;
	int fd = -1;

	pthread_mutex_lock(&w->lock);
	busy = w->active != NULL;
	pthread_mutex_unlock(&w->lock);
	if (busy)
		return worker_busy(e);
	if (worker_check_unused(w, e) != 0 || worker_log_file(s, &fd, e) != 0 ||
	    run_state_new(fd, &run, e) != 0)
		return -1;
	pthread_mutex_lock(&w->lock);
	busy = w->active != NULL || w->stopping;
	if (!busy) {
		w->spec = *spec;
		*spec = (struct run_spec){0};
		memcpy(w->nonce, nonce, sizeof w->nonce);
		worker_keep(w, run);
		w->active = run;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	if (busy)
		return worker_busy(e);
	*ret = run_state_ref(run);
	return 0;
}

int
worker_find(struct worker *w, const char *id, struct run_state **ret, struct err *e)
{
	struct run_state *found = NULL;

	pthread_mutex_lock(&w->lock);
	for (size_t i = 0; i < WORKER_RUNS_KEPT && found == NULL; i++)
		if (w->runs[i] != NULL && strcmp(run_state_id(w->runs[i]), id) == 0)
			found = run_state_ref(w->runs[i]);
	pthread_mutex_unlock(&w->lock);
	if (found == NULL)
		return err_set(e, ERR_NOTFOUND, "run %s: not known here", id);
	*ret = found;
	return 0;
}
