#include "git/lfs-pointer.h"

#include <string.h>
#include "unit.h"

#define LFS_V "version https://git-lfs.github.com/spec/v1\n"
#define LFS_OID "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"

START_TEST(lfs_pointers)
{
	static const char *const bad[] = {
		"", LFS_V, LFS_V "oid sha256:" LFS_OID "\n", LFS_V "size 1\n",
		"version x\noid sha256:" LFS_OID "\nsize 1\n", LFS_V "oid sha256:" LFS_OID "0\nsize 1\n",
		LFS_V "oid sha256:4D7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 1\n",
		LFS_V "oid sha1:" LFS_OID "\nsize 1\n", LFS_V "oid sha256:" LFS_OID "\nsize -1\n",
		LFS_V "oid sha256:" LFS_OID "\nsize 1x\n", LFS_V "oid sha256:" LFS_OID "\nsize 99999999999999999\n",
	};
	static const char good[] = LFS_V "ext-0-foo sha256:1\noid sha256:" LFS_OID "\nsize 12345\n";
	char hex[65];
	uint64_t size;

	ck_assert(lfs_pointer_decode(good, strlen(good), hex, &size));
	ck_assert_str_eq(hex, LFS_OID);
	ck_assert_uint_eq(size, 12345);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(!lfs_pointer_decode(bad[i], strlen(bad[i]), hex, &size), "%s", bad[i]);
	ck_assert(!lfs_pointer_decode(good, sizeof good, hex, &size)); /* with its NUL */
}
END_TEST

UNIT_SUITE(git_lfs_pointer)
{
	tcase_add_test(tc, lfs_pointers);
}
