/* Project Wycheproof's vectors: each signature is judged as they say. */
#include "unit.h"

#include <string.h>
#include "corpus.h"
#include "crypto/key.h"

#define VECTORS "C2SP_wycheproof/testvectors_v1/"

struct tally {
	size_t valid, invalid;
};

static void
wycheproof_test(const struct jcs *test, const struct key *k, enum key_scheme scheme,
    struct tally *tally)
{
	CLEANUP(buf_free) struct buf msg = BUF_INIT, sig = BUF_INIT;
	const char *result = jcs_get_string(test, "result");
	bool good = false;
	struct err e;

	corpus_hex(jcs_get_string(test, "msg"), &msg);
	corpus_hex(jcs_get_string(test, "sig"), &sig);
	UNIT_OK(key_verify(k, scheme, HASH_SHA256, false, msg.data, msg.len, sig.data, sig.len, &good,
	    &e), &e);
	if (strcmp(result, "acceptable") == 0)
		return;
	ck_assert_msg(good == (strcmp(result, "valid") == 0), "%s",
	    jcs_get_string(test, "comment"));
	if (good)
		tally->valid++;
	else
		tally->invalid++;
}

static struct tally
wycheproof_run(const char *path, enum key_scheme scheme)
{
	CLEANUP(jcs_freep) struct jcs *file = corpus_json(path);
	const struct jcs *groups = jcs_get(file, "testGroups");
	struct tally tally = {0};
	struct err e;

	for (size_t g = 0; g < jcs_length(groups); g++) {
		const struct jcs *group = jcs_at(groups, g);
		const struct jcs *tests = jcs_get(group, "tests");
		CLEANUP(buf_free) struct buf der = BUF_INIT;
		CLEANUP(key_freep) struct key *k = NULL;

		corpus_hex(jcs_get_string(group, "publicKeyDer"), &der);
		UNIT_OK(key_from_spki(der.data, der.len, &k, &e), &e);
		for (size_t i = 0; i < jcs_length(tests); i++)
			wycheproof_test(jcs_at(tests, i), k, scheme, &tally);
	}
	return tally;
}

START_TEST(wycheproof_ecdsa_p256)
{
	struct tally t;

	if (!corpus_has(VECTORS "ecdsa_secp256r1_sha256_test.json"))
		return;
	t = wycheproof_run(VECTORS "ecdsa_secp256r1_sha256_test.json", KEY_ECDSA);
	ck_assert_uint_gt(t.valid, 100);
	ck_assert_uint_gt(t.invalid, 200);
}
END_TEST

START_TEST(wycheproof_rsa_2048)
{
	struct tally t;

	if (!corpus_has(VECTORS "rsa_signature_2048_sha256_test.json"))
		return;
	t = wycheproof_run(VECTORS "rsa_signature_2048_sha256_test.json", KEY_RSASSA);
	ck_assert_uint_gt(t.valid, 5);
	ck_assert_uint_gt(t.invalid, 200);
}
END_TEST

UNIT_SUITE(wycheproof)
{
	tcase_add_test(tc, wycheproof_ecdsa_p256);
	tcase_add_test(tc, wycheproof_rsa_2048);
}
