#include "remote/bucket-manifest.h"

#include <string.h>
#include "unit.h"

#define ID0 "0000000000000000000000000000000000000000000000000000000000000000"
#define ID1 "0000000000000000000000000000000000000000000000000000000000000001"
#define GOOD "aicert bucket 1\nhead refs/heads/main\npack " ID0 " 20 40\npack " ID1 " 20 20\n" \
	"ref refs/heads/main commit sha256:" ID1 "\nref refs/tags/v1 blob sha256:" ID0 "\n"

START_TEST(bucket_manifest_round)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT;
	struct bucket_manifest m;
	struct err e;

	UNIT_OK(bucket_manifest_decode(GOOD, strlen(GOOD), &m, &e), &e);
	ck_assert_uint_eq(m.pack_count, 2);
	ck_assert_uint_eq(m.refs.count, 2);
	UNIT_OK(bucket_manifest_encode(&m, &again, &e), &e);
	ck_assert_str_eq(buf_str(&again), GOOD);
	bucket_manifest_free(&m);
	for (size_t len = 0; len < strlen(GOOD); len++)
		if (bucket_manifest_decode(GOOD, len, &m, &e) == 0)
			bucket_manifest_free(&m); /* whole lines fewer are a manifest too */
}
END_TEST

START_TEST(bucket_manifest_change)
{
	const struct object_ref one = {OBJECT_COMMIT, {{1}}}, two = {OBJECT_COMMIT, {{2}}};
	const struct bucket_manifest_pack p = {{{3}}, 20, 30};
	struct bucket_manifest m = {0};
	struct err e;

	UNIT_OK(bucket_manifest_set_ref(&m, "refs/heads/z", &one, &e), &e);
	UNIT_OK(bucket_manifest_set_ref(&m, "refs/heads/a", &one, &e), &e);
	UNIT_OK(bucket_manifest_set_ref(&m, "refs/heads/z", &two, &e), &e);
	ck_assert_str_eq(m.refs.head, "refs/heads/z");
	ck_assert_str_eq(m.refs.items[0].name, "refs/heads/a");
	ck_assert(oid_equal(&remote_refs_find(&m.refs, "refs/heads/z")->target.id, &two.id));
	UNIT_OK(bucket_manifest_set_ref(&m, "refs/heads/a", NULL, &e), &e);
	UNIT_OK(bucket_manifest_set_ref(&m, "refs/heads/none", NULL, &e), &e);
	ck_assert_uint_eq(m.refs.count, 1);
	UNIT_OK(bucket_manifest_add_pack(&m, &p, &e), &e);
	UNIT_OK(bucket_manifest_add_pack(&m, &p, &e), &e);
	ck_assert_uint_eq(m.pack_count, 1);
	bucket_manifest_free(&m);
}
END_TEST

START_TEST(bucket_manifest_refused)
{
	static const char *const bad[] = {
		"", "aicert bucket 2\n", "aicert bucket 1", "aicert bucket 1\n\n", "aicert bucket 1\nhello\n",
		"aicert bucket 1\nhead refs/tags/x\n", "aicert bucket 1\npack " ID0 " 20 10\n",
		"aicert bucket 1\npack " ID0 " 20 40\npack " ID0 " 20 40\n", "aicert bucket 1\npack " ID0 " 020 40\n",
		"aicert bucket 1\npack " ID0 " 20 99999999999\n", "aicert bucket 1\npack " ID0 " 20 40 1\n",
		"aicert bucket 1\nref refs/heads/main blob sha256:" ID1 "\n",
		"aicert bucket 1\nref refs/heads/../x commit sha256:" ID1 "\n",
		"aicert bucket 1\nref refs/failed/x commit sha256:" ID1 "\n",
		"aicert bucket 1\nref HEAD commit sha256:" ID1 "\n",
		"aicert bucket 1\nref refs/heads/main commit " ID1 "\n",
		"aicert bucket 1\nref refs/heads/b commit sha256:" ID1 "\nref refs/heads/a commit sha256:" ID1 "\n",
		"aicert bucket 1\nref refs/heads/a commit sha256:" ID1 "\nref refs/heads/a commit sha256:" ID1 "\n",
		"aicert bucket 1\nref refs/heads/a commit sha256:" ID1 "\npack " ID0 " 20 40\n",
		"aicert bucket 1\nref refs/heads/a commit sha256:" ID1 " \n",
	};
	struct bucket_manifest m;
	struct err e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(bucket_manifest_decode(bad[i], strlen(bad[i]), &m, &e) != 0, "taken: %s", bad[i]);
	ck_assert_int_ne(bucket_manifest_decode("aicert bucket 1\nhead\0x\n", 23, &m, &e), 0);
}
END_TEST

UNIT_SUITE(bucket_manifest)
{
	tcase_add_test(tc, bucket_manifest_round);
	tcase_add_test(tc, bucket_manifest_change);
	tcase_add_test(tc, bucket_manifest_refused);
}
