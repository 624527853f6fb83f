#include "unit.h"

#include <string.h>
#include "crypto/key.h"
#include "crypto/pem.h"
#include "pki.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"

static int
next(const char *text, struct buf *der, bool *found, struct err *e)
{
	char label[PEM_LABEL_SIZE];
	size_t offset = 0;

	buf_reset(der);
	return pem_next(text, strlen(text), &offset, label, der, found, e);
}

START_TEST(pem_blocks)
{
	static const char text[] = "Bag Attributes\r\n  a: b\r\n" BEGIN "AAEC\r\nAwQF \r\n\r\nBg==\r\n" END
	    "\nmore words\n-----BEGIN PUBLIC KEY-----\n/w==\n-----END PUBLIC KEY-----";
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	char label[PEM_LABEL_SIZE];
	size_t offset = 0;
	bool found = false;
	struct err e;

	UNIT_OK(pem_next(text, strlen(text), &offset, label, &der, &found, &e), &e);
	ck_assert(found);
	ck_assert_str_eq(label, "CERTIFICATE");
	ck_assert_uint_eq(der.len, 7);
	ck_assert_mem_eq(der.data, "\0\1\2\3\4\5\6", 7);
	buf_reset(&der);
	UNIT_OK(pem_next(text, strlen(text), &offset, label, &der, &found, &e), &e);
	ck_assert(found);
	ck_assert_str_eq(label, "PUBLIC KEY");
	ck_assert_uint_eq(der.len, 1);
	ck_assert_uint_eq(offset, strlen(text));
	UNIT_OK(pem_next(text, strlen(text), &offset, label, &der, &found, &e), &e);
	ck_assert(!found);
}
END_TEST

START_TEST(pem_damage)
{
	static const char *const bad[] = {
		BEGIN "AAEC\n", BEGIN "AAEC\n-----END PUBLIC KEY-----\n", BEGIN END, BEGIN "AAE\n" END,
		BEGIN "AAEC=\n" END, BEGIN "AA==AAEC\n" END, BEGIN "AAE*\n" END, BEGIN "AB==\n" END,
		BEGIN "A===\n" END, BEGIN "AAEC\n" BEGIN "AAEC\n" END, END, "-----\n",
		"-----BEGIN certificate-----\nAAEC\n-----END certificate-----\n",
		"-----BEGIN CERTIFICATE----\nAAEC\n" END, BEGIN "Proc-Type: 4,ENCRYPTED\n\nAAEC\n" END,
		" " BEGIN "AAEC\n" END,
	};
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	bool found = false;
	struct err e;

	UNIT_FAILS(next(bad[_i], &der, &found, &e), &e, ERR_FORMAT);
	ck_assert(!found);
}
END_TEST

START_TEST(pem_nothing)
{
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	bool found = true;
	struct err e;

	UNIT_OK(next("", &der, &found, &e), &e);
	ck_assert(!found);
	UNIT_OK(next("---- BEGIN\nAAEC", &der, &found, &e), &e);
	ck_assert(!found);
}
END_TEST

START_TEST(pem_every_cut_is_refused)
{
	CLEANUP(pki_freep) struct pki *p = pki_root("root");
	CLEANUP(buf_free) struct buf pem = BUF_INIT, der = BUF_INIT;
	char label[PEM_LABEL_SIZE];

	pki_pem(p, &pem);
	for (size_t len = 11; len + 1 < pem.len; len++) {
		size_t offset = 0;
		bool found = false;
		struct err e;

		buf_reset(&der);
		ck_assert_msg(pem_next(pem.data, len, &offset, label, &der, &found, &e) != 0 || !found,
		    "cut at %zu", len);
	}
}
END_TEST

/* --- keys in PEM, and which of them are fit --- */

static void
key_pem(const struct pki *p, struct buf *ret)
{
	CLEANUP(key_freep) struct key *k = pki_key(p);
	CLEANUP(buf_free) struct buf der = BUF_INIT;
	struct err e;
	size_t i;
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	UNIT_OK(key_spki(k, &der, &e), &e);
	buf_adds(ret, "-----BEGIN PUBLIC KEY-----\n");
	for (i = 0; i < der.len; i += 3) {
		unsigned v = (unsigned)der.data[i] << 16;

		if (i + 1 < der.len)
			v |= (unsigned)der.data[i + 1] << 8;
		if (i + 2 < der.len)
			v |= der.data[i + 2];
		buf_addc(ret, digits[v >> 18]);
		buf_addc(ret, digits[v >> 12 & 63]);
		buf_addc(ret, i + 1 < der.len ? digits[v >> 6 & 63] : '=');
		buf_addc(ret, i + 2 < der.len ? digits[v & 63] : '=');
	}
	buf_adds(ret, "\n-----END PUBLIC KEY-----\n");
}

START_TEST(pem_keys)
{
	CLEANUP(pki_freep) struct pki *p = pki_root("root");
	CLEANUP(key_freep) struct key *k = NULL;
	CLEANUP(key_freep) struct key *want = pki_key(p);
	CLEANUP(buf_free) struct buf pem = BUF_INIT, cert = BUF_INIT;
	struct err e;

	key_pem(p, &pem);
	UNIT_OK(key_from_pem(pem.data, pem.len, &k, &e), &e);
	ck_assert(key_equal(k, want));
	pki_pem(p, &cert);
	UNIT_FAILS(key_from_pem(cert.data, cert.len, &k, &e), &e, ERR_FORMAT);
	UNIT_FAILS(key_from_pem("", 0, &k, &e), &e, ERR_FORMAT);
	key_pem(p, &pem);
	UNIT_FAILS(key_from_pem(pem.data, pem.len, &k, &e), &e, ERR_FORMAT);
}
END_TEST

START_TEST(fit_keys)
{
	static const struct {
		enum pki_key key;
		bool fit;
	} cases[] = {{PKI_P256, true}, {PKI_RSA2048, true}, {PKI_RSA1024, false}, {PKI_ED25519, false}};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "k",
	    .key = cases[_i].key});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	struct err e;

	if (cases[_i].fit)
		UNIT_OK(key_check(k, &e), &e);
	else
		UNIT_FAILS(key_check(k, &e), &e, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(fit_exponents)
{
	static const uint32_t bad[] = {3, 17, 257, 65535};
	CLEANUP(pki_freep) struct pki *p = pki_make(&(struct pki_options){.name = "k",
	    .key = PKI_RSA2048});
	CLEANUP(key_freep) struct key *k = pki_key(p);
	CLEANUP(key_freep) struct key *small = NULL;
	CLEANUP(buf_free) struct buf spki = BUF_INIT;
	struct err e;

	UNIT_OK(key_spki(k, &spki, &e), &e);
	UNIT_OK(key_from_rsa(spki.data + 33, 256, bad[_i], &small, &e), &e);
	UNIT_FAILS(key_check(small, &e), &e, ERR_UNSUPPORTED);
}
END_TEST

UNIT_SUITE(pem)
{
	tcase_add_test(tc, pem_blocks);
	tcase_add_loop_test(tc, pem_damage, 0, 16);
	tcase_add_test(tc, pem_nothing);
	tcase_add_test(tc, pem_every_cut_is_refused);
	tcase_add_test(tc, pem_keys);
	tcase_add_loop_test(tc, fit_keys, 0, 4);
	tcase_add_loop_test(tc, fit_exponents, 0, 4);
}
