/* Project Wycheproof's vectors: each signature is judged as they say, in every file of the
 * corpus whose algorithm, curve and hash are among ours. */
#include "unit.h"

#include <string.h>
#include "corpus.h"
#include "crypto/key.h"

#define VECTORS "C2SP_wycheproof/testvectors_v1"

struct tally {
	size_t files, valid, invalid;
};

struct group {
	enum key_scheme scheme;
	enum hash_alg hash;
	struct key *key;
};

static void
group_free(struct group *g)
{
	key_free(g->key);
}

/* A salt of another length than the group's is all that is wrong: TPMs use what they like. */
static bool
is_salt_length(const struct jcs *test, enum key_scheme scheme)
{
	const char *comment = jcs_get_string(test, "comment");

	return scheme == KEY_RSAPSS && comment != NULL &&
	    (strstr(comment, "salt") != NULL || strstr(comment, "s_len") != NULL ||
	    strstr(comment, "sLen") != NULL);
}

static void
wycheproof_test(const struct jcs *test, const struct group *g, struct tally *tally)
{
	CLEANUP(buf_free) struct buf msg = BUF_INIT, sig = BUF_INIT;
	const char *result = jcs_get_string(test, "result");
	bool good = false;
	struct err e;

	corpus_hex(jcs_get_string(test, "msg"), &msg);
	corpus_hex(jcs_get_string(test, "sig"), &sig);
	UNIT_OK(key_verify(g->key, g->scheme, g->hash, false, msg.data, msg.len, sig.data, sig.len,
	    &good, &e), &e);
	if (strcmp(result, "acceptable") == 0 || is_salt_length(test, g->scheme))
		return;
	ck_assert_msg(good == (strcmp(result, "valid") == 0), "%s", jcs_get_string(test, "comment"));
	if (good)
		tally->valid++;
	else
		tally->invalid++;
}

static bool
group_scheme(const char *algorithm, enum key_scheme *ret)
{
	static const struct { const char *name; enum key_scheme scheme; } all[] = {
		{"ECDSA", KEY_ECDSA}, {"RSASSA-PKCS1-v1_5", KEY_RSASSA}, {"RSASSA-PSS", KEY_RSAPSS},
	};

	for (size_t i = 0; algorithm != NULL && i < sizeof all / sizeof *all; i++) {
		if (strcmp(algorithm, all[i].name) == 0) {
			*ret = all[i].scheme;
			return true;
		}
	}
	return false;
}

static bool
group_hash(const char *sha, enum hash_alg *ret)
{
	static const struct { const char *name; enum hash_alg hash; } all[] = {
		{"SHA-256", HASH_SHA256}, {"SHA-384", HASH_SHA384}, {"SHA-512", HASH_SHA512},
	};

	for (size_t i = 0; sha != NULL && i < sizeof all / sizeof *all; i++) {
		if (strcmp(sha, all[i].name) == 0) {
			*ret = all[i].hash;
			return true;
		}
	}
	return false;
}

/* Is the group of our algorithms?  Then with its key. */
static bool
group_read(const char *algorithm, const struct jcs *group, struct group *ret)
{
	const char *der = jcs_get_string(group, "publicKeyDer"), *sha = jcs_get_string(group, "sha");
	const char *mask = jcs_get_string(group, "mgfSha");
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;

	if (der == NULL || !group_scheme(algorithm, &ret->scheme) || !group_hash(sha, &ret->hash) ||
	    (mask != NULL && strcmp(mask, sha) != 0))
		return false;
	corpus_hex(der, &bytes);
	return key_from_spki(bytes.data, bytes.len, &ret->key, NULL) == 0 &&
	    key_check(ret->key, NULL) == 0;
}

static void
wycheproof_file(void *arg, const char *path)
{
	struct tally *tally = arg;
	CLEANUP(jcs_freep) struct jcs *file = NULL;
	const struct jcs *groups;

	if (strstr(path, "_test.json") == NULL || strstr(path, "p1363") != NULL)
		return; /* P1363 is another form of the signature */
	file = corpus_json(path);
	groups = jcs_get(file, "testGroups");
	for (size_t g = 0; g < jcs_length(groups); g++) {
		const struct jcs *group = jcs_at(groups, g), *tests = jcs_get(group, "tests");
		CLEANUP(group_free) struct group ours = {0};

		if (!group_read(jcs_get_string(file, "algorithm"), group, &ours))
			continue;
		tally->files += g == 0;
		for (size_t i = 0; i < jcs_length(tests); i++)
			wycheproof_test(jcs_at(tests, i), &ours, tally);
	}
}

START_TEST(wycheproof)
{
	struct tally t = {0};

	if (!corpus_has(VECTORS "/ecdsa_secp256r1_sha256_test.json"))
		return;
	corpus_each(VECTORS, wycheproof_file, &t);
	printf("wycheproof: %zu files, %zu valid, %zu invalid signatures\n", t.files, t.valid, t.invalid);
	ck_assert_uint_ge(t.files, 2);
	ck_assert_uint_gt(t.valid, 105);
	ck_assert_uint_gt(t.invalid, 400);
}
END_TEST

UNIT_SUITE(wycheproof)
{
	tcase_add_test(tc, wycheproof);
}
