/* Allocations of a verification fail, one a time: nothing bad passes, nothing leaks. */
#include <stdlib.h>
#include <string.h>
#include "verify/machine.h"
#include "unit.h"

static long faults_left = -1; /* allocations until one fails; -1: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool
faults_now(void)
{
	if (faults_left < 0)
		return false;
	return faults_left-- == 0;
}

void *
__wrap_malloc(size_t size)
{
	return faults_now() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return faults_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return faults_now() ? NULL : __real_realloc(p, size);
}

static struct forge f;
static struct forge_objects objects;

static void
prepare(struct verify_request *rq, struct verify_file *file, void (*change)(struct forge *))
{
	struct oid ancestor, id;
	struct err e;

	objects.count = 0;
	forge_new(&f);
	forge_finish(&f);
	forge_keep(&objects, f.bytes.data, f.bytes.len, &ancestor);
	forge_free(&f);
	forge_keep_tree(&objects, &id, &(uint64_t){0});
	forge_new(&f);
	forge_made_by(&f, &ancestor, "model.safetensors");
	if (change != NULL)
		change(&f);
	forge_finish(&f);
	*rq = forge_request(&f);
	*file = (struct verify_file){.path = "ckpt/notes.txt", .type = OBJECT_BLOB, .size = 5};
	UNIT_OK(oid_from_data(&file->id, "notes", 5, &e), &e);
	rq->outputs = file;
	rq->output_count = 1;
	rq->chain = VERIFY_CHAIN_JUDGED;
	rq->fetch = forge_fetch;
	rq->fetch_arg = &objects;
	rq->nonce = f.nonce;
	rq->spec = forge_spec(&f);
}

/* Runs with the n-th allocation failing, every one at first, then in growing
 * steps, until none failed. */
static void
faults_loop(const struct verify_request *rq, enum verdict_answer honest)
{
	for (long n = 0;; n += 1 + n / 100) {
		struct verdict *v = NULL;
		struct err e = {0};
		bool hit;
		int rc;

		faults_left = n;
		rc = verify_certificate(rq, &v, &e);
		hit = faults_left < 0;
		faults_left = -1;
		if (rc != 0) {
			ck_assert_msg(hit && v == NULL, "%s", e.msg);
			continue;
		}
		/* a fault may hide a proof, it never makes one */
		ck_assert(v->answer == honest || (hit && v->answer != ANSWER_PASS));
		verdict_free(v);
		if (!hit)
			return;
	}
}

static void
bad_exit(struct forge *g)
{
	g->events[FORGE_FINISHED].u.finished.exit_code = 1;
}

static void
bad_hierarchy(struct forge *g)
{
	g->hierarchy = AK_NULL;
}

static void
bad_count(struct forge *g)
{
	g->events[FORGE_END].u.outputs_sealed.outputs = 1;
}

static void
bad_start(struct forge *g)
{
	g->start_pcrs.sha256[14][0] = 1;
}

START_TEST(good_certificate)
{
	struct verify_request rq;
	struct verify_file file;

	prepare(&rq, &file, NULL);
	faults_loop(&rq, ANSWER_PASS);
	forge_free(&f);
	forge_objects_free(&objects);
}
END_TEST

START_TEST(bad_certificates)
{
	static void (*const changes[])(struct forge *) = {
		bad_exit, bad_hierarchy, bad_count, bad_start,
	};
	struct verify_request rq;
	struct verify_file file;

	prepare(&rq, &file, changes[_i]);
	faults_loop(&rq, ANSWER_FAIL);
	forge_free(&f);
	forge_objects_free(&objects);
}
END_TEST

START_TEST(bad_file_and_bad_ancestor)
{
	struct verify_request rq;
	struct verify_file file;

	prepare(&rq, &file, NULL);
	file.id.b[0] ^= 1;
	faults_loop(&rq, ANSWER_FAIL);
	file.id.b[0] ^= 1;
	objects.all[0].data.data[300] ^= 1;
	faults_loop(&rq, ANSWER_FAIL);
	objects.all[0].data.data[300] ^= 1;
	objects.all[0].id.b[0] ^= 1;
	faults_loop(&rq, ANSWER_UNDECIDED);
	forge_free(&f);
	forge_objects_free(&objects);
}
END_TEST

/* A machine whose boot log and reference record are looked at: known, unknown, and
 * with the log of another boot. */
START_TEST(machines)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature",
	};
	static struct machine m;
	struct reference r;

	machine_new(&m);
	machine_pcrs(&m);
	if (_i == 2)
		boot_log_text(&m.log, 4, 0x80000007, "one more");
	machine_log(&m);
	machine_chain(&m, &leaf);
	machine_record(&m, HASH_SHA256, "a platform", &r);
	if (_i == 1)
		r.pcrs[9].value[0] ^= 1;
	machine_know(&m, &r, 1);
	machine_finish(&m);
	faults_loop(&m.rq, _i == 0 ? ANSWER_PASS : ANSWER_FAIL);
	machine_free(&m);
}
END_TEST

UNIT_SUITE(faults)
{
	tcase_add_test(tc, good_certificate);
	tcase_add_loop_test(tc, bad_certificates, 0, 4);
	tcase_add_test(tc, bad_file_and_bad_ancestor);
	tcase_add_loop_test(tc, machines, 0, 3);
}
