#include <string.h>
#include "base/timestamp.h"
#include "codec/base64.h"
#include "evidence/fixture.h"
#include "verify/forge.h"
#include "unit.h"

static struct forge f;

static void
public_with(uint32_t attributes)
{
	buf_reset(&f.ak_public);
	fixture_public(f.ak, 0x0018, 0x000b, attributes, &f.ak_public);
}

START_TEST(attributes)
{
	static const struct { uint32_t flip; const char *found; } bad[] = {
		{1u << 1, "fixedTPM"}, {1u << 4, "fixedParent"}, {1u << 5, "sensitiveDataOrigin"},
		{1u << 16, "restricted"}, {1u << 18, "sign"}, {1u << 17, "decrypt"},
	};

	forge_new(&f);
	public_with(FIXTURE_ATTRIBUTES ^ bad[_i].flip);
	forge_refused(&f, CHECK_AK_KEY, bad[_i].found);
}
END_TEST

START_TEST(hierarchies)
{
	static const enum ak_hierarchy good[] = {AK_ENDORSEMENT, AK_OWNER, AK_PLATFORM};

	for (size_t i = 0; i < 3; i++) {
		struct verify_request rq;

		forge_new(&f);
		f.hierarchy = good[i];
		forge_finish(&f);
		rq = forge_request(&f);
		forge_passes(&rq);
		forge_free(&f);
	}
	forge_new(&f);
	f.hierarchy = AK_NULL;
	forge_refused(&f, CHECK_AK_KEY, "null hierarchy");
}
END_TEST

static void
other_signer(struct attest *start, struct attest *final)
{
	start->signer[5] ^= 1;
	final->signer[5] ^= 1;
}

START_TEST(underivable_signer_needs_a_chain)
{
	forge_new(&f);
	f.tweak = other_signer;
	forge_refused(&f, CHECK_AK_KEY, "another qualified signer");
}
END_TEST

START_TEST(unreadable_public)
{
	struct verify_request rq;

	forge_new(&f);
	forge_finish(&f);
	buf_addc(&f.ak_public, 0);
	forge_encode(&f);
	rq = forge_request(&f);
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_AK_KEY].result, VERDICT_FAIL);
		ck_assert_int_eq(v->checks[CHECK_QUOTE_SIGNATURE].result, VERDICT_SKIP);
		ck_assert_int_eq(v->answer, ANSWER_FAIL);
		ck_assert_int_eq(v->level, LEVEL_NONE);
	}
	forge_free(&f);
}
END_TEST

/* --- chains --- */

static struct pki *root, *ca;
static struct trust trust;

static void
chain_make(void)
{
	root = pki_root("root");
	ca = pki_ca("intermediate", root);
}

static void
chain_drop(void)
{
	pki_free(root);
	pki_free(ca);
	trust_free(&trust);
}

static void
trust_root(const char *grants, const char *purpose, const char *until)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err e;

	pki_der(root, &der);
	buf_adds(&text, "{\"certificate\":\"");
	base64_encode(&text, der.data, der.len);
	buf_addf(&text, "\",\"grants\":\"%s\",\"mediaType\":\"application/vnd.aicert.trust.v1+json\","
	    "\"name\":\"root\",\"notAfter\":\"%s\",\"notBefore\":\"2020-01-01T00:00:00Z\","
	    "\"purpose\":\"%s\"}", grants, until, purpose);
	UNIT_OK(trust_add(&trust, text.data, text.len, &e), &e);
}

/* A run whose AK has a certificate of the intermediate. */
static void
chain_forge(const struct pki_options *o)
{
	struct pki *leaf = pki_make(o);

	forge_new(&f);
	pki_free(f.ak);
	f.ak = leaf;
	public_with(FIXTURE_ATTRIBUTES);
	pki_der(leaf, &f.cert.ak_chain[0]);
	pki_der(ca, &f.cert.ak_chain[1]);
	f.cert.ak_chain_count = 2;
}

static const struct pki_options *
leaf_options(void)
{
	static struct pki_options o;

	o = (struct pki_options){.name = "ak", .issuer = ca, .usage = "critical,digitalSignature"};
	return &o;
}

START_TEST(pinned_chain)
{
	struct verify_request rq;

	chain_make();
	trust_root("vtpm", "ak", "2040-01-01T00:00:00Z");
	chain_forge(leaf_options());
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_PASS);
		ck_assert_int_eq(v->checks[CHECK_AK_KEY].result, VERDICT_PASS);
		/* what the root grants does not lift a software TPM */
		ck_assert_int_eq(v->level, LEVEL_SIMULATED);
		ck_assert(oid_equal(&v->trust_digest, &trust.digest));
	}
	forge_free(&f);
	/* a chain vouches for a key that is no primary */
	chain_forge(leaf_options());
	f.tweak = other_signer;
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	forge_passes(&rq);
	/* not without the entry */
	rq.trust = NULL;
	forge_fails(&rq, CHECK_AK_KEY, "another qualified signer");
	forge_free(&f);
	chain_drop();
}
END_TEST

/* Nobody certifies for longer than a boot what is gone at the next. */
START_TEST(null_hierarchy_in_spite_of_a_chain)
{
	struct verify_request rq;

	chain_make();
	trust_root("vtpm", "ak", "2040-01-01T00:00:00Z");
	chain_forge(leaf_options());
	f.hierarchy = AK_NULL;
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	forge_fails(&rq, CHECK_AK_KEY, "null hierarchy");
	forge_free(&f);
	chain_drop();
}
END_TEST

static void
trust_entry(const struct trust_entry *t)
{
	CLEANUP(buf_free) struct buf document = BUF_INIT;
	struct err e;

	UNIT_OK(trust_encode(t, &document, &e), &e);
	UNIT_OK(trust_add(&trust, document.data, document.len, &e), &e);
}

/* An entry that vouches only for keys certified from a day on: the chain is good, and
 * grants nothing to an older one. */
START_TEST(keys_certified_before_the_day)
{
	char name[] = "root";
	struct trust_entry t = {.name = name, .purpose = TRUST_AK, .grants = LEVEL_VTPM,
	    .not_after = 4000000000, .ak_not_before = FORGE_TIME - (_i == 0 ? 10 : 1000)};
	struct pki_options o;
	struct verify_request rq;

	chain_make();
	t.cert = pki_cert(root);
	trust_entry(&t);
	o = *leaf_options();
	o.from = FORGE_TIME - 500;
	chain_forge(&o);
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);
		bool said = false;

		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_PASS);
		for (size_t i = 0; i < v->note_count; i++)
			said |= strstr(v->notes[i], "grants such keys no level") != NULL;
		ck_assert_int_eq(said, _i == 0);
	}
	x509_free(t.cert);
	forge_free(&f);
	chain_drop();
}
END_TEST

/* Purposes that an entry asks for, where the certificate has none. */
START_TEST(purposes_that_an_entry_asks_for)
{
	char name[] = "root";
	struct trust_entry t = {.name = name, .purpose = TRUST_AK, .grants = LEVEL_VTPM,
	    .not_after = 4000000000};
	struct verify_request rq;
	struct err e;

	chain_make();
	t.cert = pki_cert(root);
	UNIT_OK(trust_leaf_add(_i == 0 ? &t.required : &t.forbidden, "2.23.133.8.3", &e), &e);
	trust_entry(&t);
	chain_forge(leaf_options());
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	if (_i == 0)
		forge_fails(&rq, CHECK_AK_CHAIN, "lacks the purpose 2.23.133.8.3");
	else
		forge_passes(&rq);
	x509_free(t.cert);
	forge_free(&f);
	chain_drop();
}
END_TEST

/* An intermediate among the entries completes a chain; alone it ends none. */
START_TEST(intermediates_that_are_known)
{
	char name[] = "middle";
	struct trust_entry t = {.name = name, .purpose = TRUST_INTERMEDIATE, .not_after = 4000000000};
	struct verify_request rq;

	chain_make();
	t.cert = pki_cert(ca);
	trust_entry(&t);
	chain_forge(leaf_options());
	f.cert.ak_chain_count = 1;
	buf_free(&f.cert.ak_chain[1]);
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	for (int pinned = 0; pinned < 2; pinned++) {
		CLEANUP(forge_verdict_freep) struct verdict *v = NULL;

		if (pinned == 1)
			trust_root("vtpm", "ak", "2040-01-01T00:00:00Z");
		v = forge_judge(&rq);
		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result,
		    pinned == 1 ? VERDICT_PASS : VERDICT_SKIP);
	}
	x509_free(t.cert);
	forge_free(&f);
	chain_drop();
}
END_TEST

START_TEST(lists_that_are_none)
{
	struct buf list = BUF_INIT;
	struct verify_request rq;

	chain_make();
	trust_root("vtpm", "ak", "2040-01-01T00:00:00Z");
	chain_forge(leaf_options());
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	buf_adds(&list, "not a list");
	rq.crls = &list;
	rq.crl_count = 1;
	forge_fails(&rq, CHECK_REVOCATION, "revocation list");
	rq.crl_count = 0;
	forge_passes(&rq);
	buf_free(&list);
	forge_free(&f);
	chain_drop();
}
END_TEST

START_TEST(unpinned_chain_is_no_fault)
{
	static const char *const purposes[] = {"ek", "tsa", "snp", "ak"};
	struct verify_request rq;

	chain_make();
	/* the last one is expired at the time of verification */
	trust_root("vtpm", purposes[_i], _i == 3 ? "2021-01-01T00:00:00Z" : "2040-01-01T00:00:00Z");
	chain_forge(leaf_options());
	forge_finish(&f);
	rq = forge_request(&f);
	rq.trust = &trust;
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_int_eq(v->checks[CHECK_AK_CHAIN].result, VERDICT_SKIP);
		ck_assert(!v->checks[CHECK_AK_CHAIN].missing);
		ck_assert_int_eq(v->answer, ANSWER_PASS);
	}
	rq.trust = NULL;
	forge_passes(&rq);
	forge_free(&f);
	chain_drop();
}
END_TEST

START_TEST(expired_chain)
{
	struct verify_request rq;
	struct pki_options o;

	chain_make();
	o = *leaf_options();
	o.from = FORGE_TIME - 1000;
	o.until = FORGE_TIME - 100;
	chain_forge(&o);
	forge_finish(&f);
	rq = forge_request(&f);
	forge_fails(&rq, CHECK_AK_CHAIN, "");
	rq.time_source = "now";
	{
		CLEANUP(forge_verdict_freep) struct verdict *v = forge_judge(&rq);

		ck_assert_ptr_nonnull(strstr(v->notes[0], "--at"));
	}
	rq.time = FORGE_TIME - 500;
	forge_passes(&rq);
	forge_free(&f);
	chain_drop();
}
END_TEST

START_TEST(broken_chain)
{
	struct pki *stranger;

	chain_make();
	stranger = pki_root("stranger");
	chain_forge(leaf_options());
	buf_free(&f.cert.ak_chain[1]);
	pki_der(stranger, &f.cert.ak_chain[1]);
	forge_refused(&f, CHECK_AK_CHAIN, "");
	chain_forge(leaf_options());
	buf_free(&f.cert.ak_chain[1]);
	buf_adds(&f.cert.ak_chain[1], "not a certificate");
	forge_refused(&f, CHECK_AK_CHAIN, "");
	pki_free(stranger);
	chain_drop();
}
END_TEST

START_TEST(leaf_of_another_key_or_use)
{
	struct pki_options o;
	struct pki *other;

	chain_make();
	chain_forge(leaf_options());
	other = pki_make(leaf_options());
	buf_free(&f.cert.ak_chain[0]);
	pki_der(other, &f.cert.ak_chain[0]);
	forge_refused(&f, CHECK_AK_KEY, "");
	pki_free(other);
	o = *leaf_options();
	o.usage = "critical,keyEncipherment";
	chain_forge(&o);
	forge_refused(&f, CHECK_AK_KEY, "");
	chain_drop();
}
END_TEST

UNIT_SUITE(checks_key)
{
	tcase_add_loop_test(tc, attributes, 0, 6);
	tcase_add_test(tc, hierarchies);
	tcase_add_test(tc, underivable_signer_needs_a_chain);
	tcase_add_test(tc, unreadable_public);
	tcase_add_test(tc, pinned_chain);
	tcase_add_test(tc, null_hierarchy_in_spite_of_a_chain);
	tcase_add_loop_test(tc, keys_certified_before_the_day, 0, 2);
	tcase_add_loop_test(tc, purposes_that_an_entry_asks_for, 0, 2);
	tcase_add_test(tc, intermediates_that_are_known);
	tcase_add_test(tc, lists_that_are_none);
	tcase_add_loop_test(tc, unpinned_chain_is_no_fault, 0, 4);
	tcase_add_test(tc, expired_chain);
	tcase_add_test(tc, broken_chain);
	tcase_add_test(tc, leaf_of_another_key_or_use);
}
