#include "unit.h"

#include <string.h>
#include "base/hex.h"
#include "crypto/hash.h"
#include "crypto/hash-beside.h"

static const struct {
	enum hash_alg alg;
	const char *name;
	const char *empty;
	const char *abc; /* FIPS 180-4 examples */
} known[] = {
	{HASH_SHA1, "sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
	    "a9993e364706816aba3e25717850c26c9cd0d89d"},
	{HASH_SHA256, "sha256",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{HASH_SHA384, "sha384",
	    "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
	    "274edebfe76f65fbd51ad2f14898b95b",
	    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	    "8086072ba1e7cc2358baeca134c825a7"},
	{HASH_SHA512, "sha512",
	    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	    "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
	    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	{HASH_SM3, "sm3", /* GB/T 32905-2016, example 1 */
	    "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
	    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
};
#define KNOWN (sizeof known / sizeof *known)

START_TEST(hash_known_answers)
{
	unsigned char digest[HASH_SIZE_MAX];
	char text[2 * HASH_SIZE_MAX + 1];
	struct err e;

	UNIT_OK(hash_once(known[_i].alg, NULL, 0, digest, &e), &e);
	hex_encode(text, digest, hash_size(known[_i].alg));
	ck_assert_str_eq(text, known[_i].empty);
	UNIT_OK(hash_once(known[_i].alg, "abc", 3, digest, &e), &e);
	hex_encode(text, digest, hash_size(known[_i].alg));
	ck_assert_str_eq(text, known[_i].abc);
	ck_assert_uint_eq(strlen(text), 2 * hash_size(known[_i].alg));
}
END_TEST

START_TEST(hash_running_equals_once)
{
	unsigned char data[300], once[HASH_SIZE_MAX], running[HASH_SIZE_MAX];
	struct err e;

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7);
	for (size_t cut = 0; cut <= sizeof data; cut++) {
		CLEANUP(hash_freep) struct hash *h = NULL;

		UNIT_OK(hash_once(known[_i].alg, data, sizeof data, once, &e), &e);
		UNIT_OK(hash_new(known[_i].alg, &h, &e), &e);
		UNIT_OK(hash_update(h, data, cut, &e), &e);
		UNIT_OK(hash_update(h, data + cut, sizeof data - cut, &e), &e);
		UNIT_OK(hash_final(h, running, &e), &e);
		ck_assert_mem_eq(once, running, hash_size(known[_i].alg));
	}
}
END_TEST

START_TEST(hash_is_reusable_after_final)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	unsigned char a[HASH_SIZE_MAX], b[HASH_SIZE_MAX];
	struct err e;

	UNIT_OK(hash_new(HASH_SHA256, &h, &e), &e);
	for (int i = 0; i < 2; i++) {
		UNIT_OK(hash_update(h, "abc", 3, &e), &e);
		UNIT_OK(hash_final(h, i == 0 ? a : b, &e), &e);
	}
	ck_assert_mem_eq(a, b, HASH_SHA256_SIZE);
}
END_TEST

START_TEST(hash_final_writes_its_size_only)
{
	unsigned char digest[HASH_SIZE_MAX + 1];
	struct err e;

	memset(digest, 0xa5, sizeof digest);
	UNIT_OK(hash_once(known[_i].alg, "x", 1, digest, &e), &e);
	for (size_t i = hash_size(known[_i].alg); i < sizeof digest; i++)
		ck_assert_uint_eq(digest[i], 0xa5);
}
END_TEST

START_TEST(hash_names)
{
	static const char *const bad[] = {"", "SHA256", "sha-256", "sha256 ", "md5", "sha224", "sha3-256"};
	enum hash_alg alg = HASH_SHA512;
	struct err e;

	for (size_t i = 0; i < KNOWN; i++) {
		UNIT_OK(hash_from_name(known[i].name, &alg, &e), &e);
		ck_assert_int_eq(alg, known[i].alg);
		ck_assert_str_eq(hash_name(alg), known[i].name);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		UNIT_FAILS(hash_from_name(bad[i], &alg, &e), &e, ERR_UNSUPPORTED);
}
END_TEST

START_TEST(hash_equal_compares_every_byte)
{
	unsigned char a[48] = {0}, b[48] = {0};

	ck_assert(hash_equal(a, b, sizeof a));
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] ^= 1;
		ck_assert(!hash_equal(a, b, sizeof a));
		ck_assert(hash_equal(a, b, i));
		b[i] ^= 1;
	}
}
END_TEST

/* In pieces of all lengths, some longer than the ring, and settled between. */
START_TEST(hash_beside_is_the_same)
{
	CLEANUP(cleanup_free) unsigned char *data = malloc(5 << 20);
	CLEANUP(hash_freep) struct hash *h = NULL;
	unsigned char digest[HASH_SIZE_MAX], expected[HASH_SIZE_MAX];
	struct hash_beside *b;
	size_t at = 0, n = 1;
	struct err e;

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < 5 << 20; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	UNIT_OK(hash_new(HASH_SHA256, &h, &e), &e);
	UNIT_OK(hash_beside_start(h, &b, &e), &e);
	UNIT_OK(hash_beside_settle(b, &e), &e);
	for (; at < 5 << 20; at += n, n = n * 3 + 1) {
		if (n > (5 << 20) - at)
			n = (5 << 20) - at;
		hash_beside_update(b, data + at, n);
		if (n % 2 == 0)
			UNIT_OK(hash_beside_settle(b, &e), &e);
	}
	UNIT_OK(hash_beside_settle(b, &e), &e);
	UNIT_OK(hash_final(h, digest, &e), &e);
	UNIT_OK(hash_once(HASH_SHA256, data, 5 << 20, expected, &e), &e);
	ck_assert_mem_eq(digest, expected, HASH_SHA256_SIZE);
	/* what is not settled is hashed, or not; nothing is left */
	hash_beside_update(b, data, 5 << 20);
	hash_beside_stop(b);
	hash_beside_stop(NULL);
}
END_TEST

UNIT_SUITE(hash)
{
	tcase_add_test(tc, hash_beside_is_the_same);
	tcase_add_loop_test(tc, hash_known_answers, 0, (int)KNOWN);
	tcase_add_loop_test(tc, hash_running_equals_once, 0, (int)KNOWN);
	tcase_add_test(tc, hash_is_reusable_after_final);
	tcase_add_loop_test(tc, hash_final_writes_its_size_only, 0, (int)KNOWN);
	tcase_add_test(tc, hash_names);
	tcase_add_test(tc, hash_equal_compares_every_byte);
}
