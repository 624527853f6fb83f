#include "serve/run-state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include "serve/live-log.h"

struct run_state {
	char id[RUN_STATE_ID_SIZE];
	char owner[64];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned references;
	int cancel_fd;
	int log_fd;             /* -1: over, read by its path */
	char *log_path;
	struct live_log log;
	struct run_state_view view;
	struct buf certificate;
};

static void
run_state_init_lock(struct run_state *r)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
}

int
run_state_new(const struct run_state_options *o, struct run_state **ret, struct err *e)
{
	struct run_state *r = calloc(1, sizeof *r);

	if (r == NULL) {
		cleanup_close(&o->log_fd);
		return err_nomem(e);
	}
	run_state_init_lock(r);
	r->references = 1;
	r->log_fd = o->log_fd;
	r->log = (struct live_log){.fd = o->log_fd, .half = LIVE_LOG_HALF};
	snprintf(r->id, sizeof r->id, "%s", o->id);
	snprintf(r->owner, sizeof r->owner, "%s", o->owner);
	snprintf(r->view.state, sizeof r->view.state, RUN_STATE_QUEUED);
	r->view.created = o->created != 0 ? o->created : time(NULL);
	r->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->cancel_fd < 0)
		err_sys(e, "cannot make an event");
	else if (o->log_path != NULL && (r->log_path = strdup(o->log_path)) == NULL)
		err_nomem(e);
	else {
		*ret = r;
		return 0;
	}
	run_state_unref(r);
	return -1;
}

int
run_state_from_row(const struct ledger_run *row, const char *log_path, struct run_state **ret,
    struct err *e)
{
	const struct run_state_options o = {
		.id = row->id, .owner = row->owner, .log_fd = -1, .log_path = log_path,
	};
	struct run_state *r;

	if (run_state_new(&o, &r, e) != 0)
		return -1;
	snprintf(r->view.state, sizeof r->view.state, "%s", row->state);
	r->view.over = true;
	r->view.created = row->created;
	r->view.started = row->started;
	r->view.finished = row->finished;
	r->view.has_certificate = row->has_certificate;
	r->view.certificate = row->certificate;
	r->view.certificate_size = row->certificate_size;
	r->log.size = row->log;
	if (row->log_dropped > live_log_dropped(&r->log)) /* its writer was killed in a write */
		r->log.lost = row->log_dropped - live_log_dropped(&r->log);
	if (row->error != ERR_NONE)
		err_set(&r->view.error, row->error, "%s", row->detail);
	*ret = r;
	return 0;
}

void
run_state_to_row(struct run_state *r, struct ledger_run *ret)
{
	struct run_state_view v;

	run_state_view(r, &v);
	snprintf(ret->id, sizeof ret->id, "%s", r->id);
	snprintf(ret->owner, sizeof ret->owner, "%s", r->owner);
	snprintf(ret->state, sizeof ret->state, "%s", v.state);
	ret->created = v.created;
	ret->started = v.started;
	ret->finished = v.finished;
	ret->log = v.log_size;
	ret->log_dropped = v.log_dropped;
	ret->has_certificate = v.has_certificate;
	ret->certificate = v.certificate;
	ret->certificate_size = v.certificate_size;
	ret->error = v.error.code;
	snprintf(ret->detail, sizeof ret->detail, "%s", v.error.msg);
}

struct run_state *
run_state_ref(struct run_state *r)
{
	pthread_mutex_lock(&r->lock);
	r->references++;
	pthread_mutex_unlock(&r->lock);
	return r;
}

void
run_state_unref(struct run_state *r)
{
	unsigned left;

	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	left = --r->references;
	pthread_mutex_unlock(&r->lock);
	if (left > 0)
		return;
	cleanup_close(&r->cancel_fd);
	cleanup_close(&r->log_fd);
	free(r->log_path);
	buf_free(&r->certificate);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

const char *
run_state_id(const struct run_state *r)
{
	return r->id;
}

const char *
run_state_owner(const struct run_state *r)
{
	return r->owner;
}

int
run_state_cancel_fd(const struct run_state *r)
{
	return r->cancel_fd;
}

void
run_state_cancel(struct run_state *r)
{
	uint64_t one = 1;
	ssize_t n UNUSED = write(r->cancel_fd, &one, sizeof one); /* full: cancelled already */
}

void
run_state_set(struct run_state *r, const char *phase)
{
	const char *state = strcmp(phase, RUN_STATE_RUNNING) == 0 ? RUN_STATE_RUNNING :
	    RUN_STATE_MEASURING;

	pthread_mutex_lock(&r->lock);
	if (!r->view.over) {
		snprintf(r->view.phase, sizeof r->view.phase, "%s", phase);
		snprintf(r->view.state, sizeof r->view.state, "%s", state);
		if (r->view.started == 0)
			r->view.started = time(NULL);
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void
run_state_log(struct run_state *r, const void *data, size_t len)
{
	pthread_mutex_lock(&r->lock);
	/* The measured log is the run's own; a full disk shortens what clients watch. */
	if (!r->view.over)
		live_log_add(&r->log, data, len);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void
run_state_finish(struct run_state *r, const char *state, struct buf *certificate,
    const struct err *error)
{
	struct oid id;
	struct err e;

	pthread_mutex_lock(&r->lock);
	if (certificate != NULL && oid_from_data(&id, certificate->data, certificate->len, &e) != 0) {
		certificate = NULL;
		error = &e;
		state = RUN_STATE_FAILED;
	}
	if (certificate != NULL) {
		r->certificate = *certificate;
		*certificate = (struct buf)BUF_INIT;
		r->view.has_certificate = true;
		r->view.certificate = id;
		r->view.certificate_size = r->certificate.len;
	} else {
		r->view.error = *error;
	}
	snprintf(r->view.state, sizeof r->view.state, "%s", state);
	r->view.phase[0] = '\0';
	r->view.over = true;
	r->view.finished = time(NULL);
	if (r->log_path != NULL) {
		cleanup_close(&r->log_fd);
		r->log_fd = -1;
	}
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void
run_state_view(struct run_state *r, struct run_state_view *ret)
{
	pthread_mutex_lock(&r->lock);
	*ret = r->view;
	ret->log_size = r->log.size;
	ret->log_dropped = live_log_dropped(&r->log);
	pthread_mutex_unlock(&r->lock);
}

static struct timespec
run_state_deadline(int wait_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += wait_ms / 1000;
	t.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

uint64_t
run_state_log_next(struct run_state *r, uint64_t offset)
{
	uint64_t next;

	pthread_mutex_lock(&r->lock);
	next = offset < r->log.size ? live_log_next(&r->log, offset) : offset;
	pthread_mutex_unlock(&r->lock);
	return next;
}

/* Under the lock, so that a ring is not written while it is read. */
static ssize_t
run_state_read_locked(struct run_state *r, uint64_t offset, void *ret, size_t cap)
{
	CLEANUP(cleanup_close) int opened = -1;
	struct live_log log = r->log;

	if (offset >= log.size)
		return r->view.over ? -1 : 0;
	if (live_log_next(&log, offset) != offset)
		return -1;
	if (r->log_fd < 0) {
		opened = r->log_path != NULL ? open(r->log_path, O_RDONLY | O_CLOEXEC) : -1;
		log.fd = opened;
	}
	return log.fd < 0 ? -1 : live_log_read(&log, offset, ret, cap);
}

ssize_t
run_state_read_log(struct run_state *r, uint64_t offset, void *ret, size_t cap, int wait_ms)
{
	struct timespec deadline = run_state_deadline(wait_ms);
	ssize_t n;

	pthread_mutex_lock(&r->lock);
	while (r->log.size <= offset && !r->view.over &&
	    pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == 0)
		;
	n = run_state_read_locked(r, offset, ret, cap);
	pthread_mutex_unlock(&r->lock);
	return n;
}

int
run_state_certificate(struct run_state *r, struct buf *ret, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	if (r->certificate.len > 0) {
		buf_add(ret, r->certificate.data, r->certificate.len);
		rc = buf_check(ret, e);
	} else if (r->view.has_certificate) {
		rc = err_set(e, ERR_NOTFOUND, "run %s: the certificate is an object", r->id);
	} else if (r->view.over && r->view.error.code != ERR_NONE) {
		*e = r->view.error;
		rc = -1;
	} else {
		rc = err_set(e, ERR_CONFLICT, r->view.over ? "run %s has no certificate" :
		    "run %s is not over", r->id);
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}
