#include "verify/quote-verdict.h"

#include <string.h>
#include "base/hex.h"
#include "evidence/fixture.h"
#include "pki.h"
#include "unit.h"

#define NOW 1763900000

struct question {
	struct fixture_quote q;
	struct pki *root, *leaf;
	struct x509_cert *root_cert;
	struct buf chain, nonce, pcrs, key;
	struct quote_verdict_request rq;
};

static void
verdict_freep(struct verdict **v)
{
	verdict_free(*v);
}

static void
question_pcrs(struct question *x)
{
	char hex[129];

	buf_adds(&x->pcrs, "{\"sha256\":{");
	for (unsigned i = 0; i < 24; i++) {
		hex_encode(hex, x->q.sha256[i], 32);
		buf_addf(&x->pcrs, "%s\"%u\":\"%s\"", i > 0 ? "," : "", i, hex);
	}
	buf_adds(&x->pcrs, "},\"sha384\":{");
	for (unsigned i = 0; i < 24; i++) {
		hex_encode(hex, x->q.sha384[i], 48);
		buf_addf(&x->pcrs, "%s\"%u\":\"%s\"", i > 0 ? "," : "", i, hex);
	}
	buf_adds(&x->pcrs, "}}");
}

/* The fixture's quote, signed again by a key that has a certificate. */
static void
question_make(struct question *x, const struct pki_options *o)
{
	struct pki_options options = *o;

	memset(x, 0, sizeof *x);
	fixture_make(&x->q, PKI_P256, 0x0018, 0x000b);
	x->root = pki_root("root");
	x->root_cert = pki_cert(x->root);
	options.name = "ak";
	options.issuer = x->root;
	x->leaf = pki_make(&options);
	buf_reset(&x->q.signature);
	fixture_sign(x->leaf, 0x0018, 0x000b, &x->q.attest, &x->q.signature);
	pki_pem(x->leaf, &x->chain);
	buf_add(&x->nonce, x->q.extra, 32);
	question_pcrs(x);
	x->rq = (struct quote_verdict_request){.subject = "q", .attest = &x->q.attest,
	    .signature = &x->q.signature, .format = {.tpmt = true}, .chain_pem = &x->chain,
	    .roots = &x->root_cert, .root_count = 1, .pcrs = &x->pcrs, .nonce = &x->nonce,
	    .time = NOW, .time_source = "--at"};
}

static void
question_free(struct question *x)
{
	fixture_free(&x->q);
	pki_free(x->root);
	pki_free(x->leaf);
	x509_free(x->root_cert);
	buf_free(&x->chain);
	buf_free(&x->nonce);
	buf_free(&x->pcrs);
	buf_free(&x->key);
}

static struct verdict *
ask(const struct question *x)
{
	struct verdict *v = NULL;
	struct err e;

	UNIT_OK(quote_verdict(&x->rq, &v, &e), &e);
	return v;
}

/* Exactly this check fails. */
static void
fails_only(const struct question *x, enum verdict_check c)
{
	CLEANUP(verdict_freep) struct verdict *v = ask(x);

	ck_assert_int_eq(v->answer, ANSWER_FAIL);
	for (enum verdict_check i = 0; i < CHECK_COUNT; i++)
		ck_assert_msg((v->checks[i].result == VERDICT_FAIL) == (i == c), "%s: %s",
		    verdict_check_name(i), v->checks[i].found != NULL ? v->checks[i].found : "");
}

static const struct pki_options ak = {.usage = "digitalSignature"};

START_TEST(good_quote)
{
	CLEANUP(question_free) struct question x;
	CLEANUP(verdict_freep) struct verdict *v = NULL;
	CLEANUP(buf_free) struct buf json = BUF_INIT;
	struct err e;

	question_make(&x, &ak);
	v = ask(&x);
	ck_assert_int_eq(v->answer, ANSWER_PASS);
	ck_assert_int_eq(v->level, LEVEL_NONE);
	for (enum verdict_check c = 0; c < CHECK_COUNT; c++)
		ck_assert_int_eq(v->checks[c].result == VERDICT_PASS, v->asked[c] && c != CHECK_BOOT_LOG);
	UNIT_OK(verdict_to_json(v, &json, &e), &e);
	ck_assert_ptr_nonnull(strstr(buf_str(&json), "\"name\":\"quote.pcrs\""));
	ck_assert_ptr_null(strstr(buf_str(&json), "run.exit"));
}
END_TEST

START_TEST(each_check_alone)
{
	CLEANUP(question_free) struct question x;

	question_make(&x, &ak);
	x.nonce.data[31] ^= 1;
	fails_only(&x, CHECK_QUOTE_BINDING);
	x.nonce.data[31] ^= 1;
	x.nonce.len--;
	fails_only(&x, CHECK_QUOTE_BINDING);
	x.nonce.len++;
	x.q.signature.data[20] ^= 1;
	fails_only(&x, CHECK_QUOTE_SIGNATURE);
	x.q.signature.data[20] ^= 1;
	x.rq.time = 4000000000;
	fails_only(&x, CHECK_AK_CHAIN);
	x.rq.time = NOW;
	x.rq.root_count = 0;
	fails_only(&x, CHECK_AK_CHAIN);
	x.rq.root_count = 1;
	x.rq.require[HASH_SHA512] = 1;
	fails_only(&x, CHECK_QUOTE_STRUCTURE);
	x.rq.require[HASH_SHA512] = 0;
	*strchr((char *)x.pcrs.data, '0') = '7';
	fails_only(&x, CHECK_QUOTE_PCRS);
	x.pcrs.len--;
	fails_only(&x, CHECK_QUOTE_PCRS);
}
END_TEST

START_TEST(leaf_profiles)
{
	static const struct pki_options bad[] = {
		{.usage = "keyEncipherment"}, {.usage = NULL}, {.usage = "digitalSignature,keyCertSign"},
		{.usage = "digitalSignature", .eku = "timeStamping"},
	};
	CLEANUP(question_free) struct question x;

	question_make(&x, &bad[_i]);
	fails_only(&x, CHECK_AK_KEY);
}
END_TEST

START_TEST(what_is_not_decided)
{
	CLEANUP(question_free) struct question x;

	question_make(&x, &ak);
	x.rq.nonce = NULL;
	{
		CLEANUP(verdict_freep) struct verdict *v = ask(&x);

		ck_assert_int_eq(v->answer, ANSWER_UNDECIDED);
		ck_assert(v->checks[CHECK_QUOTE_BINDING].missing);
	}
	x.rq.any_nonce = true;
	x.rq.pcrs = NULL;
	{
		CLEANUP(verdict_freep) struct verdict *v = ask(&x);

		ck_assert_int_eq(v->answer, ANSWER_PASS);
		ck_assert_int_eq(v->checks[CHECK_QUOTE_BINDING].result, VERDICT_SKIP);
		ck_assert_int_eq(v->checks[CHECK_QUOTE_PCRS].result, VERDICT_SKIP);
	}
}
END_TEST

START_TEST(logs_that_are_none)
{
	static const struct buf empty = BUF_INIT;
	CLEANUP(question_free) struct question x;

	question_make(&x, &ak);
	x.rq.event_log = &x.chain;
	fails_only(&x, CHECK_BOOT_LOG);
	x.rq.event_log = &empty;
	fails_only(&x, CHECK_BOOT_LOG);
}
END_TEST

/* A key or a chain, not both; a chain that is none fails and judges nothing by it. */
START_TEST(keys_and_chains)
{
	CLEANUP(question_free) struct question x;
	struct verdict *none = NULL;
	struct err e;

	question_make(&x, &ak);
	x.rq.key_pem = &x.chain;
	UNIT_FAILS(quote_verdict(&x.rq, &none, &e), &e, ERR_USAGE);
	x.rq.chain_pem = NULL;
	{
		CLEANUP(verdict_freep) struct verdict *v = ask(&x);

		ck_assert_int_eq(v->checks[CHECK_AK_KEY].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_QUOTE_SIGNATURE].result, VERDICT_SKIP);
		ck_assert_int_eq(v->answer, ANSWER_FAIL);
	}
	x.rq.key_pem = NULL;
	x.rq.chain_pem = &x.pcrs;
	{
		CLEANUP(verdict_freep) struct verdict *v = ask(&x);

		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_AK_KEY].result, VERDICT_FAIL);
		ck_assert_int_eq(v->answer, ANSWER_FAIL);
	}
}
END_TEST

/* By trust entries: purpose ak ends a chain, others do not; its age is said. */
START_TEST(trust_entries)
{
	static const struct {
		enum trust_purpose purpose;
		int64_t ak_from;
		enum verdict_result result;
	} cases[] = {
		{TRUST_AK, 0, VERDICT_PASS}, {TRUST_AK, NOW, VERDICT_PASS}, {TRUST_EK, 0, VERDICT_FAIL},
		{TRUST_TSA, 0, VERDICT_FAIL}, {TRUST_INTERMEDIATE, 0, VERDICT_FAIL},
	};
	CLEANUP(question_free) struct question x;
	CLEANUP(trust_free) struct trust t = {0};
	CLEANUP(buf_free) struct buf document = BUF_INIT;
	CLEANUP(verdict_freep) struct verdict *v = NULL;
	struct trust_entry entry = {.purpose = cases[_i].purpose, .grants = LEVEL_VTPM,
	    .not_after = 4000000000, .ak_not_before = cases[_i].ak_from};
	char name[] = "root";
	struct err e;

	question_make(&x, &ak);
	entry.name = name;
	entry.cert = x.root_cert;
	UNIT_OK(trust_encode(&entry, &document, &e), &e);
	UNIT_OK(trust_add(&t, document.data, document.len, &e), &e);
	ck_assert_int_eq(t.entries[0].ak_not_before, cases[_i].ak_from);
	x.rq.root_count = 0;
	x.rq.trust = &t;
	v = ask(&x);
	ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, cases[_i].result);
	ck_assert_uint_eq(v->note_count, cases[_i].result == VERDICT_FAIL ? 0u :
	    cases[_i].ak_from != 0 ? 2u : 1u);
}
END_TEST

START_TEST(every_byte_counts)
{
	CLEANUP(question_free) struct question x;
	struct buf *parts[] = {&x.q.attest, &x.q.signature};

	question_make(&x, &ak);
	for (size_t p = 0; p < 2; p++) {
		size_t whole = parts[p]->len;

		for (size_t i = 0; i < whole; i++) {
			parts[p]->data[i] ^= 0x40;
			{
				CLEANUP(verdict_freep) struct verdict *v = ask(&x);

				ck_assert_msg(v->answer == ANSWER_FAIL, "part %zu, byte %zu", p, i);
			}
			parts[p]->data[i] ^= 0x40;
			parts[p]->len = i;
			{
				CLEANUP(verdict_freep) struct verdict *v = ask(&x);

				ck_assert_msg(v->answer == ANSWER_FAIL, "part %zu, cut at %zu", p, i);
			}
			parts[p]->len = whole;
		}
	}
}
END_TEST

UNIT_SUITE(quote_verdict)
{
	tcase_add_test(tc, good_quote);
	tcase_add_test(tc, each_check_alone);
	tcase_add_loop_test(tc, leaf_profiles, 0, 4);
	tcase_add_test(tc, what_is_not_decided);
	tcase_add_test(tc, logs_that_are_none);
	tcase_add_test(tc, keys_and_chains);
	tcase_add_loop_test(tc, trust_entries, 0, 5);
	tcase_add_test(tc, every_byte_counts);
}
