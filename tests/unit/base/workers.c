#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/workers.h"

struct work {
	struct workers_job base;
	struct workers *pool;
	atomic_int *sum;
	int add;
	pthread_t by;
	int rc;
	struct err err;
};

static void
work_add(struct workers_job *job)
{
	struct work *w = (struct work *)job;

	w->by = pthread_self();
	atomic_fetch_add(w->sum, w->add);
}

static void
work_all(unsigned threads, enum workers_lane lane)
{
	enum { COUNT = 500 };
	struct work work[COUNT] = {0};
	struct workers *pool;
	atomic_int sum = 0;
	struct err e;
	int taken = 0;

	UNIT_OK(workers_start(threads, &pool, &e), &e);
	ck_assert_ptr_null(workers_take(pool, 1000)); /* at once: none is under way */
	for (int i = 0; i < COUNT; i++) {
		work[i] = (struct work){.base.run = work_add, .pool = pool, .sum = &sum, .add = i};
		workers_submit(pool, lane, &work[i].base);
	}
	ck_assert_uint_eq(workers_pending(pool), COUNT);
	while (workers_pending(pool) > 0) {
		struct work *w = (struct work *)workers_take(pool, 10000);

		ck_assert_ptr_nonnull(w);
		ck_assert_int_eq(pthread_equal(w->by, pthread_self()) != 0, threads == 1);
		if (threads == 1) /* in the order of the calls */
			ck_assert_int_eq(w->add, taken);
		taken++;
	}
	ck_assert_int_eq(taken, COUNT);
	ck_assert_int_eq(sum, COUNT * (COUNT - 1) / 2);
	workers_stop(pool);
}

START_TEST(workers_do_all)
{
	static const unsigned threads[] = {1, 2, 7, 1000};

	work_all(threads[_i], WORKERS_COMPUTE);
	work_all(threads[_i], WORKERS_WAIT);
}
END_TEST

/* Reads from a pipe that nobody writes to, until told to stop. */
static void
work_read(struct workers_job *job)
{
	struct work *w = (struct work *)job;
	char byte;
	size_t n;

	if (w->sum != NULL)
		atomic_fetch_add(w->sum, 1);
	do
		w->rc = fd_read_upto(w->add, &byte, 1, &n, "zero", &w->err);
	while (w->rc == 0);
}

START_TEST(workers_cancelled_reads_end)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct work work[2] = {0};
	struct workers *pool;
	struct err e;

	ck_assert_int_ge(zero, 0);
	UNIT_OK(workers_start(2, &pool, &e), &e);
	for (int i = 0; i < 2; i++) {
		work[i] = (struct work){.base.run = work_read, .pool = pool, .add = zero};
		workers_submit(pool, WORKERS_COMPUTE, &work[i].base);
	}
	ck_assert_ptr_null(workers_take(pool, 20));
	UNIT_OK(workers_check(pool, &e), &e);
	workers_cancel(pool);
	UNIT_FAILS(workers_check(pool, &e), &e, ERR_CANCELLED);
	for (int i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(workers_take(pool, 10000));
	ck_assert_int_eq(work[0].err.code, ERR_CANCELLED);
	ck_assert_int_eq(work[1].err.code, ERR_CANCELLED);
	workers_stop(pool);
	close(zero);
}
END_TEST

/* All threads are busy: what is brief the owner does itself, what is not it waits for. */
START_TEST(workers_owner_does_what_is_brief)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct work busy[2] = {0}, small[2];
	struct workers *pool;
	atomic_int sum = 0;
	struct err e;

	ck_assert_int_ge(zero, 0);
	UNIT_OK(workers_start(2, &pool, &e), &e);
	for (int i = 0; i < 2; i++) {
		busy[i] = (struct work){.base.run = work_read, .sum = &sum, .add = zero};
		workers_submit(pool, WORKERS_COMPUTE, &busy[i].base);
	}
	while (atomic_load(&sum) < 2)
		sched_yield();
	for (int i = 0; i < 2; i++) {
		small[i] = (struct work){.base = {.run = work_add, .brief = i == 0}, .sum = &sum, .add = 1};
		workers_submit(pool, WORKERS_COMPUTE, &small[i].base);
	}
	ck_assert_ptr_eq(workers_take(pool, 10000), &small[0].base);
	ck_assert(pthread_equal(small[0].by, pthread_self()));
	ck_assert_ptr_null(workers_take(pool, 20));
	ck_assert_int_eq(sum, 3);
	workers_cancel(pool);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_nonnull(workers_take(pool, 10000));
	ck_assert(!pthread_equal(small[1].by, pthread_self()));
	workers_stop(pool);
	close(zero);
}
END_TEST

/* Without threads the job itself hears of Ctrl-C. */
START_TEST(workers_inline_hears_signals)
{
	struct workers *pool;
	struct err e;

	UNIT_OK(interrupt_install(&e), &e);
	UNIT_OK(workers_start(1, &pool, &e), &e);
	UNIT_OK(workers_check(pool, &e), &e);
	ck_assert_uint_eq(workers_idle(pool), 0);
	raise(SIGINT);
	UNIT_FAILS(workers_check(pool, &e), &e, ERR_CANCELLED);
	workers_stop(pool);
}
END_TEST

static void *
blocked(void *arg)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	*(bool *)arg = sigismember(&now, SIGINT) == 1 && sigismember(&now, SIGTERM) == 1;
	return NULL;
}

/* Signals are for the thread that waits for them, which goes on hearing them. */
START_TEST(workers_lone_thread)
{
	pthread_t thread;
	sigset_t now;
	bool all = false;

	ck_assert_int_eq(workers_thread(&thread, blocked, &all), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(all);
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGINT), 0);
}
END_TEST

/* Those that it may use, not those that the machine has. */
START_TEST(workers_count_processors)
{
	cpu_set_t one;

	ck_assert_uint_ge(workers_processors(WORKERS_MAX), 1);
	ck_assert_uint_eq(workers_processors(1), 1);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
	ck_assert_uint_eq(workers_processors(WORKERS_MAX), 1);
}
END_TEST

UNIT_SUITE(workers)
{
	tcase_add_test(tc, workers_count_processors);
	tcase_add_test(tc, workers_lone_thread);
	tcase_add_loop_test(tc, workers_do_all, 0, 4);
	tcase_add_test(tc, workers_cancelled_reads_end);
	tcase_add_test(tc, workers_owner_does_what_is_brief);
	tcase_add_test(tc, workers_inline_hears_signals);
}
