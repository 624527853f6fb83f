#include "store/filesystem.h"

#include <stddef.h>
#include <sys/vfs.h>

#define FILESYSTEM_COUNT(a) (sizeof(a) / sizeof *(a))

/* Numbers of linux/magic.h and, for what is not in it, of the file systems' sources. */
static const struct {
	unsigned long magic;
	struct filesystem fs;
} filesystem_table[] = {
	{0x6969, {"NFS", true, true, true, false}},                  /* flock is a byte-range lock at the server */
	{0x00c36400, {"Ceph", true, true, true, false}},
	{0x01161970, {"GFS2", true, true, true, false}},
	{0x7461636f, {"OCFS2", true, true, true, false}},
	{0xfe534d42, {"SMB", true, false, true, false}},
	{0xff534d42, {"CIFS", true, false, true, false}},
	{0x517b, {"SMB", true, false, true, false}},
	{0x65735546, {"FUSE", true, false, false, false}},
	{0x01021997, {"9p", true, false, true, false}},
	{0x5346414f, {"AFS", true, false, true, false}},
	{0x73757245, {"Coda", true, false, true, false}},
	{0x0bd00bd0, {"Lustre", true, false, true, false}},          /* only when mounted with the option flock */
	{0x786f4256, {"vboxsf", true, false, true, false}},
	{0x6a656a63, {"virtiofs", true, false, true, false}},
};

/* ext2 to ext4, XFS, Btrfs, tmpfs, F2FS, ZFS, bcachefs: not FAT, whose other writers leave the
 * times alone. */
static const unsigned long filesystem_dating[] = {
	0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010, 0x2fc12fc1, 0xca451a4e,
};

/* SquashFS, EROFS, ISO 9660, UDF, cramfs, romfs, FAT, exFAT, NTFS, HFS+: images that are mounted one
 * after the other, with numbers and times that the maker of the image chose. */
static const unsigned long filesystem_undated[] = {
	0x73717368, 0xe0f5e1e2, 0x9660, 0x15013346, 0x28cd3d45, 0x7275, 0x4d44, 0x2011bab0, 0x7366746e, 0x482b,
};

static bool
filesystem_in(const unsigned long *list, size_t n, unsigned long magic)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == magic)
			return true;
	return false;
}

struct filesystem
filesystem_of(unsigned long magic)
{
	for (size_t i = 0; i < sizeof filesystem_table / sizeof *filesystem_table; i++)
		if (filesystem_table[i].magic == magic)
			return filesystem_table[i].fs;
	return (struct filesystem){"local", false, true,
	    !filesystem_in(filesystem_undated, FILESYSTEM_COUNT(filesystem_undated), magic),
	    filesystem_in(filesystem_dating, FILESYSTEM_COUNT(filesystem_dating), magic)};
}

int
filesystem_look(int fd, struct filesystem *ret, struct err *e)
{
	struct statfs st;

	if (fstatfs(fd, &st) != 0)
		return err_sys(e, "cannot find out the file system");
	*ret = filesystem_of((unsigned long)st.f_type & 0xffffffffUL);
	return 0;
}
