/*
 * verify_certificate() alone, and on every processor, as one process that judges
 * many does it: bench-verify CERTIFICATE [COUNT]; bench-verify --machine [COUNT] makes
 * certificates of 30 KB with a chain, a boot log and a reference record, each of
 * another run of one machine.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/fd.h"
#include "unit.h"
#include "verify/machine.h"
#include "verify/memo.h"

#define BENCH_CERTIFICATES 16
#define BENCH_INPUTS 12             /* what makes about 30 KB */

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* What is judged again and again. */
struct bench {
	struct verify_request rqs[BENCH_CERTIFICATES];
	size_t n;
};

static int
verify_once(const struct verify_request *one, struct memo *memo, struct err *e)
{
	struct verify_request rq = *one;
	struct verdict *v;

	rq.memo = memo;
	if (verify_certificate(&rq, &v, e) != 0)
		return -1;
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++) {
		if (v->checks[c].result == VERDICT_FAIL)
			err_set(e, ERR_REFUSED, "%s: %s", verdict_check_name(c), v->checks[c].found);
	}
	if (v->answer != ANSWER_PASS && e->code == ERR_NONE)
		err_set(e, ERR_REFUSED, "the certificate does not pass");
	verdict_free(v);
	return e->code == ERR_NONE ? 0 : -1;
}

struct part {
	pthread_t thread;
	const struct bench *b;
	struct memo *memo;
	long count;
	struct err e;
};

static void *
verify_part(void *arg)
{
	struct part *p = arg;

	for (long i = 0; i < p->count && p->e.code == ERR_NONE; i++)
		(void)verify_once(&p->b->rqs[(size_t)i % p->b->n], p->memo, &p->e);
	hash_thread_end();
	return NULL;
}

/* Certificates a second with this many threads, in one process; 0: failed. */
static double
verify_threads(const struct bench *b, long count, long threads)
{
	CLEANUP(memo_freep) struct memo *memo = NULL;
	struct part parts[64] = {0};
	double start = now_ms();
	struct err e;
	bool ok = memo_new(&memo, &e) == 0;

	for (long i = 0; i < threads && ok; i++) {
		parts[i].b = b;
		parts[i].memo = memo;
		parts[i].count = count;
		ok = pthread_create(&parts[i].thread, NULL, verify_part, &parts[i]) == 0;
	}
	for (long i = 0; ok && i < threads; i++)
		ok = pthread_join(parts[i].thread, NULL) == 0 && parts[i].e.code == ERR_NONE;
	return ok ? (double)(count * threads) * 1e3 / (now_ms() - start) : 0;
}

static int
measure(const struct bench *b, long count)
{
	size_t size = b->rqs[0].len;
	double start = now_ms();
	struct err e = {0};

	for (long i = 0; i < count; i++) {
		if (verify_once(&b->rqs[(size_t)i % b->n], NULL, &e) != 0) {
			fprintf(stderr, "bench-verify: %s\n", e.msg);
			return 1;
		}
	}
	printf("%-46s %8.2f ms (at most 3; %zu bytes)\n", "verify_certificate() alone",
	    (now_ms() - start) / (double)count, size);
	for (long n = 1; n <= sysconf(_SC_NPROCESSORS_ONLN) && n <= 64; n *= 2)
		printf("%-46s %8.0f /s (%ld threads, %zu bytes%s)\n", "certificates judged in one process",
		    verify_threads(b, count, n), n, size, n == 2 ? "; at least 1500" : "");
	return 0;
}

/* One more input, in the spec and among the events; what it is does not matter here. */
static void
bench_input(struct forge *f, unsigned i)
{
	struct run_spec *spec = forge_spec(f);
	struct event twice[2];
	char json[1024];

	snprintf(json, sizeof json, "{\"v\":1,\"event\":\"input_resource\",\"run\":\"%064x\",\"seq\":0,"
	    "\"type\":\"blob\",\"path\":\"data/part-%02u\",\"kind\":\"dataset\",\"size\":9,"
	    "\"digests\":{\"sha256\":\"%064x\"},\"origin\":\"declared\",\"source\":"
	    "\"https://example.org/part-%02u\",\"license\":\"CC0-1.0\",\"madeBy\":null,\"ignored\":null}",
	    0u, i, i, i);
	forge_event(&twice[0], json);
	forge_event(&twice[1], json);
	memcpy(twice[0].run, f->events[0].run, sizeof twice[0].run);
	spec->inputs = realloc(spec->inputs, (spec->input_count + 1) * sizeof *spec->inputs);
	spec->inputs[spec->input_count++] = twice[1].u.input;
	twice[1].u.input = (struct resource_input){0};
	event_free(&twice[1]);
	memmove(f->events + FORGE_SEALED + i + 1, f->events + FORGE_SEALED + i,
	    (f->count - FORGE_SEALED - i) * sizeof *f->events);
	f->events[FORGE_SEALED + i] = twice[0];
	f->count++;
}

static void
bench_machine(struct machine *m, struct bench *b, unsigned count_inputs)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature",
	};
	struct reference r[1];
	struct err e;

	machine_new(m);
	for (unsigned i = 0; i < count_inputs; i++)
		bench_input(&m->f, i);
	machine_pcrs(m);
	machine_log(m);
	machine_chain(m, &leaf);
	machine_record(m, HASH_SHA256, "any", &r[0]);
	machine_know(m, r, 1);
	for (; b->n < BENCH_CERTIFICATES; b->n++) {
		memset(m->f.nonce, (int)b->n, sizeof m->f.nonce);
		memcpy(m->f.events[FORGE_REQUEST].u.request.nonce, m->f.nonce, sizeof m->f.nonce);
		key_free(m->f.run_key);
		UNIT_OK(key_generate_p256(&m->f.run_key, &e), &e);
		buf_reset(&m->f.events[FORGE_SEALED + count_inputs].u.sealed.spki);
		UNIT_OK(key_spki(m->f.run_key, &m->f.events[FORGE_SEALED + count_inputs].u.sealed.spki,
		    &e), &e);
		m->f.bytes = (struct buf)BUF_INIT; /* the request has those of the last one */
		machine_finish(m);
		b->rqs[b->n] = m->rq;
	}
}

static long bench_count = 500;

START_TEST(machines)
{
	static struct machine m;
	static struct bench b;

	bench_machine(&m, &b, BENCH_INPUTS);
	ck_assert_int_eq(measure(&b, bench_count), 0);
}
END_TEST

/* What forges asserts as a test does. */
static int
measure_machine(void)
{
	Suite *suite = suite_create("bench-verify");
	SRunner *runner = srunner_create(suite);
	TCase *tc = tcase_create("machine");
	int failed;

	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, machines);
	suite_add_tcase(suite, tc);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	srunner_print(runner, CK_MINIMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}

int
main(int argc, char **argv)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct bench b = {.n = 1};
	struct err e = {0};

	if (argc > 2)
		bench_count = strtol(argv[2], NULL, 10);
	if (argc > 1 && strcmp(argv[1], "--machine") == 0)
		return measure_machine();
	if (argc < 2 || fd_read_file(AT_FDCWD, argv[1], CERTIFICATE_BYTES_MAX, &bytes, &e) != 0 ||
	    oid_from_data(&b.rqs[0].id, bytes.data, bytes.len, &e) != 0) {
		fprintf(stderr, "bench-verify: %s\n", argc < 2 ? "no certificate given" : e.msg);
		return 2;
	}
	b.rqs[0].data = bytes.data;
	b.rqs[0].len = bytes.len;
	b.rqs[0].required = LEVEL_SIMULATED;
	b.rqs[0].time = 1800000000;
	b.rqs[0].time_source = "--at";
	return measure(&b, bench_count);
}
