#include "verify/trust.h"

#include <string.h>
#include "codec/base64.h"
#include "pki.h"
#include "unit.h"

#define MEDIA "application/vnd.aicert.trust.v1+json"

struct entry { const char *grants, *media, *name, *after, *before, *purpose; };

static struct pki *root;
static char document[8192];

static const char *
text(const struct entry *t)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	CLEANUP(buf_free) struct buf b64 = BUF_INIT;

	if (root == NULL)
		root = pki_root("a root");
	pki_der(root, &der);
	base64_encode(&b64, der.data, der.len);
	snprintf(document, sizeof document, "{\"certificate\":\"%s\",\"grants\":\"%s\","
	    "\"mediaType\":\"%s\",\"name\":\"%s\",\"notAfter\":\"%s\",\"notBefore\":\"%s\","
	    "\"purpose\":\"%s\"}", buf_str(&b64), t->grants, t->media, t->name, t->after, t->before,
	    t->purpose);
	return document;
}

static struct entry
good(void)
{
	return (struct entry){"vtpm", MEDIA, "a root", "2040-01-01T00:00:00Z",
	    "2020-01-01T00:00:00Z", "ak"};
}

START_TEST(entry_is_read)
{
	struct trust t = {0};
	struct entry g = good();
	struct err e;

	UNIT_OK(trust_add(&t, text(&g), strlen(text(&g)), &e), &e);
	ck_assert_uint_eq(t.count, 1);
	ck_assert_str_eq(t.entries[0].name, "a root");
	ck_assert_int_eq(t.entries[0].purpose, TRUST_AK);
	ck_assert_int_eq(t.entries[0].grants, LEVEL_VTPM);
	ck_assert_int_eq(t.entries[0].not_before, 1577836800);
	ck_assert_int_eq(t.entries[0].not_after, 2208988800);
	ck_assert_ptr_nonnull(t.entries[0].cert);
	trust_free(&t);
	ck_assert_uint_eq(t.count, 0);
	pki_free(root);
}
END_TEST

START_TEST(wrong_members)
{
	struct trust t = {0};
	struct entry g;
	struct err e;

#define REFUSED(member, value, code) do { \
	g = good(); \
	g.member = value; \
	UNIT_FAILS(trust_add(&t, text(&g), strlen(text(&g)), &e), &e, code); \
	ck_assert_uint_eq(t.count, 0); \
} while (0)
	REFUSED(media, "application/json", ERR_UNSUPPORTED);
	REFUSED(grants, "none", ERR_FORMAT);
	REFUSED(grants, "VTPM", ERR_FORMAT);
	REFUSED(purpose, "everything", ERR_UNSUPPORTED);
	REFUSED(name, "", ERR_FORMAT);
	REFUSED(name, "\xc3\xa4", ERR_FORMAT);
	REFUSED(after, "2019-01-01T00:00:00Z", ERR_FORMAT);
	REFUSED(after, "2040-01-01", ERR_FORMAT);
	REFUSED(before, "tomorrow", ERR_FORMAT);
#undef REFUSED
	pki_free(root);
}
END_TEST

START_TEST(not_canonical_or_not_whole)
{
	struct trust t = {0};
	struct entry g = good();
	char spaced[8300];
	const char *doc = text(&g);
	size_t len = strlen(doc);
	struct err e;

	snprintf(spaced, sizeof spaced, "%s ", doc);
	UNIT_FAILS(trust_add(&t, spaced, strlen(spaced), &e), &e, ERR_FORMAT);
	snprintf(spaced, sizeof spaced, "{\"a\":1,%s", doc + 1);
	UNIT_FAILS(trust_add(&t, spaced, strlen(spaced), &e), &e, ERR_FORMAT);
	for (size_t n = 0; n < len; n++)
		UNIT_FAILS(trust_add(&t, doc, n, &e), &e, ERR_FORMAT);
	/* a certificate that is none */
	snprintf(spaced, sizeof spaced, "{\"certificate\":\"AAAA\"%s",
	    strstr(doc, ",\"grants\""));
	UNIT_FAILS(trust_add(&t, spaced, strlen(spaced), &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(t.count, 0);
	pki_free(root);
}
END_TEST

START_TEST(one_entry_for_one_use)
{
	struct trust t = {0};
	struct entry g = good();
	struct err e;

	UNIT_OK(trust_add(&t, text(&g), strlen(text(&g)), &e), &e);
	g.name = "again";
	UNIT_FAILS(trust_add(&t, text(&g), strlen(text(&g)), &e), &e, ERR_EXISTS);
	g.purpose = "ek";
	UNIT_OK(trust_add(&t, text(&g), strlen(text(&g)), &e), &e);
	g.purpose = "tsa"; /* the name is taken */
	UNIT_FAILS(trust_add(&t, text(&g), strlen(text(&g)), &e), &e, ERR_EXISTS);
	ck_assert_uint_eq(t.count, 2);
	trust_free(&t);
	pki_free(root);
}
END_TEST

START_TEST(digest_is_of_the_set)
{
	struct trust a = {0}, b = {0};
	struct entry one = good(), two = good();
	struct err e;

	two.name = "two";
	two.purpose = "ek";
	UNIT_OK(trust_add(&a, text(&one), strlen(text(&one)), &e), &e);
	UNIT_OK(trust_add(&b, text(&two), strlen(text(&two)), &e), &e);
	ck_assert(!oid_equal(&a.digest, &b.digest));
	UNIT_OK(trust_add(&a, text(&two), strlen(text(&two)), &e), &e);
	UNIT_OK(trust_add(&b, text(&one), strlen(text(&one)), &e), &e);
	ck_assert(oid_equal(&a.digest, &b.digest));
	trust_free(&a);
	trust_free(&b);
	pki_free(root);
}
END_TEST

/* --- what an entry asks of AK certificates --- */

static const char *
text_with(const char *leaf, const char *purpose)
{
	static char with[9000];
	struct entry g = good();
	const char *doc, *at;

	g.purpose = purpose;
	doc = text(&g);
	at = strstr(doc, "\"mediaType\"");
	snprintf(with, sizeof with, "%.*s\"leaf\":%s,%s", (int)(at - doc), doc, leaf, at);
	return with;
}

START_TEST(leaf_refused)
{
	static const char *const bad[] = {
		"{}", "{\"required\":[]}", "[]", "{\"required\":[1]}", "{\"required\":[\"\"]}",
		"{\"required\":[\"2\"]}", "{\"required\":[\"2.\"]}", "{\"required\":[\".2\"]}",
		"{\"required\":[\"2..3\"]}", "{\"required\":[\"2.03\"]}", "{\"required\":[\"serverAuth\"]}",
		"{\"required\":[\"2.23 \"]}", "{\"wanted\":[\"2.23\"]}",
		"{\"required\":[\"2.1\",\"2.2\",\"2.3\",\"2.4\",\"2.5\",\"2.6\",\"2.7\",\"2.8\",\"2.9\"]}",
		"{\"required\":[\"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26\"]}",
	};
	struct trust t = {0};
	const char *doc = text_with(bad[_i], "ak");
	struct err e;

	UNIT_FAILS(trust_add(&t, doc, strlen(doc), &e), &e, ERR_FORMAT);
	ck_assert_uint_eq(t.count, 0);
	pki_free(root);
}
END_TEST

START_TEST(leaf_is_asked)
{
	static const struct { const char *leaf, *eku, *reason; } cases[] = {
		{"{\"required\":[\"2.23.133.8.3\"]}", "2.23.133.8.3", NULL},
		{"{\"required\":[\"2.23.133.8.3\"]}", "2.23.133.8.1,2.23.133.8.3", NULL},
		{"{\"required\":[\"2.23.133.8.3\"]}", NULL, "lacks the purpose 2.23.133.8.3"},
		{"{\"required\":[\"2.23.133.8.3\"]}", "2.23.133.8.30", "lacks"},
		{"{\"required\":[\"2.23.133.8.1\",\"2.23.133.8.3\"]}", "2.23.133.8.3", "lacks the purpose 2.23.133.8.1"},
		{"{\"forbidden\":[\"2.23.133.8.1\"]}", NULL, NULL},
		{"{\"forbidden\":[\"2.23.133.8.1\"]}", "2.23.133.8.3,2.23.133.8.1", "has the purpose 2.23.133.8.1"},
		{"{\"forbidden\":[\"2.23.133.8.1\"],\"required\":[\"0.1\",\"2.23.133.8.3\"]}",
		    "2.23.133.8.3,0.1", NULL},
	};
	const char *doc = text_with(cases[_i].leaf, "ak");
	CLEANUP(pki_freep) struct pki *leaf = NULL;
	CLEANUP(buf_free) struct buf reason = BUF_INIT, again = BUF_INIT;
	struct x509_cert *cert;
	struct trust t = {0};
	struct err e;

	UNIT_OK(trust_add(&t, doc, strlen(doc), &e), &e);
	leaf = pki_make(&(struct pki_options){.name = "ak", .issuer = root, .usage = "digitalSignature",
	    .eku = cases[_i].eku});
	cert = pki_cert(leaf);
	ck_assert_int_eq(trust_leaf_ok(&t.entries[0], cert, &reason), cases[_i].reason == NULL);
	if (cases[_i].reason != NULL)
		ck_assert_msg(strstr(buf_str(&reason), cases[_i].reason) != NULL, "%s", buf_str(&reason));
	UNIT_OK(trust_encode(&t.entries[0], &again, &e), &e);
	ck_assert_msg(strstr(buf_str(&again), cases[_i].leaf) != NULL, "%s", buf_str(&again));
	x509_free(cert);
	trust_free(&t);
	pki_free(root);
}
END_TEST

START_TEST(leaf_is_for_aks)
{
	const char *doc = text_with("{\"required\":[\"2.23.133.8.3\"]}", "tsa");
	struct trust t = {0};
	struct err e;

	UNIT_FAILS(trust_add(&t, doc, strlen(doc), &e), &e, ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(e.msg, "leaf is for purpose ak"));
	pki_free(root);
}
END_TEST

UNIT_SUITE(trust)
{
	tcase_add_test(tc, entry_is_read);
	tcase_add_test(tc, wrong_members);
	tcase_add_test(tc, not_canonical_or_not_whole);
	tcase_add_test(tc, one_entry_for_one_use);
	tcase_add_test(tc, digest_is_of_the_set);
	tcase_add_loop_test(tc, leaf_refused, 0, 15);
	tcase_add_loop_test(tc, leaf_is_asked, 0, 8);
	tcase_add_test(tc, leaf_is_for_aks);
}
