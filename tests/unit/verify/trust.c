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

UNIT_SUITE(trust)
{
	tcase_add_test(tc, entry_is_read);
	tcase_add_test(tc, wrong_members);
	tcase_add_test(tc, not_canonical_or_not_whole);
	tcase_add_test(tc, one_entry_for_one_use);
	tcase_add_test(tc, digest_is_of_the_set);
}
