#include "store/filesystem.h"

#include <stddef.h>
#include <sys/vfs.h>

/* Numbers of linux/magic.h and, for what is not in it, of the file systems' sources. */
static const struct {
	unsigned long magic;
	struct filesystem fs;
} filesystem_table[] = {
	{0x6969, {"NFS", true, true, false}},                  /* flock is a byte-range lock at the server */
	{0x00c36400, {"Ceph", true, true, false}},
	{0x01161970, {"GFS2", true, true, false}},
	{0x7461636f, {"OCFS2", true, true, false}},
	{0xfe534d42, {"SMB", true, false, false}},
	{0xff534d42, {"CIFS", true, false, false}},
	{0x517b, {"SMB", true, false, false}},
	{0x65735546, {"FUSE", true, false, false}},
	{0x01021997, {"9p", true, false, false}},
	{0x5346414f, {"AFS", true, false, false}},
	{0x73757245, {"Coda", true, false, false}},
	{0x0bd00bd0, {"Lustre", true, false, false}},          /* only when mounted with the option flock */
	{0x786f4256, {"vboxsf", true, false, false}},
	{0x6a656a63, {"virtiofs", true, false, false}},
};

/* ext2 to ext4, XFS, Btrfs, tmpfs, F2FS, ZFS, bcachefs: not FAT, whose other writers leave the
 * times alone. */
static const unsigned long filesystem_dating[] = {
	0xef53, 0x58465342, 0x9123683e, 0x01021994, 0xf2f52010, 0x2fc12fc1, 0xca451a4e,
};

static bool
filesystem_dates(unsigned long magic)
{
	bool found = false;

	for (size_t i = 0; i < sizeof filesystem_dating / sizeof *filesystem_dating; i++)
		found |= filesystem_dating[i] == magic;
	return found;
}

struct filesystem
filesystem_of(unsigned long magic)
{
	for (size_t i = 0; i < sizeof filesystem_table / sizeof *filesystem_table; i++)
		if (filesystem_table[i].magic == magic)
			return filesystem_table[i].fs;
	return (struct filesystem){"local", false, true, filesystem_dates(magic)};
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
