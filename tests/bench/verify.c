/* verify_certificate() alone, and on every processor: bench-verify CERTIFICATE [COUNT] */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include "base/fd.h"
#include "verify/verify.h"

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int
verify_once(const struct buf *bytes, struct err *e)
{
	struct verify_request rq = {
		.data = bytes->data,
		.len = bytes->len,
		.required = LEVEL_SIMULATED,
		.time = 1800000000,
		.time_source = "--at",
	};
	struct verdict *v;

	if (oid_from_data(&rq.id, bytes->data, bytes->len, e) != 0 || verify_certificate(&rq, &v, e) != 0)
		return -1;
	if (v->answer != ANSWER_PASS)
		err_set(e, ERR_REFUSED, "the certificate does not pass");
	verdict_free(v);
	return e->code == ERR_NONE ? 0 : -1;
}

struct part {
	pthread_t thread;
	const struct buf *bytes;
	long count;
	struct err e;
};

static void *
verify_part(void *arg)
{
	struct part *p = arg;

	for (long i = 0; i < p->count && p->e.code == ERR_NONE; i++)
		(void)verify_once(p->bytes, &p->e);
	hash_thread_end();
	return NULL;
}

/* Certificates a second on all processors, in one process; 0: failed. */
static double
verify_threads(const struct buf *bytes, long count, long threads)
{
	struct part parts[64] = {0};
	double start = now_ms();
	bool ok = true;

	for (long i = 0; i < threads; i++) {
		parts[i].bytes = bytes;
		parts[i].count = count;
		ok = ok && pthread_create(&parts[i].thread, NULL, verify_part, &parts[i]) == 0;
	}
	for (long i = 0; ok && i < threads; i++)
		ok = pthread_join(parts[i].thread, NULL) == 0 && parts[i].e.code == ERR_NONE;
	return ok ? (double)(count * threads) * 1e3 / (now_ms() - start) : 0;
}

int
main(int argc, char **argv)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct err e = {0};
	long count = argc > 2 ? strtol(argv[2], NULL, 10) : 500;
	double start;

	if (argc < 2 || fd_read_file(AT_FDCWD, argv[1], CERTIFICATE_BYTES_MAX, &bytes, &e) != 0) {
		fprintf(stderr, "bench-verify: %s\n", argc < 2 ? "no certificate given" : e.msg);
		return 2;
	}
	start = now_ms();
	for (long i = 0; i < count; i++) {
		if (verify_once(&bytes, &e) != 0) {
			fprintf(stderr, "bench-verify: %s\n", e.msg);
			return 1;
		}
	}
	printf("%-46s %8.2f ms (at most 3; %zu bytes)\n", "verify_certificate() alone",
	    (now_ms() - start) / (double)count, bytes.len);
	for (long n = 1; n <= sysconf(_SC_NPROCESSORS_ONLN) && n <= 64; n *= 2)
		printf("%-46s %8.0f /s (%ld threads, %zu bytes)\n", "certificates judged in one process",
		    verify_threads(&bytes, count, n), n, bytes.len);
	return 0;
}
