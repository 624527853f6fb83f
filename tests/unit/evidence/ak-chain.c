#include "unit.h"

#include <string.h>
#include "evidence/ak-chain.h"
#include "pki.h"

#define NOW 1763900000 /* 2025-11-23 */
#define CA "critical,CA:TRUE"
#define SIGN "critical,keyCertSign"

struct judged {
	enum ak_chain_result result;
	size_t anchor;
	struct buf reason;
};

static void
judged_free(struct judged *j)
{
	buf_free(&j->reason);
}

static void
pki_chain_free(struct buf (*chain)[AK_CHAIN_MAX + 1])
{
	for (size_t i = 0; i <= AK_CHAIN_MAX; i++)
		buf_free(&(*chain)[i]);
}

/* Intermediates that stand beside the chain. */
static struct x509_cert *helpers[4];
static size_t helper_count;

static void
helpers_add(const struct pki *p)
{
	helpers[helper_count++] = pki_cert(p);
}

static void
helpers_drop(void)
{
	while (helper_count > 0)
		x509_free(helpers[--helper_count]);
}

/* chain and anchors end with NULL */
static struct judged
judge(const struct pki *const *certs, const struct pki *const *roots, int64_t time)
{
	CLEANUP(pki_chain_free) struct buf chain[AK_CHAIN_MAX + 1] = {0};
	CLEANUP(ak_chain_path_free) struct ak_chain_path path = {0};
	struct x509_cert *anchors[4] = {NULL};
	struct judged j = {.anchor = 99};
	size_t n = 0, count = 0;
	struct err e;

	for (; certs[n] != NULL; n++)
		pki_der(certs[n], &chain[n]);
	for (; roots[count] != NULL; count++)
		anchors[count] = pki_cert(roots[count]);
	UNIT_OK(ak_chain_judge(&(struct ak_chain_request){.chain = chain, .n = n,
	    .anchors = (const struct x509_cert *const *)anchors, .anchor_count = count,
	    .helpers = (const struct x509_cert *const *)helpers, .helper_count = helper_count,
	    .time = time}, &j.result, &path, &j.reason, &e), &e);
	ck_assert(path.anchor == (j.result == AK_CHAIN_GOOD ? anchors[path.anchor_index] : NULL));
	if (j.result == AK_CHAIN_GOOD)
		j.anchor = path.anchor_index;
	while (count > 0)
		x509_free(anchors[--count]);
	ck_assert_int_eq(j.reason.len == 0, j.result == AK_CHAIN_GOOD);
	return j;
}

#define CHAIN(...) ((const struct pki *const []){__VA_ARGS__, NULL})
#define NO_ROOTS ((const struct pki *const []){NULL})

START_TEST(ak_chain_results)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *other = pki_root("other");
	CLEANUP(pki_freep) struct pki *middle = pki_ca("middle", root);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", middle);

	{
		CLEANUP(judged_free) struct judged j = judge(CHAIN(leaf, middle),
		    CHAIN(other, root), NOW);

		ck_assert_int_eq(j.result, AK_CHAIN_GOOD);
		ck_assert_uint_eq(j.anchor, 1);
	}
	{
		CLEANUP(judged_free) struct judged j = judge(CHAIN(leaf, middle), CHAIN(other), NOW);

		ck_assert_int_eq(j.result, AK_CHAIN_UNPINNED);
		ck_assert_uint_eq(j.anchor, 99);
	}
	{
		CLEANUP(judged_free) struct judged j = judge(CHAIN(leaf, middle), NO_ROOTS, NOW);

		ck_assert_int_eq(j.result, AK_CHAIN_UNPINNED);
	}
	{
		CLEANUP(judged_free) struct judged j = judge(NO_ROOTS, CHAIN(root), NOW);

		ck_assert_int_eq(j.result, AK_CHAIN_UNPINNED);
	}
	{ /* a pinned root of the same name that did not sign it */
		CLEANUP(pki_freep) struct pki *twin = pki_root("root");
		CLEANUP(judged_free) struct judged j = judge(CHAIN(leaf, middle), CHAIN(twin), NOW);

		ck_assert_int_eq(j.result, AK_CHAIN_UNPINNED);
	}
}
END_TEST

/* Each of these is broken whether or not the root is pinned. */
START_TEST(ak_chain_broken)
{
	static const struct {
		const char *what;
		struct pki_options middle, leaf;
	} cases[] = {
		{"expired leaf", {.basic = CA, .usage = SIGN},
		    {.usage = "digitalSignature", .until = NOW - 1}},
		{"expired middle", {.basic = CA, .usage = SIGN, .until = NOW - 1},
		    {.usage = "digitalSignature"}},
		{"not yet valid", {.basic = CA, .usage = SIGN},
		    {.usage = "digitalSignature", .from = NOW + 1}},
		{"no CA", {.basic = "CA:FALSE", .usage = SIGN}, {.usage = "digitalSignature"}},
		{"no keyCertSign", {.basic = CA, .usage = "cRLSign"}, {.usage = "digitalSignature"}},
		{"unknown critical", {.basic = CA, .usage = SIGN},
		    {.usage = "digitalSignature", .unknown_critical = true}},
		{"SHA-1", {.basic = CA, .usage = SIGN}, {.usage = "digitalSignature", .sha1 = true}},
	};
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	struct pki_options mo = cases[_i].middle, lo = cases[_i].leaf;
	CLEANUP(pki_freep) struct pki *middle = NULL;
	CLEANUP(pki_freep) struct pki *leaf = NULL;
	CLEANUP(judged_free) struct judged pinned = {0}, alone = {0};

	mo.name = "middle";
	mo.issuer = root;
	middle = pki_make(&mo);
	lo.name = "leaf";
	lo.issuer = middle;
	leaf = pki_make(&lo);
	pinned = judge(CHAIN(leaf, middle), CHAIN(root), NOW);
	alone = judge(CHAIN(leaf, middle), NO_ROOTS, NOW);
	ck_assert_msg(pinned.result == AK_CHAIN_BROKEN, "%s", cases[_i].what);
	ck_assert_msg(alone.result == AK_CHAIN_BROKEN, "%s", cases[_i].what);
}
END_TEST

START_TEST(ak_chain_forged_links)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *mallory = pki_root("mallory");
	CLEANUP(pki_freep) struct pki *middle = pki_ca("middle", root);
	CLEANUP(pki_freep) struct pki *forged = pki_make(&(struct pki_options){.name = "leaf",
	    .issuer = middle, .forger = mallory, .usage = "digitalSignature"});
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", middle);
	CLEANUP(pki_freep) struct pki *under_leaf = pki_leaf("under", leaf);
	CLEANUP(judged_free) struct judged a = judge(CHAIN(forged, middle), CHAIN(root), NOW);
	CLEANUP(judged_free) struct judged b = judge(CHAIN(middle, leaf), CHAIN(root), NOW);
	CLEANUP(judged_free) struct judged c = judge(CHAIN(leaf, mallory), CHAIN(root), NOW);
	CLEANUP(judged_free) struct judged d = judge(CHAIN(under_leaf, leaf, middle), CHAIN(root),
	    NOW);

	ck_assert_int_eq(a.result, AK_CHAIN_BROKEN);
	ck_assert_int_eq(b.result, AK_CHAIN_BROKEN);
	ck_assert_int_eq(c.result, AK_CHAIN_BROKEN);
	ck_assert_int_eq(d.result, AK_CHAIN_BROKEN);
}
END_TEST

/* The pinned root itself expired, or forbids the path it signed. */
START_TEST(ak_chain_broken_at_the_root)
{
	CLEANUP(pki_freep) struct pki *old = pki_make(&(struct pki_options){.name = "old",
	    .basic = CA, .usage = SIGN, .until = NOW - 1});
	CLEANUP(pki_freep) struct pki *narrow = pki_make(&(struct pki_options){.name = "narrow",
	    .basic = "critical,CA:TRUE,pathlen:0", .usage = SIGN});
	CLEANUP(pki_freep) struct pki *direct = pki_leaf("direct", old);
	CLEANUP(pki_freep) struct pki *middle = pki_ca("middle", narrow);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", middle);
	CLEANUP(judged_free) struct judged a = judge(CHAIN(direct), CHAIN(old), NOW);
	CLEANUP(judged_free) struct judged b = judge(CHAIN(direct), CHAIN(old), NOW - 2);
	CLEANUP(judged_free) struct judged c = judge(CHAIN(leaf, middle), CHAIN(narrow), NOW);

	ck_assert_int_eq(a.result, AK_CHAIN_BROKEN);
	ck_assert_ptr_nonnull(strstr(buf_str(&a.reason), "expired"));
	ck_assert_int_eq(b.result, AK_CHAIN_GOOD);
	ck_assert_int_eq(c.result, AK_CHAIN_BROKEN);
}
END_TEST

/* notAfter is the last second of every certificate, the root's too; notBefore the first. */
START_TEST(ak_chain_first_and_last_second)
{
	struct pki_options o[3] = {
		{.name = "root", .basic = CA, .usage = SIGN}, {.name = "middle", .basic = CA, .usage = SIGN},
		{.name = "leaf", .usage = "digitalSignature"},
	};
	CLEANUP(pki_freep) struct pki *root = NULL;
	CLEANUP(pki_freep) struct pki *middle = NULL;
	CLEANUP(pki_freep) struct pki *leaf = NULL;

	o[_i].from = NOW - 100;
	o[_i].until = NOW;
	root = pki_make(&o[0]);
	o[1].issuer = root;
	middle = pki_make(&o[1]);
	o[2].issuer = middle;
	leaf = pki_make(&o[2]);
	for (int64_t off = -2; off <= 1; off++) {
		CLEANUP(judged_free) struct judged a = judge(CHAIN(leaf, middle), CHAIN(root), NOW + off);
		CLEANUP(judged_free) struct judged b = judge(CHAIN(leaf, middle), CHAIN(root),
		    NOW - 100 + off);

		ck_assert_msg(a.result == (off <= 0 ? AK_CHAIN_GOOD : AK_CHAIN_BROKEN), "%d: %s", (int)off,
		    buf_str(&a.reason));
		ck_assert_msg(b.result == (off >= 0 ? AK_CHAIN_GOOD : AK_CHAIN_BROKEN), "%d: %s", (int)off,
		    buf_str(&b.reason));
	}
}
END_TEST

/* A pinned root has to say that it is a CA; keyUsage it may lack. */
START_TEST(ak_chain_what_a_root_says)
{
	static const struct { const char *basic, *usage; enum ak_chain_result result; } cases[] = {
		{CA, SIGN, AK_CHAIN_GOOD}, {CA, NULL, AK_CHAIN_GOOD}, {NULL, NULL, AK_CHAIN_BROKEN},
		{NULL, SIGN, AK_CHAIN_BROKEN}, {"CA:FALSE", SIGN, AK_CHAIN_BROKEN},
		{CA, "digitalSignature", AK_CHAIN_BROKEN},
	};
	CLEANUP(pki_freep) struct pki *root = pki_make(&(struct pki_options){.name = "root",
	    .basic = cases[_i].basic, .usage = cases[_i].usage});
	CLEANUP(pki_freep) struct pki *middle = pki_ca("middle", root);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", middle);
	CLEANUP(judged_free) struct judged j = judge(CHAIN(leaf, middle), CHAIN(root), NOW);

	/* libcrypto takes it for no issuer at all where it says so, and then nobody is pinned */
	ck_assert_msg((j.result == AK_CHAIN_GOOD) == (cases[_i].result == AK_CHAIN_GOOD), "%s",
	    buf_str(&j.reason));
}
END_TEST

/* An AK's own certificate, pinned: it vouches for itself and signs nothing. */
START_TEST(ak_chain_of_one_pinned_key)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", root);
	CLEANUP(pki_freep) struct pki *next = pki_leaf("next", leaf);
	CLEANUP(judged_free) struct judged a = judge(CHAIN(leaf), CHAIN(leaf), NOW);
	CLEANUP(judged_free) struct judged b = judge(CHAIN(next), CHAIN(leaf), NOW);
	CLEANUP(judged_free) struct judged c = judge(CHAIN(next, leaf), CHAIN(leaf), NOW);

	ck_assert_int_eq(a.result, AK_CHAIN_GOOD);
	ck_assert_int_ne(b.result, AK_CHAIN_GOOD);
	ck_assert_int_ne(c.result, AK_CHAIN_GOOD);
}
END_TEST

static int
judge_der(const struct buf *chain, size_t n, enum ak_chain_result *ret, struct buf *reason,
    struct err *e)
{
	CLEANUP(ak_chain_path_free) struct ak_chain_path path = {0};

	return ak_chain_judge(&(struct ak_chain_request){.chain = chain, .n = n, .time = NOW}, ret,
	    &path, reason, e);
}

/* The root may stand last, once, where it is pinned; never is it taken from the chain. */
START_TEST(ak_chain_root_in_the_chain)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *other = pki_root("other");
	CLEANUP(pki_freep) struct pki *middle = pki_ca("middle", root);
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", middle);
	CLEANUP(judged_free) struct judged a = judge(CHAIN(leaf, middle, root), CHAIN(other, root), NOW);
	CLEANUP(judged_free) struct judged b = judge(CHAIN(leaf, middle, root), CHAIN(other), NOW);
	CLEANUP(judged_free) struct judged c = judge(CHAIN(leaf, middle, root), NO_ROOTS, NOW);
	CLEANUP(judged_free) struct judged d = judge(CHAIN(leaf, root, middle), CHAIN(root), NOW);
	CLEANUP(judged_free) struct judged f = judge(CHAIN(leaf, middle, root, root), CHAIN(root), NOW);
	CLEANUP(judged_free) struct judged g = judge(CHAIN(leaf, middle, other), CHAIN(root, other), NOW);

	ck_assert_int_eq(a.result, AK_CHAIN_GOOD);
	ck_assert_uint_eq(a.anchor, 1);
	ck_assert_int_eq(b.result, AK_CHAIN_UNPINNED);
	ck_assert_int_eq(c.result, AK_CHAIN_UNPINNED);
	ck_assert_int_eq(d.result, AK_CHAIN_BROKEN);
	ck_assert_int_eq(f.result, AK_CHAIN_BROKEN); /* twice */
	ck_assert_int_eq(g.result, AK_CHAIN_BROKEN); /* a root that issued nothing here */
}
END_TEST

/* An intermediate beside the chain completes it and vouches for nothing. */
START_TEST(ak_chain_helpers)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *outer = pki_ca("outer", root);
	CLEANUP(pki_freep) struct pki *inner = pki_ca("inner", outer);
	CLEANUP(pki_freep) struct pki *late = pki_make(&(struct pki_options){.name = "late",
	    .issuer = root, .basic = CA, .usage = SIGN, .until = NOW - 1});
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", inner);
	CLEANUP(pki_freep) struct pki *old = pki_leaf("old", late);
	CLEANUP(judged_free) struct judged before = judge(CHAIN(leaf), CHAIN(root), NOW);

	helpers_add(outer);
	helpers_add(inner);
	helpers_add(late);
	{
		CLEANUP(judged_free) struct judged a = judge(CHAIN(leaf), CHAIN(root), NOW);
		CLEANUP(judged_free) struct judged b = judge(CHAIN(leaf, inner), CHAIN(root), NOW);
		CLEANUP(judged_free) struct judged c = judge(CHAIN(leaf), NO_ROOTS, NOW);
		CLEANUP(judged_free) struct judged d = judge(CHAIN(old), CHAIN(root), NOW);

		ck_assert_int_eq(before.result, AK_CHAIN_UNPINNED);
		ck_assert_int_eq(a.result, AK_CHAIN_GOOD);
		ck_assert_int_eq(b.result, AK_CHAIN_GOOD);
		ck_assert_int_eq(c.result, AK_CHAIN_UNPINNED);
		ck_assert_int_eq(d.result, AK_CHAIN_BROKEN);
	}
	helpers_drop();
}
END_TEST

START_TEST(ak_chain_bytes_and_bounds)
{
	CLEANUP(pki_freep) struct pki *root = pki_root("root");
	CLEANUP(pki_freep) struct pki *leaf = pki_leaf("leaf", root);
	CLEANUP(pki_chain_free) struct buf chain[AK_CHAIN_MAX + 1] = {0};
	CLEANUP(buf_free) struct buf reason = BUF_INIT;
	enum ak_chain_result result = AK_CHAIN_GOOD;
	struct err e;

	for (size_t i = 0; i <= AK_CHAIN_MAX; i++)
		pki_der(leaf, &chain[i]);
	UNIT_OK(judge_der(chain, AK_CHAIN_MAX + 1, &result, &reason, &e), &e);
	ck_assert_int_eq(result, AK_CHAIN_BROKEN);
	for (; chain[0].len > 0; chain[0].len--) {
		chain[0].len--;
		result = AK_CHAIN_GOOD;
		UNIT_OK(judge_der(chain, 1, &result, &reason, &e), &e);
		ck_assert_int_eq(result, AK_CHAIN_BROKEN);
		chain[0].len++;
	}
}
END_TEST

START_TEST(ak_chain_leaf_profile)
{
	static const struct {
		struct pki_options o;
		const char *fault; /* NULL: good */
	} cases[] = {
		{{.usage = "digitalSignature"}, NULL},
		{{.usage = "critical,digitalSignature", .basic = "CA:FALSE"}, NULL},
		{{.usage = "digitalSignature", .eku = "2.23.133.8.3"}, NULL},
		{{.usage = "digitalSignature", .eku = "2.23.133.8.1"}, NULL}, /* old GCE AKs */
		{{.usage = "digitalSignature", .key = PKI_RSA2048}, NULL},
		{{.usage = NULL}, "no keyUsage"},
		{{.usage = "keyEncipherment"}, "endorsement key"},
		{{.usage = "keyAgreement", .eku = "2.23.133.8.1"}, "endorsement key"},
		{{.usage = "cRLSign"}, "lacks digitalSignature"},
		{{.usage = "digitalSignature,keyEncipherment", .eku = "2.23.133.8.1"}, "endorsement key"},
		{{.usage = "digitalSignature,keyCertSign"}, "may sign certificates"},
		{{.usage = "digitalSignature", .eku = "timeStamping"}, "time stamps"},
		{{.usage = "digitalSignature", .eku = "serverAuth,codeSigning"}, "servers"},
		{{.usage = "digitalSignature", .eku = "serverAuth,2.23.133.8.3"}, "servers"},
		{{.usage = "digitalSignature", .eku = "serverAuth,clientAuth"}, "servers"},
		{{.usage = "digitalSignature", .eku = "codeSigning,1.3.6.1.4.1.311.2.1.22"}, "code"},
		{{.usage = "digitalSignature", .key = PKI_RSA1024}, "1024 bits"},
		{{.usage = "digitalSignature", .key = PKI_ED25519}, "neither RSA"},
		{{.usage = "digitalSignature,keyCertSign", .basic = CA}, "is a CA"},
		{{.usage = "digitalSignature", .unknown_critical = true}, "critical"},
	};
	struct pki_options o = cases[_i].o;
	CLEANUP(pki_freep) struct pki *leaf = NULL;
	CLEANUP(buf_free) struct buf der = BUF_INIT, reason = BUF_INIT;
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(key_freep) struct key *other = NULL;
	bool ok = false;
	struct err e;

	o.name = "leaf";
	leaf = pki_make(&o);
	k = pki_key(leaf);
	pki_der(leaf, &der);
	UNIT_OK(ak_chain_leaf_ok(&der, k, &ok, &reason, &e), &e);
	ck_assert_msg(ok == (cases[_i].fault == NULL), "%s", buf_str(&reason));
	if (!ok)
		ck_assert_msg(strstr(buf_str(&reason), cases[_i].fault) != NULL, "%s",
		    buf_str(&reason));
	UNIT_OK(key_generate_p256(&other, &e), &e);
	buf_reset(&reason);
	UNIT_OK(ak_chain_leaf_ok(&der, other, &ok, &reason, &e), &e);
	ck_assert(!ok);
	der.len--;
	UNIT_OK(ak_chain_leaf_ok(&der, k, &ok, &reason, &e), &e);
	ck_assert(!ok);
}
END_TEST

UNIT_SUITE(ak_chain)
{
	tcase_add_test(tc, ak_chain_results);
	tcase_add_loop_test(tc, ak_chain_broken, 0, 7);
	tcase_add_test(tc, ak_chain_forged_links);
	tcase_add_test(tc, ak_chain_broken_at_the_root);
	tcase_add_loop_test(tc, ak_chain_first_and_last_second, 0, 3);
	tcase_add_loop_test(tc, ak_chain_what_a_root_says, 0, 6);
	tcase_add_test(tc, ak_chain_of_one_pinned_key);
	tcase_add_test(tc, ak_chain_root_in_the_chain);
	tcase_add_test(tc, ak_chain_helpers);
	tcase_add_test(tc, ak_chain_bytes_and_bounds);
	tcase_add_loop_test(tc, ak_chain_leaf_profile, 0, 18);
}
