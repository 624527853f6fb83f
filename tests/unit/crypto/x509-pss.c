#include "unit.h"

#include <string.h>
#include "pki.h"

static void
freep(struct x509_cert **c)
{
	x509_free(*c);
}

static struct pki *
made(struct pki_pss pss, enum pki_key key)
{
	return pki_make(&(struct pki_options){.name = "pss", .basic = "critical,CA:TRUE",
	    .usage = "critical,keyCertSign", .key = key, .pss = pss});
}

START_TEST(parameters)
{
	static const struct { struct pki_pss pss; enum hash_alg alg; bool ok; } all[] = {
		{{"SHA256", NULL, 0}, HASH_SHA256, true}, {{"SHA384", NULL, 0}, HASH_SHA384, true},
		{{"SHA512", NULL, 0}, HASH_SHA512, true}, {{"SHA384", NULL, 0}, HASH_SHA256, false},
		{{"SHA256", NULL, 0}, HASH_SHA384, false}, {{"SHA384", "SHA256", 0}, HASH_SHA384, false},
		{{"SHA384", "SHA1", 0}, HASH_SHA384, false}, {{"SHA384", NULL, 32}, HASH_SHA384, false},
		{{"SHA384", NULL, 20}, HASH_SHA384, false}, {{"SHA1", NULL, 0}, HASH_SHA1, false},
		{{NULL, NULL, 0}, HASH_SHA256, false},
	};
	CLEANUP(pki_freep) struct pki *p = made(all[_i].pss, PKI_RSA2048);
	CLEANUP(freep) struct x509_cert *c = pki_cert(p);
	struct err e;

	if (all[_i].ok)
		UNIT_OK(x509_pss(c, all[_i].alg, &e), &e);
	else
		UNIT_FAILS(x509_pss(c, all[_i].alg, &e), &e, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(no_rsa)
{
	CLEANUP(pki_freep) struct pki *p = made((struct pki_pss){NULL, NULL, 0}, PKI_P256);
	CLEANUP(freep) struct x509_cert *c = pki_cert(p);
	struct err e;

	UNIT_FAILS(x509_pss(c, HASH_SHA256, &e), &e, ERR_UNSUPPORTED);
}
END_TEST

/* The chain is validated with them too, not only looked at. */
START_TEST(signature_counts)
{
	struct pki_pss pss = {"SHA384", NULL, 0};
	CLEANUP(pki_freep) struct pki *root = made(pss, PKI_RSA2048);
	CLEANUP(pki_freep) struct pki *other = made(pss, PKI_RSA2048);
	CLEANUP(freep) struct x509_cert *anchor = pki_cert(root);

	for (int forged = 0; forged < 2; forged++) {
		CLEANUP(pki_freep) struct pki *leaf = pki_make(&(struct pki_options){.name = "leaf",
		    .issuer = root, .forger = forged ? other : NULL, .pss = pss});
		CLEANUP(freep) struct x509_cert *c = pki_cert(leaf);
		CLEANUP(buf_free) struct buf reason = BUF_INIT;
		bool ok;
		struct err e;

		UNIT_OK(x509_chain_ok(&c, 1, anchor, 1763900000, &ok, &reason, &e), &e);
		ck_assert_int_eq(ok, !forged);
		ck_assert_int_eq(x509_signed_by(c, anchor), !forged);
	}
}
END_TEST

START_TEST(extensions)
{
	static const struct pki_extension list[] = {
		{"1.2.3.4", {7, 8}, 2}, {"1.2.3.5", {9}, 1}, {"1.2.3.5", {9}, 1}, {NULL, {0}, 0},
	};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "x",
	    .extensions = list});
	CLEANUP(freep) struct x509_cert *c = pki_cert(p);
	CLEANUP(buf_free) struct buf v = BUF_INIT;
	struct err e;

	UNIT_OK(x509_extension(c, "1.2.3.4", &v, &e), &e);
	ck_assert_uint_eq(v.len, 2);
	ck_assert_mem_eq(v.data, "\7\10", 2);
	UNIT_FAILS(x509_extension(c, "1.2.3.5", &v, &e), &e, ERR_FORMAT);
	UNIT_FAILS(x509_extension(c, "1.2.3.6", &v, &e), &e, ERR_NOTFOUND);
	ck_assert_uint_eq(v.len, 2);
}
END_TEST

UNIT_SUITE(x509_pss)
{
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, parameters, 0, 11);
	tcase_add_test(tc, no_rsa);
	tcase_add_test(tc, signature_counts);
	tcase_add_test(tc, extensions);
}
