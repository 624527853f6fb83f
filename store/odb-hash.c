#include <sys/stat.h>
#include "store/odb-file.h"
#include "store/odb.h"
#include "store/steady.h"

int
odb_hash_fd(int fd, const char *what, struct oid *ret, uint64_t *ret_size, struct err *e)
{
	struct stat before;
	off_t start = 0;
	struct oid id;
	uint64_t size;

	if (steady_begin(fd, what, &before, e) != 0)
		return -1;
	if (S_ISREG(before.st_mode) && (start = lseek(fd, 0, SEEK_CUR)) < 0)
		return err_sys(e, "%s: cannot read", what);
	if (odb_file_hash(fd, what, &id, &size, e) != 0)
		return -1;
	if (S_ISREG(before.st_mode) && (uint64_t)start + size != (uint64_t)before.st_size)
		return steady_changed(what, e);
	if (steady_check(fd, what, &before, e) != 0)
		return -1;
	*ret = id;
	*ret_size = size;
	return 0;
}
