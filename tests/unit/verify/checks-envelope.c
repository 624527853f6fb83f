#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <string.h>
#include "verify/forge.h"
#include "unit.h"

static struct forge f;

static void
refused_now(enum verdict_check c, const char *found)
{
	struct verify_request rq;

	forge_quote(&f);
	forge_encode(&f);
	rq = forge_request(&f);
	forge_fails(&rq, c, found);
	forge_free(&f);
}

static void
made(void)
{
	forge_new(&f);
	forge_finish(&f);
}

/* A payload of the runner's liking, signed and quoted as if it were derived. */
START_TEST(statement_altered_and_signed_again)
{
	char *at;

	made();
	at = strstr(buf_str(&f.cert.envelope.payload), "model.safetensors");
	ck_assert_ptr_nonnull(at);
	at[0] = 'n';
	forge_sign(&f);
	refused_now(CHECK_ENVELOPE_STATEMENT, "another statement");

	made();
	buf_addc(&f.cert.envelope.payload, '\n');
	forge_sign(&f);
	refused_now(CHECK_ENVELOPE_STATEMENT, "another statement");
}
END_TEST

START_TEST(signature_of_other_bytes)
{
	made();
	f.cert.envelope.signature.data[f.cert.envelope.signature.len - 1] ^= 1;
	refused_now(CHECK_ENVELOPE_SIGNATURE, "");
	made();
	f.cert.envelope.signature.len--;
	refused_now(CHECK_ENVELOPE_SIGNATURE, "");
}
END_TEST

START_TEST(another_run_key)
{
	struct key *real;
	struct err e;

	/* the key that signs is not the one measured */
	made();
	real = f.run_key;
	UNIT_OK(key_generate_p256(&f.run_key, &e), &e);
	forge_sign(&f);
	key_free(real);
	refused_now(CHECK_ENVELOPE_SIGNATURE, "keyid");
	/* and it says so falsely */
	made();
	real = f.run_key;
	UNIT_OK(key_generate_p256(&f.run_key, &e), &e);
	forge_sign(&f);
	UNIT_OK(key_spki_digest(real, f.cert.envelope.keyid.b, &e), &e);
	key_free(real);
	refused_now(CHECK_ENVELOPE_SIGNATURE, "does not hold");
}
END_TEST

/* The same signature with n - s: as valid mathematically, and refused. */
START_TEST(high_s)
{
	static const char order[] = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
	struct buf *der = &f.cert.envelope.signature;
	const unsigned char *p;
	unsigned char *out = NULL;
	ECDSA_SIG *sig;
	BIGNUM *n = NULL, *s;
	int len;

	made();
	p = der->data;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der->len);
	ck_assert_ptr_nonnull(sig);
	ck_assert_int_ne(BN_hex2bn(&n, order), 0);
	s = BN_new();
	ck_assert_int_eq(BN_sub(s, n, ECDSA_SIG_get0_s(sig)), 1);
	ck_assert_int_eq(ECDSA_SIG_set0(sig, BN_dup(ECDSA_SIG_get0_r(sig)), s), 1);
	len = i2d_ECDSA_SIG(sig, &out);
	ck_assert_int_gt(len, 0);
	buf_reset(der);
	buf_add(der, out, (size_t)len);
	OPENSSL_free(out);
	ECDSA_SIG_free(sig);
	BN_free(n);
	refused_now(CHECK_ENVELOPE_SIGNATURE, "does not hold");
}
END_TEST

static void
sealed_with(const struct pki *pki)
{
	CLEANUP(key_freep) struct key *k = pki_key(pki);
	struct buf *spki = &f.events[FORGE_SEALED].u.sealed.spki;
	struct err e;

	buf_free(spki);
	UNIT_OK(key_spki(k, spki, &e), &e);
}

START_TEST(run_key_of_another_kind)
{
	struct pki *rsa = pki_make(&(struct pki_options){.name = "rsa", .key = PKI_RSA2048});
	struct oid id;
	struct buf *spki;
	struct err e;

	forge_new(&f);
	sealed_with(rsa);
	forge_number(&f);
	forge_measure(&f);
	forge_seal(&f);
	spki = &f.events[FORGE_SEALED].u.sealed.spki;
	UNIT_OK(oid_from_data(&id, spki->data, spki->len, &e), &e);
	f.cert.envelope.keyid = id;
	refused_now(CHECK_ENVELOPE_SIGNATURE, "another kind");
	pki_free(rsa);
	/* and what is no key */
	forge_new(&f);
	spki = &f.events[FORGE_SEALED].u.sealed.spki;
	buf_reset(spki);
	buf_adds(spki, "no key");
	forge_number(&f);
	forge_measure(&f);
	forge_seal(&f);
	UNIT_OK(oid_from_data(&id, "no key", 6, &e), &e);
	f.cert.envelope.keyid = id;
	refused_now(CHECK_ENVELOPE_SIGNATURE, "");
}
END_TEST

UNIT_SUITE(checks_envelope)
{
	tcase_add_test(tc, statement_altered_and_signed_again);
	tcase_add_test(tc, signature_of_other_bytes);
	tcase_add_test(tc, another_run_key);
	tcase_add_test(tc, high_s);
	tcase_add_test(tc, run_key_of_another_kind);
}
