#include <string.h>
#include "verify/checks.h"
#include "verify/forge.h"
#include "unit.h"

#define CHAIN_DEEP (CHECKS_DEPTH_MAX + 1)

static struct forge_objects objects;

/* A good run, or one made from the certificate by; kept where it can be fetched. */
static struct oid
generation(const struct oid *by, const char *path, void (*change)(struct forge *))
{
	struct forge f;
	struct oid id;

	forge_new(&f);
	if (by != NULL)
		forge_made_by(&f, by, path);
	if (change != NULL)
		change(&f);
	forge_finish(&f);
	forge_keep(&objects, f.bytes.data, f.bytes.len, &id);
	forge_free(&f);
	return id;
}

static struct verify_request
request(const struct oid *id)
{
	struct verify_request rq = {
		.id = *id, .required = LEVEL_SIMULATED, .time = FORGE_TIME, .time_source = "--at",
		.chain = VERIFY_CHAIN_JUDGED, .fetch = forge_fetch, .fetch_arg = &objects,
	};

	for (size_t i = 0; i < objects.count; i++) {
		if (oid_equal(&objects.all[i].id, id)) {
			rq.data = objects.all[i].data.data;
			rq.len = objects.all[i].data.len;
		}
	}
	return rq;
}

static void
fails(const struct oid *id, const char *found)
{
	struct verify_request rq = request(id);

	forge_fails(&rq, CHECK_CHAIN_INPUTS, found);
	forge_objects_free(&objects);
}

START_TEST(three_generations)
{
	struct oid a = generation(NULL, NULL, NULL);
	struct oid b = generation(&a, "model.safetensors", NULL);
	struct oid c = generation(&b, "model.safetensors", NULL);
	struct verify_request rq = request(&c);
	struct verdict *v = forge_judge(&rq);

	ck_assert_int_eq(v->answer, ANSWER_PASS);
	ck_assert_uint_eq(v->chain_count, 2);
	/* nearest first */
	ck_assert(oid_equal(&v->chain[0]->certificate, &b));
	ck_assert(oid_equal(&v->chain[1]->certificate, &a));
	ck_assert_str_eq(v->chain[0]->subject, "model.safetensors");
	ck_assert_int_eq(v->chain[1]->checks[CHECK_CHAIN_INPUTS].result, VERDICT_PASS);
	/* the first has two inputs of unproven origin, the second its code */
	ck_assert_ptr_nonnull(strstr(v->chain[1]->notes[1], "Unproven origin: data/words.txt"));
	ck_assert_ptr_nonnull(strstr(v->chain[1]->notes[1], "https://example.org/words"));
	ck_assert_uint_eq(v->chain[0]->note_count, 1);
	verdict_free(v);
	/* not asked for: skipped, and no ancestor is looked at */
	rq.chain = VERIFY_CHAIN_NONE;
	objects.fetched = 0;
	v = forge_judge(&rq);
	ck_assert_int_eq(v->answer, ANSWER_PASS);
	ck_assert_int_eq(v->checks[CHECK_CHAIN_INPUTS].result, VERDICT_SKIP);
	ck_assert_uint_eq(objects.fetched, 0);
	verdict_free(v);
	forge_objects_free(&objects);
}
END_TEST

START_TEST(no_made_by_passes)
{
	struct oid a = generation(NULL, NULL, NULL);
	struct verify_request rq = request(&a);

	for (enum verify_chain chain = VERIFY_CHAIN_NONE; chain <= VERIFY_CHAIN_NAMED; chain++) {
		CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

		rq.chain = chain;
		v = forge_judge(&rq);
		ck_assert_int_eq(v->checks[CHECK_CHAIN_INPUTS].result, VERDICT_PASS);
	}
	forge_objects_free(&objects);
}
END_TEST

START_TEST(missing_ancestor)
{
	struct oid a = generation(NULL, NULL, NULL), b, c;
	struct verify_request rq;
	char missing[OID_TEXT_SIZE + 32], id[OID_TEXT_SIZE];

	oid_text(&a, id);
	snprintf(missing, sizeof missing, "missing certificate %s", id);
	b = generation(&a, "model.safetensors", NULL);
	c = generation(&b, "model.safetensors", NULL);
	objects.all[0].id.b[0] ^= 1; /* not to be had under its name */
	rq = request(&b);
	forge_undecided(&rq, CHECK_CHAIN_INPUTS, missing);
	rq = request(&c);
	forge_undecided(&rq, CHECK_CHAIN_INPUTS, missing);
	rq.fetch = NULL;
	forge_undecided(&rq, CHECK_CHAIN_INPUTS, "missing certificate");
	rq = request(&c);
	objects.fail = ERR_NETWORK;
	forge_undecided(&rq, CHECK_CHAIN_INPUTS, "the network is down");
	objects.fail = ERR_NONE;
	/* under its name lie other bytes */
	objects.all[0].id = a;
	objects.all[0].data.data[100] ^= 1;
	rq = request(&b);
	forge_fails(&rq, CHECK_CHAIN_INPUTS, "another digest");
	forge_objects_free(&objects);
}
END_TEST

/* Want of memory decides nothing: no verdict at all. */
START_TEST(no_memory_is_no_verdict)
{
	struct oid a = generation(NULL, NULL, NULL);
	struct oid b = generation(&a, "model.safetensors", NULL);
	struct verify_request rq = request(&b);
	struct verdict *v = NULL;
	struct err e;

	objects.fail = ERR_NOMEM;
	UNIT_FAILS(verify_certificate(&rq, &v, &e), &e, ERR_NOMEM);
	ck_assert_ptr_null(v);
	forge_objects_free(&objects);
}
END_TEST

START_TEST(foreign_ancestor)
{
	struct oid a = generation(NULL, NULL, NULL), b;
	struct oid blob;

	b = generation(&a, "other.bin", NULL);
	fails(&b, "no such output");
	a = generation(NULL, NULL, NULL);
	b = generation(&a, "ckpt", NULL);
	fails(&b, "another content");
	/* an object that is no certificate */
	forge_keep(&objects, "{}", 2, &blob);
	b = generation(&blob, "model.safetensors", NULL);
	fails(&b, "certificate.canonical");
}
END_TEST

static void
exit_one(struct forge *f)
{
	f->events[FORGE_FINISHED].u.finished.exit_code = 1;
}

static void
null_key(struct forge *f)
{
	f->hierarchy = AK_NULL;
}

START_TEST(ancestor_that_fails)
{
	struct oid a = generation(NULL, NULL, exit_one), b, c;

	b = generation(&a, "model.safetensors", NULL);
	fails(&b, "fails run.exit");
	a = generation(NULL, NULL, null_key);
	b = generation(&a, "model.safetensors", NULL);
	c = generation(&b, "model.safetensors", NULL);
	fails(&c, "fails chain.inputs");
}
END_TEST

/* For who judges the ancestors besides: they must be there, and have made it; no more. */
START_TEST(ancestor_that_is_named)
{
	struct oid a = generation(NULL, NULL, exit_one);
	struct oid b = generation(&a, "model.safetensors", NULL);
	struct oid c = generation(&b, "ckpt", NULL);
	struct verify_request rq = request(&b);
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	rq.chain = VERIFY_CHAIN_NAMED;
	v = forge_judge(&rq);
	ck_assert_int_eq(v->answer, ANSWER_PASS);
	ck_assert_int_eq(v->checks[CHECK_CHAIN_INPUTS].result, VERDICT_SKIP);
	ck_assert_uint_eq(v->chain_count, 0);
	rq = request(&c);
	rq.chain = VERIFY_CHAIN_NAMED;
	forge_fails(&rq, CHECK_CHAIN_INPUTS, "another content");
	objects.all[0].id.b[0] ^= 1;
	rq = request(&b);
	rq.chain = VERIFY_CHAIN_NAMED;
	forge_undecided(&rq, CHECK_CHAIN_INPUTS, "missing certificate");
	forge_objects_free(&objects);
}
END_TEST

/* The level demanded is a matter of the lineage, not a fault of an ancestor. */
START_TEST(level_of_the_lineage)
{
	struct oid a = generation(NULL, NULL, NULL);
	struct oid b = generation(&a, "model.safetensors", NULL);
	struct verify_request rq = request(&b);
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	rq.required = LEVEL_VTPM;
	v = forge_judge(&rq);
	ck_assert_int_eq(v->checks[CHECK_CHAIN_INPUTS].result, VERDICT_PASS);
	ck_assert_int_eq(v->answer, ANSWER_FAIL);
	ck_assert_int_eq(v->level, LEVEL_SIMULATED);
	ck_assert_int_eq(v->required, LEVEL_VTPM);
	ck_assert_int_eq(v->chain[0]->required, LEVEL_VTPM);
	forge_objects_free(&objects);
}
END_TEST

static struct oid shared;

static void
both_inputs(struct forge *f)
{
	struct resource_input *in[] = {&f->events[FORGE_CODE].u.input, &forge_spec(f)->inputs[0]};

	for (size_t i = 0; i < 2; i++) {
		in[i]->thing.size = strlen(FORGE_WEIGHTS);
		in[i]->thing.digests = f->events[FORGE_DATA].u.input.thing.digests;
		in[i]->made_by = calloc(1, sizeof *in[i]->made_by);
		in[i]->made_by->certificate = shared;
		in[i]->made_by->path = strdup("model.safetensors");
	}
}

/* Two inputs of one certificate, and one met again further up: judged once. */
START_TEST(diamond)
{
	struct oid a = generation(NULL, NULL, NULL), b, c;
	struct verify_request rq;
	CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

	b = generation(&a, "model.safetensors", NULL);
	shared = a;
	c = generation(&b, "model.safetensors", both_inputs);
	rq = request(&c);
	v = forge_judge(&rq);
	ck_assert_int_eq(v->answer, ANSWER_PASS);
	ck_assert_uint_eq(v->chain_count, 2);
	ck_assert(oid_equal(&v->chain[1]->certificate, &a));
	forge_objects_free(&objects);
}
END_TEST

/* No hash makes a cycle: a callback that lies does, and object.id finds it. */
static int
lying_fetch(void *arg, const struct oid *id UNUSED, size_t max UNUSED, struct buf *ret,
    struct err *e)
{
	struct buf *all = arg;

	buf_add(ret, all->data, all->len);
	return buf_check(ret, e);
}

START_TEST(cycle)
{
	struct oid a = {{1}}, b = generation(&a, "model.safetensors", NULL);
	struct verify_request rq = request(&b);

	rq.fetch = lying_fetch;
	rq.fetch_arg = &objects.all[0].data;
	forge_fails(&rq, CHECK_CHAIN_INPUTS, "another digest");
	/* certificates that do name each other: judged under the name asked for */
	{
		struct checks_lineage *l = calloc(1, sizeof *l);
		struct verdict *v;
		struct err e;

		UNIT_OK(memo_new(&rq.memo, &e), &e);
		l->active[l->depth++] = a;
		rq.fetch = forge_fetch;
		rq.fetch_arg = &objects;
		objects.all[0].id = a;
		objects.fail = ERR_NONE;
		UNIT_OK(verify_one(&rq, l, NULL, &v, &e), &e);
		ck_assert_int_eq(v->checks[CHECK_CHAIN_INPUTS].result, VERDICT_FAIL);
		verdict_free(v);
		memo_free(rq.memo);
		free(l);
	}
	forge_objects_free(&objects);
}
END_TEST

START_TEST(depth_is_bounded)
{
	struct oid id = generation(NULL, NULL, NULL);
	struct verify_request rq;

	for (size_t i = 0; i + 1 < CHAIN_DEEP; i++)
		id = generation(&id, "model.safetensors", NULL);
	rq = request(&id);
	forge_passes(&rq);
	id = generation(&id, "model.safetensors", NULL);
	rq = request(&id);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->answer, ANSWER_FAIL);
		ck_assert_int_eq(v->checks[CHECK_CHAIN_INPUTS].result, VERDICT_FAIL);
	}
	forge_objects_free(&objects);
}
END_TEST

UNIT_SUITE(checks_chain)
{
	tcase_add_test(tc, three_generations);
	tcase_add_test(tc, no_made_by_passes);
	tcase_add_test(tc, missing_ancestor);
	tcase_add_test(tc, no_memory_is_no_verdict);
	tcase_add_test(tc, foreign_ancestor);
	tcase_add_test(tc, ancestor_that_fails);
	tcase_add_test(tc, ancestor_that_is_named);
	tcase_add_test(tc, level_of_the_lineage);
	tcase_add_test(tc, diamond);
	tcase_add_test(tc, cycle);
	tcase_add_test(tc, depth_is_bounded);
}
