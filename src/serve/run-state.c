#include "serve/run-state.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include "base/fd.h"
#include "base/hex.h"
#include "crypto/random.h"

struct run_state {
	char id[RUN_STATE_ID_SIZE];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned references;
	int cancel_fd;
	int log_fd;
	struct run_state_view view;
	struct buf certificate;
};

int
run_state_new(int log_fd, struct run_state **ret, struct err *e)
{
	struct run_state *r = calloc(1, sizeof *r);
	pthread_condattr_t attr;
	unsigned char id[32];

	if (r == NULL) {
		close(log_fd);
		return err_nomem(e);
	}
	r->log_fd = log_fd;
	r->references = 1;
	snprintf(r->view.state, sizeof r->view.state, "queued");
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	r->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->cancel_fd < 0) {
		err_sys(e, "cannot make an event");
		run_state_unref(r);
		return -1;
	}
	if (random_bytes(id, sizeof id, e) != 0) {
		run_state_unref(r);
		return -1;
	}
	hex_encode(r->id, id, sizeof id);
	*ret = r;
	return 0;
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
	if (r->cancel_fd >= 0)
		close(r->cancel_fd);
	close(r->log_fd);
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
run_state_set(struct run_state *r, const char *state)
{
	pthread_mutex_lock(&r->lock);
	if (!r->view.over)
		snprintf(r->view.state, sizeof r->view.state, "%s", state);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void
run_state_log(struct run_state *r, const void *data, size_t len)
{
	struct err e;

	pthread_mutex_lock(&r->lock);
	if (len > RUN_STATE_LOG_MAX - r->view.log_size)
		len = (size_t)(RUN_STATE_LOG_MAX - r->view.log_size);
	/* The measured log is the run's own; a full disk shortens what clients watch. */
	if (!r->view.over && fd_write_all(r->log_fd, data, len, "log", &e) == 0)
		r->view.log_size += len;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void
run_state_finish(struct run_state *r, struct buf *certificate, const struct err *error)
{
	struct oid id;
	struct err e;

	pthread_mutex_lock(&r->lock);
	if (certificate != NULL && oid_from_data(&id, certificate->data, certificate->len, &e) != 0) {
		certificate = NULL;
		error = &e;
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
	snprintf(r->view.state, sizeof r->view.state, "%s", certificate != NULL ? "done" : "failed");
	r->view.over = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

void
run_state_view(struct run_state *r, struct run_state_view *ret)
{
	pthread_mutex_lock(&r->lock);
	*ret = r->view;
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

ssize_t
run_state_read_log(struct run_state *r, uint64_t offset, void *ret, size_t cap, int wait_ms)
{
	struct timespec deadline = run_state_deadline(wait_ms);
	uint64_t size;
	bool over;
	ssize_t n;

	pthread_mutex_lock(&r->lock);
	while (r->view.log_size <= offset && !r->view.over &&
	    pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == 0)
		;
	size = r->view.log_size;
	over = r->view.over;
	pthread_mutex_unlock(&r->lock);
	if (offset >= size)
		return over ? -1 : 0;
	/* what is written stays: no lock is needed to read it */
	if (cap > size - offset)
		cap = (size_t)(size - offset);
	do
		n = pread(r->log_fd, ret, cap, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n > 0 ? n : -1;
}

int
run_state_certificate(struct run_state *r, struct buf *ret, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	if (r->view.has_certificate) {
		buf_add(ret, r->certificate.data, r->certificate.len);
		rc = buf_check(ret, e);
	} else if (r->view.over) {
		*e = r->view.error;
		rc = -1;
	} else {
		rc = err_set(e, ERR_CONFLICT, "run %s is not over", r->id);
	}
	pthread_mutex_unlock(&r->lock);
	return rc;
}
