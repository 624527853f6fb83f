#include "serve/worker.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include "crypto/hash.h"
#include "run/run-dir.h"
#include "run/run.h"
#include "serve/run-outcome.h"
#include "serve/run-request.h"
#include "serve/shares.h"
#include "tpm/tpm.h"

#define WORKER_QUOTES 2         /* of identity at once: anybody may ask, and a run needs the TPM too */
#define WORKER_QUOTE_WAIT_S 20
#define WORKER_TPM_SLICE_MS 300 /* between looks at whether to stop */

struct worker {
	pthread_t thread;
	struct worker_options o;
	int ready_fd;
	struct tpm *tpm;            /* these four are set before ready */
	struct buf ak_public;
	struct run_platform platform;
	struct store *store;        /* the worker's thread's */

	pthread_mutex_t lock;       /* around what follows */
	pthread_cond_t quoted;
	struct shares *waiting;     /* for a quote, by address */
	unsigned quotes;            /* being made */
	bool ready;
	struct err ready_error;
};

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
		if (run_table_stopping(w->o.table))
			return err_set(e, ERR_CANCELLED, "stopped while waiting for the TPM");
		o.on_wait = NULL; /* said once */
	}
	if (ak_load(w->tpm, &w->ak_public, e) != 0)
		return -1;
	return platform_read(w->tpm, &w->o.platform, &w->platform, e);
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

/* What is lost when the ledger cannot be written is what the next daemon would say. */
static void
worker_keep(struct worker *w, struct run_state *run)
{
	struct err e;

	if (run_table_keep(w->o.table, run, &e) != 0 && w->o.on_wait != NULL)
		w->o.on_wait(w->o.arg, e.msg);
}

struct worker_job {
	struct worker *w;
	struct run_state *run;
	char state[16];
};

static void
worker_on_state(void *arg, const char *phase)
{
	struct worker_job *j = arg;
	struct run_state_view v;

	run_state_set(j->run, phase);
	run_state_view(j->run, &v);
	if (strcmp(v.state, j->state) == 0)
		return;
	snprintf(j->state, sizeof j->state, "%s", v.state);
	worker_keep(j->w, j->run);
}

static void
worker_on_log(void *arg, const void *data, size_t len)
{
	const struct worker_job *j = arg;

	run_state_log(j->run, data, len);
}

static int
worker_execute(struct worker *w, struct worker_job *j, const struct buf *request,
    struct buf *ret_certificate, struct err *e)
{
	CLEANUP(run_spec_free) struct run_spec spec = {0};
	struct run_request rq = {
		.store = w->store, .tpm = w->tpm, .spec = &spec, .daemon_version = AICERT_VERSION,
		.platform = &w->platform, .host = w->o.host, .cancel_fd = run_state_cancel_fd(j->run),
		.observer = {.state = worker_on_state, .log = worker_on_log, .arg = j},
	};

	if (run_request_decode(request->data, request->len, rq.nonce, &spec, e) != 0)
		return -1;
	return run_execute(&rq, ret_certificate, e);
}

static void
worker_run(struct worker *w, struct run_state *run, const struct buf *request)
{
	struct worker_job j = {.w = w, .run = run};
	CLEANUP(buf_free) struct buf certificate = BUF_INIT;
	struct run_outcome_options o = {
		.store = w->store, .ledger = w->o.ledger, .owner = run_state_owner(run),
	};
	struct ledger_run row = {.created = 0};
	const char *state;
	struct err e;
	int rc;

	rc = worker_execute(w, &j, request, &certificate, &e);
	if (rc == 0)
		rc = run_outcome_keep(&o, &certificate, &e);
	o.stopping = run_table_stopping(w->o.table);
	state = run_outcome_state(&o, rc == 0 ? &certificate : NULL, &e);
	run_table_release(w->o.table); /* before it is over for its client, who may send the next */
	run_state_finish(run, state, rc == 0 ? &certificate : NULL, &e);
	worker_keep(w, run);
	run_state_to_row(run, &row);
	if (w->o.on_run != NULL)
		w->o.on_run(w->o.arg, &row);
}

static void
worker_serve(struct worker *w)
{
	CLEANUP(buf_free) struct buf request = BUF_INIT;
	struct run_state *run;
	struct err e;

	if (store_open(w->o.store, 0, &w->store, &e) != 0 || worker_open_tpm(w, &e) != 0) {
		worker_set_ready(w, &e);
		return;
	}
	worker_set_ready(w, NULL);
	run_dir_sweep(w->store);
	while ((run = run_table_next(w->o.table, &request)) != NULL) {
		worker_run(w, run, &request);
		run_state_unref(run);
	}
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
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->quoted, NULL);
	w->ready_fd = -1;
	if (shares_new(UINT64_MAX, &w->waiting, e) != 0) {
		worker_free(w);
		return -1;
	}
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

	run_table_stop(w->o.table);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WORKER_STOP_S;
	return pthread_timedjoin_np(w->thread, NULL, &deadline) == 0;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	tpm_close(w->tpm);
	store_close(w->store);
	platform_free(&w->platform);
	buf_free(&w->ak_public);
	if (w->ready_fd >= 0)
		close(w->ready_fd);
	shares_free(w->waiting);
	pthread_cond_destroy(&w->quoted);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

const struct run_platform *
worker_platform(const struct worker *w)
{
	return &w->platform;
}

const struct buf *
worker_ak_public(const struct worker *w)
{
	return &w->ak_public;
}

enum event_tpm
worker_tpm_kind(const struct worker *w)
{
	return tpm_kind(w->tpm);
}

/* Under the lock. */
static int
worker_wait_turn(struct worker *w, struct err *e)
{
	struct timespec deadline;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += WORKER_QUOTE_WAIT_S;
	while (w->quotes == WORKER_QUOTES && rc == 0)
		rc = pthread_cond_timedwait(&w->quoted, &w->lock, &deadline);
	return w->quotes < WORKER_QUOTES ? 0 :
	    err_set(e, ERR_BUSY, "the TPM is busy with other requests");
}

int
worker_turn_begin(struct worker *w, const char *waiter, struct err *e)
{
	bool waits;
	int rc = 0;

	pthread_mutex_lock(&w->lock);
	waits = w->quotes == WORKER_QUOTES && waiter != NULL;
	if (waits && !shares_take(w->waiting, waiter, 1, 1)) {
		rc = err_set(e, ERR_BUSY, "the TPM is busy, and a request of this address waits already");
		waits = false;
	}
	if (rc == 0)
		rc = worker_wait_turn(w, e);
	if (rc == 0)
		w->quotes++;
	if (waits)
		shares_give(w->waiting, waiter, 1);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

unsigned
worker_waiting(struct worker *w, const char *waiter)
{
	return (unsigned)shares_has(w->waiting, waiter);
}

void
worker_turn_end(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->quotes--;
	pthread_cond_signal(&w->quoted);
	pthread_mutex_unlock(&w->lock);
}

int
worker_quote(struct worker *w, const char *waiter, const unsigned char extra[32],
    struct certificate_quote *ret, struct err *e)
{
	int rc;

	if (worker_turn_begin(w, waiter, e) != 0)
		return -1;
	rc = quote_make(w->tpm, extra, ret, e);
	worker_turn_end(w);
	return rc;
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

	if (pcr_read_all(w->tpm, &pcrs, e) != 0)
		return -1;
	for (unsigned pcr = 14; pcr <= 15; pcr++)
		if (!worker_zero(pcrs.sha256[pcr], 32) || !worker_zero(pcrs.sha384[pcr], 48))
			return err_set(e, ERR_CONFLICT, "PCR %u of this boot is used: one run a boot;"
			    " restart the machine", pcr);
	return 0;
}

int
worker_submit(struct worker *w, struct store *s, struct run_table_request *rq,
    struct run_state **ret, struct err *e)
{
	rq->single = !tpm_resettable(w->tpm);
	if (rq->single && worker_check_unused(w, e) != 0)
		return -1;
	return run_table_submit(w->o.table, s, rq, ret, e);
}
