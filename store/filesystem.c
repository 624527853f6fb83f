#include "store/filesystem.h"

#include <stddef.h>
#include <sys/vfs.h>

/* Numbers of linux/magic.h and, for what is not in it, of the file systems' sources. */
static const struct {
	unsigned long magic;
	struct filesystem fs;
} filesystem_table[] = {
	{0x6969, {"NFS", true, true}},                  /* flock is a byte-range lock at the server */
	{0x00c36400, {"Ceph", true, true}},
	{0x01161970, {"GFS2", true, true}},
	{0x7461636f, {"OCFS2", true, true}},
	{0xfe534d42, {"SMB", true, false}},
	{0xff534d42, {"CIFS", true, false}},
	{0x517b, {"SMB", true, false}},
	{0x65735546, {"FUSE", true, false}},
	{0x01021997, {"9p", true, false}},
	{0x5346414f, {"AFS", true, false}},
	{0x73757245, {"Coda", true, false}},
	{0x0bd00bd0, {"Lustre", true, false}},          /* only when mounted with the option flock */
	{0x786f4256, {"vboxsf", true, false}},
	{0x6a656a63, {"virtiofs", true, false}},
};

struct filesystem
filesystem_of(unsigned long magic)
{
	for (size_t i = 0; i < sizeof filesystem_table / sizeof *filesystem_table; i++)
		if (filesystem_table[i].magic == magic)
			return filesystem_table[i].fs;
	return (struct filesystem){"local", false, true};
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
