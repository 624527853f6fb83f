#include "store/filesystem.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>
#include "unit.h"
#include "store/fixture.h"

START_TEST(filesystem_numbers)
{
	struct filesystem fs;

	ck_assert(!filesystem_of(EXT4_SUPER_MAGIC).network);
	ck_assert(filesystem_of(BTRFS_SUPER_MAGIC).locks_seen);
	ck_assert_str_eq(filesystem_of(XFS_SUPER_MAGIC).name, "local");
	fs = filesystem_of(NFS_SUPER_MAGIC);
	ck_assert(fs.network && fs.locks_seen);
	fs = filesystem_of(FUSE_SUPER_MAGIC);
	ck_assert(fs.network && !fs.locks_seen);
	ck_assert_str_eq(fs.name, "FUSE");
	ck_assert(!filesystem_of(V9FS_MAGIC).locks_seen);
	ck_assert(!filesystem_of(SMB2_SUPER_MAGIC).locks_seen);
	ck_assert(!filesystem_of(CIFS_SUPER_MAGIC).locks_seen);
	ck_assert(filesystem_of(EXT4_SUPER_MAGIC).dates_names && filesystem_of(TMPFS_MAGIC).dates_names);
	ck_assert(filesystem_of(EXT4_SUPER_MAGIC).dates_files && filesystem_of(NFS_SUPER_MAGIC).dates_files);
	ck_assert(filesystem_of(OVERLAYFS_SUPER_MAGIC).dates_files);
	ck_assert(!filesystem_of(SQUASHFS_MAGIC).dates_files && !filesystem_of(FUSE_SUPER_MAGIC).dates_files);
	ck_assert(!filesystem_of(MSDOS_SUPER_MAGIC).dates_files && !filesystem_of(ISOFS_SUPER_MAGIC).dates_files);
	ck_assert(!filesystem_of(MSDOS_SUPER_MAGIC).dates_names && !filesystem_of(NFS_SUPER_MAGIC).dates_names);
}
END_TEST

START_TEST(filesystem_here)
{
	struct filesystem fs;
	struct fixture f;
	struct err e;

	fixture_open(&f);
	UNIT_OK(filesystem_look(f.dirfd, &fs, &e), &e);
	ck_assert_str_eq(fs.name, store_filesystem(f.s)->name);
	fixture_close(&f);
	UNIT_FAILS(filesystem_look(-1, &fs, &e), &e, ERR_IO);
}
END_TEST

UNIT_SUITE(filesystem)
{
	tcase_add_test(tc, filesystem_numbers);
	tcase_add_test(tc, filesystem_here);
}
