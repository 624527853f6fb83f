#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include "base/interrupt.h"

#define WORKERS_WAITERS 8 /* threads that wait for disks: fsyncs of several files share a flush */

struct workers_queue {
	struct workers_job *first, **last;
};

struct workers_crew {       /* the threads of one lane */
	struct workers *pool;
	struct workers_queue todo;
	pthread_cond_t wake;
	pthread_t threads[WORKERS_MAX];
	unsigned count, idle;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t finished;
	struct workers_crew crew[2];
	struct workers_queue done;
	size_t pending;         /* of the owner alone */
	bool stopping;
	atomic_bool cancelled;
};

static void
workers_push(struct workers_queue *q, struct workers_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct workers_job *
workers_pop(struct workers_queue *q)
{
	struct workers_job *job = q->first;

	if (job == NULL)
		return NULL;
	q->first = job->next;
	if (q->first == NULL)
		q->last = &q->first;
	return job;
}

int
workers_check(struct workers *w, struct err *e)
{
	if (atomic_load(&w->cancelled))
		return err_set(e, ERR_CANCELLED, "interrupted");
	/* without threads the owner runs the job, who hears of signals itself */
	return w->crew[WORKERS_COMPUTE].count == 0 ? interrupt_check(e) : 0;
}

static int
workers_watch(void *arg, struct err *e)
{
	struct workers *w = arg;

	return atomic_load(&w->cancelled) ? err_set(e, ERR_CANCELLED, "interrupted") : 0;
}

static void *
workers_main(void *arg)
{
	struct workers_crew *c = arg;
	struct workers *w = c->pool;
	struct workers_job *job;

	interrupt_watch(workers_watch, w);
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while ((job = workers_pop(&c->todo)) == NULL && !w->stopping) {
			c->idle++;
			pthread_cond_wait(&c->wake, &w->lock);
			c->idle--;
		}
		if (job == NULL)
			break;
		pthread_mutex_unlock(&w->lock);
		job->run(job);
		pthread_mutex_lock(&w->lock);
		workers_push(&w->done, job);
		pthread_cond_signal(&w->finished);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

unsigned
workers_processors(unsigned most)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return n < 1 ? 1 : (unsigned)n > most ? most : (unsigned)n;
}

int
workers_thread(pthread_t *ret, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int
workers_hire(struct workers_crew *c, unsigned count, struct err *e)
{
	int rc = 0;

	for (; c->count < count && rc == 0; c->count += rc == 0)
		rc = workers_thread(&c->threads[c->count], workers_main, c);
	return rc == 0 ? 0 : err_set(e, ERR_IO, "cannot start a thread; fewer of them (-j 1) may do");
}

int
workers_start(unsigned threads, struct workers **ret, struct err *e)
{
	struct workers *w = calloc(1, sizeof *w);
	pthread_condattr_t monotonic;

	if (w == NULL)
		return err_nomem(e);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->finished, &monotonic);
	pthread_condattr_destroy(&monotonic);
	w->done.last = &w->done.first;
	for (int i = 0; i < 2; i++) {
		w->crew[i].pool = w;
		w->crew[i].todo.last = &w->crew[i].todo.first;
		pthread_cond_init(&w->crew[i].wake, NULL);
	}
	if (threads > WORKERS_MAX)
		threads = WORKERS_MAX;
	if (threads > 1 && workers_hire(&w->crew[WORKERS_COMPUTE], threads, e) != 0) {
		workers_stop(w);
		return -1;
	}
	*ret = w;
	return 0;
}

void
workers_submit(struct workers *w, enum workers_lane lane, struct workers_job *job)
{
	struct workers_crew *c = &w->crew[lane];

	w->pending++;
	/* when something is to be waited for; if none can be had, it is waited for here */
	if (lane == WORKERS_WAIT && c->count == 0 && w->crew[WORKERS_COMPUTE].count > 0)
		(void)workers_hire(c, WORKERS_WAITERS, NULL);
	if (c->count == 0)
		job->run(job);
	pthread_mutex_lock(&w->lock);
	workers_push(c->count == 0 ? &w->done : &c->todo, job);
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&w->lock);
}

/* When nothing is done and a brief job is next: that one, run. */
static struct workers_job *
workers_help(struct workers *w)
{
	struct workers_queue *todo = &w->crew[WORKERS_COMPUTE].todo;
	struct workers_job *job;

	if (w->done.first != NULL || todo->first == NULL || !todo->first->brief)
		return NULL;
	job = workers_pop(todo);
	pthread_mutex_unlock(&w->lock);
	job->run(job);
	pthread_mutex_lock(&w->lock);
	return job;
}

struct workers_job *
workers_take(struct workers *w, int timeout_ms)
{
	struct workers_job *job;
	struct timespec until;
	int rc = 0;

	if (w->pending == 0)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&w->lock);
	job = workers_help(w);
	while (job == NULL && (job = workers_pop(&w->done)) == NULL && rc == 0)
		rc = pthread_cond_timedwait(&w->finished, &w->lock, &until);
	pthread_mutex_unlock(&w->lock);
	w->pending -= job != NULL;
	return job;
}

size_t
workers_pending(const struct workers *w)
{
	return w->pending;
}

unsigned
workers_idle(struct workers *w)
{
	const struct workers_crew *c = &w->crew[WORKERS_COMPUTE];
	unsigned idle;

	pthread_mutex_lock(&w->lock);
	idle = c->todo.first == NULL ? c->idle : 0;
	pthread_mutex_unlock(&w->lock);
	return idle;
}

void
workers_cancel(struct workers *w)
{
	atomic_store(&w->cancelled, true);
}

void
workers_stop(struct workers *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	for (int i = 0; i < 2; i++)
		pthread_cond_broadcast(&w->crew[i].wake);
	pthread_mutex_unlock(&w->lock);
	for (int i = 0; i < 2; i++) {
		for (unsigned t = 0; t < w->crew[i].count; t++)
			pthread_join(w->crew[i].threads[t], NULL);
		pthread_cond_destroy(&w->crew[i].wake);
	}
	pthread_cond_destroy(&w->finished);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
