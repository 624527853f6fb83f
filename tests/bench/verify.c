/* Time of verify_certificate() alone: bench-verify CERTIFICATE [COUNT] */
#include <fcntl.h>
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
	return 0;
}
