#include "verify/memo.h"

#include <pthread.h>
#include <string.h>
#include "unit.h"
#include "verify/machine.h"

#define WAYS_MAX 64

/* Requests that differ in one thing each, and what a verifier without a memo says. */
struct ways {
	struct machine m;
	struct pki *other_ca, *other_leaf;
	struct trust none;
	struct verify_request rqs[WAYS_MAX];
	struct buf bytes[WAYS_MAX], wanted[WAYS_MAX];
	size_t n;
};

static void
said(const struct verify_request *rq, struct memo *memo, struct buf *ret)
{
	struct verify_request with = *rq;
	struct verdict *v;
	struct err e;

	with.memo = memo;
	v = forge_judge(&with);
	UNIT_OK(verdict_to_json(v, ret, &e), &e);
	verdict_free(v);
}

/* The certificate as it is now, at this time, by these trust entries. */
static void
way(struct ways *w, int64_t time, const struct trust *trust)
{
	struct verify_request *rq = &w->rqs[w->n];

	ck_assert_uint_lt(w->n, WAYS_MAX);
	forge_encode(&w->m.f);
	buf_add(&w->bytes[w->n], w->m.f.bytes.data, w->m.f.bytes.len);
	*rq = w->m.rq;
	rq->id = w->m.f.id;
	rq->data = w->bytes[w->n].data;
	rq->len = w->bytes[w->n].len;
	rq->time = time;
	rq->trust = trust;
	rq->required = LEVEL_SIMULATED;
	said(rq, NULL, &w->wanted[w->n]);
	w->n++;
}

static void
swap(struct buf *a, struct buf *b)
{
	struct buf c = *a;

	*a = *b;
	*b = c;
}

/* One link of the chain is other bytes for a while. */
static void
way_with(struct ways *w, size_t link, const struct pki *other)
{
	struct buf *place = &w->m.f.cert.ak_chain[link];
	struct buf was = BUF_INIT;

	swap(&was, place);
	pki_der(other, place);
	way(w, FORGE_TIME, &w->m.trust);
	buf_free(place);
	swap(&was, place);
}

static void
ways_flipped(struct ways *w)
{
	struct buf *all[] = {
		&w->m.f.cert.ak_chain[0], &w->m.f.cert.ak_chain[1], &w->m.f.cert.ak_public,
	};

	for (size_t i = 0; i < 3; i++) {
		for (size_t at = 7; at < all[i]->len; at += all[i]->len / 8) {
			all[i]->data[at] ^= 1;
			way(w, FORGE_TIME, &w->m.trust);
			all[i]->data[at] ^= 1;
		}
	}
}

static void
ways_new(struct ways *w)
{
	static const struct pki_options leaf = {
		.name = "ak", .key = PKI_P256, .usage = "digitalSignature",
		.until = FORGE_TIME + 1000,
	};

	memset(w, 0, sizeof *w);
	machine_new(&w->m);
	machine_pcrs(&w->m);
	machine_log(&w->m);
	machine_chain(&w->m, &leaf);
	machine_finish(&w->m);
	w->other_ca = pki_ca("another", w->m.root);
	w->other_leaf = pki_make(&(struct pki_options){.name = "ak", .key = PKI_P256,
	    .usage = "keyEncipherment", .issuer = w->m.ca, .same_key = w->m.f.ak});
	way(w, FORGE_TIME, &w->m.trust);
	way(w, FORGE_TIME + 2000, &w->m.trust);    /* expired */
	way(w, FORGE_TIME, &w->none);              /* nobody vouches */
	way(w, FORGE_TIME, NULL);
	way_with(w, 0, w->other_leaf);             /* the same key, another purpose */
	way_with(w, 0, w->other_ca);
	way_with(w, 1, w->other_ca);
	w->m.f.cert.ak_chain_count = 1;
	way(w, FORGE_TIME, &w->m.trust);
	w->m.f.cert.ak_chain_count = 0;
	way(w, FORGE_TIME, &w->m.trust);
	w->m.f.cert.ak_chain_count = 2;
	ways_flipped(w);
}

static void
ways_free(struct ways *w)
{
	for (size_t i = 0; i < w->n; i++) {
		buf_free(&w->bytes[i]);
		buf_free(&w->wanted[i]);
	}
	pki_free(w->other_ca);
	pki_free(w->other_leaf);
	machine_free(&w->m);
}

static struct ways w;

/* Whatever was judged before: the verdict is that of a verifier who knows nothing yet. */
START_TEST(an_answer_stands_for_one_question)
{
	CLEANUP(memo_freep) struct memo *memo = NULL;
	size_t good = 0;
	struct err e;

	UNIT_OK(memo_new(&memo, &e), &e);
	ways_new(&w);
	for (size_t round = 0; round < 3; round++) {
		for (size_t k = 0; k < w.n; k++) {
			size_t i = round == 1 ? w.n - 1 - k : k;
			CLEANUP(buf_free) struct buf got = BUF_INIT;

			said(&w.rqs[i], memo, &got);
			ck_assert_msg(strcmp(buf_str(&got), buf_str(&w.wanted[i])) == 0, "%zu: %s\n%s", i,
			    buf_str(&got), buf_str(&w.wanted[i]));
			good += strstr(buf_str(&got), "\"verdict\":\"pass\"") != NULL;
		}
	}
	ck_assert_uint_ge(good, 3); /* and not because all of them fail */
	ck_assert_uint_lt(good, 3 * w.n);
	ways_free(&w);
}
END_TEST

static void *
judge_all(void *arg)
{
	size_t *wrong = calloc(1, sizeof *wrong);

	ck_assert_ptr_nonnull(wrong);
	for (size_t i = 0; i < 4 * w.n; i++) {
		CLEANUP(buf_free) struct buf got = BUF_INIT;

		said(&w.rqs[i % w.n], arg, &got);
		*wrong += strcmp(buf_str(&got), buf_str(&w.wanted[i % w.n])) != 0;
	}
	hash_thread_end();
	return wrong;
}

START_TEST(threads_share)
{
	CLEANUP(memo_freep) struct memo *memo = NULL;
	pthread_t threads[4];
	struct err e;

	UNIT_OK(memo_new(&memo, &e), &e);
	ways_new(&w);
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, judge_all, memo), 0);
	for (size_t i = 0; i < 4; i++) {
		void *wrong;

		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_uint_eq(*(size_t *)wrong, 0);
		free(wrong);
	}
	ways_free(&w);
}
END_TEST

static void
drop(void *value)
{
	++*(int *)value;
}

START_TEST(newer_takes_the_place)
{
	unsigned char a[HASH_SHA256_SIZE] = {1, 2}, b[HASH_SHA256_SIZE] = {1, 3};
	struct memo_item *first, *second, *again;
	int dropped[2] = {0};
	struct memo *memo;
	struct err e;

	UNIT_OK(memo_new(&memo, &e), &e);
	ck_assert_ptr_null(memo_get(memo, a));
	UNIT_OK(memo_put(memo, a, &dropped[0], drop, &first, &e), &e);
	again = memo_get(memo, a);
	ck_assert_ptr_eq(again, first);
	memo_release(memo, again);
	ck_assert_ptr_null(memo_get(memo, b));
	UNIT_OK(memo_put(memo, b, &dropped[1], drop, &second, &e), &e);
	ck_assert_ptr_null(memo_get(memo, a));
	ck_assert_int_eq(dropped[0], 0);            /* held still */
	memo_release(memo, first);
	ck_assert_int_eq(dropped[0], 1);
	memo_release(memo, second);
	ck_assert_int_eq(dropped[1], 0);
	memo_free(memo);
	ck_assert_int_eq(dropped[1], 1);
}
END_TEST

UNIT_SUITE(memo)
{
	tcase_add_test(tc, an_answer_stands_for_one_question);
	tcase_add_test(tc, threads_share);
	tcase_add_test(tc, newer_takes_the_place);
}
