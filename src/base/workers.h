/*
 * A few threads that take jobs from a queue and hand them back when they are
 * done.  One thread owns the pool: it submits, takes, and stops.  There are two
 * kinds of work: what keeps a processor busy, for which there are as many
 * threads as asked for, and waiting for disks, for which there are a few more
 * once there is something to wait for.
 * With one thread asked for there is none at all: a job runs in workers_submit(),
 * so that everything happens in the order of the calls.
 */
#ifndef BASE_WORKERS_H
#define BASE_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define WORKERS_MAX 256

struct workers;

enum workers_lane { WORKERS_COMPUTE, WORKERS_WAIT };

struct workers_job {        /* the first member of what a job is made of */
	struct workers_job *next;
	void (*run)(struct workers_job *job); /* keeps its own error */
	bool brief;             /* milliseconds: the owner runs it when it would wait */
};

/* threads: 1 to WORKERS_MAX; less than two: none is made.  Signals are blocked in
 * all of them; base/interrupt.h stops their reads once workers_cancel() was called. */
int workers_start(unsigned threads, struct workers **ret, struct err *e) MUST_CHECK;
/* The job is the pool's until workers_take() gives it back.  It may be submitted
 * again then, to the same or to the other lane. */
void workers_submit(struct workers *w, enum workers_lane lane, struct workers_job *job);
/* A job that is done, in any order; NULL when none was within timeout_ms, or none
 * is under way.  Waiting and being woken takes as long as a brief job: when the next
 * one in the queue is brief, it is run here. */
struct workers_job *workers_take(struct workers *w, int timeout_ms);
/* Submitted and not taken. */
size_t workers_pending(const struct workers *w);
/* Threads that have nothing to compute just now. */
unsigned workers_idle(struct workers *w);
/* From now on reads in the threads fail with ERR_CANCELLED. */
void workers_cancel(struct workers *w);
/* 0, or ERR_CANCELLED: asked by jobs, which may run in any thread. */
int workers_check(struct workers *w, struct err *e) MUST_CHECK;
/* Every job was taken. */
void workers_stop(struct workers *w);

/* The processors that this process may use, 1 to most. */
unsigned workers_processors(unsigned most);
/* One thread of one's own, signals blocked in it; what pthread_create() returned. */
int workers_thread(pthread_t *ret, void *(*run)(void *), void *arg) MUST_CHECK;

#endif
