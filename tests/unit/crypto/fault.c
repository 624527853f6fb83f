/*
 * libcrypto without memory, at every allocation in turn: an error or a no, never
 * a yes that is not deserved, never a crash.
 */
#include "unit.h"

#include <openssl/crypto.h>
#include <string.h>
#include "pki.h"

#define NOW 1763900000 /* 2025-11-23 */

static long fault_countdown = -1; /* allocations until one fails; -1: none does */

static bool
fault_now(void)
{
	return fault_countdown > 0 && --fault_countdown == 0;
}

static void *
fault_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fault_now() ? NULL : malloc(n);
}

static void *
fault_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fault_now() ? NULL : realloc(p, n);
}

static void
fault_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

struct fault_world {
	struct buf leaf, middle, spki, sig;
	struct x509_cert *anchor;
	struct key *key;
};

static void
fault_setup(struct fault_world *w)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *middle = pki_ca("middle", root);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", middle);
	struct err e;

	pki_der(middle, &w->middle);
	pki_der(leaf, &w->leaf);
	w->anchor = pki_cert(root);
	w->key = pki_key(leaf);
	UNIT_OK(key_spki(w->key, &w->spki, &e), &e);
	pki_sign(leaf, KEY_ECDSA, HASH_SHA256, "text", 4, &w->sig);
}

static void
fault_teardown(struct fault_world *w)
{
	buf_free(&w->leaf);
	buf_free(&w->middle);
	buf_free(&w->spki);
	buf_free(&w->sig);
	x509_free(w->anchor);
	key_free(w->key);
}

/* 1: good, 0: not good, -1: not decided */
static int
fault_verify(const struct fault_world *w, const char *text)
{
	CLEANUP(key_freep) struct key *k = NULL;
	bool good = false;
	struct err e;

	if (key_from_spki(w->spki.data, w->spki.len, &k, &e) != 0 ||
	    key_verify(k, KEY_ECDSA, HASH_SHA256, false, text, strlen(text), w->sig.data, w->sig.len,
	    &good, &e) != 0)
		return -1;
	return good;
}

static int
fault_chain(const struct fault_world *w, int64_t time)
{
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	struct x509_cert *chain[2] = {NULL, NULL};
	bool good = false;
	int rc = -1;
	struct err e;

	if (x509_decode(w->leaf.data, w->leaf.len, &chain[0], &e) == 0 &&
	    x509_decode(w->middle.data, w->middle.len, &chain[1], &e) == 0 &&
	    x509_chain_ok(chain, 2, w->anchor, time, &good, &reason, &e) == 0)
		rc = good;
	x509_free(chain[0]);
	x509_free(chain[1]);
	return rc;
}

static int
fault_verify_good(const struct fault_world *w)
{
	return fault_verify(w, "text");
}

static int
fault_verify_bad(const struct fault_world *w)
{
	return fault_verify(w, "texT");
}

static int
fault_chain_good(const struct fault_world *w)
{
	return fault_chain(w, NOW);
}

static int
fault_chain_expired(const struct fault_world *w)
{
	return fault_chain(w, 3000000000);
}

static const struct {
	int (*run)(const struct fault_world *w);
	int answer;
} fault_cases[] = {
	{fault_verify_good, 1}, {fault_verify_bad, 0},
	{fault_chain_good, 1}, {fault_chain_expired, 0},
};

START_TEST(fault_every_allocation)
{
	struct fault_world w = {0};
	long n = 0;
	bool reached;

	/* before libcrypto has any memory of its own */
	ck_assert_int_eq(CRYPTO_set_mem_functions(fault_malloc, fault_realloc, fault_free), 1);
	fault_setup(&w);
	ck_assert_int_eq(fault_cases[_i].run(&w), fault_cases[_i].answer);
	do {
		int rc;

		fault_countdown = ++n;
		rc = fault_cases[_i].run(&w);
		reached = fault_countdown == 0;
		fault_countdown = -1;
		ck_assert_msg(rc != 1 || fault_cases[_i].answer == 1, "allocation %ld", n);
	} while (reached);
	ck_assert_int_gt(n, 20);
	ck_assert_int_eq(fault_cases[_i].run(&w), fault_cases[_i].answer);
	fault_teardown(&w);
}
END_TEST

UNIT_SUITE(fault)
{
	tcase_add_loop_test(tc, fault_every_allocation, 0,
	    (int)(sizeof fault_cases / sizeof *fault_cases));
}
