#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"

/*
 * Into the store by rename.  The file becomes ours and read-only before it is
 * hashed: its maker (a run has a uid of its own) cannot open it any more.
 * 1: it must be copied (another file system, or it has other names).
 */
static int
odb_adopt_rename(struct store *s, int dirfd, const char *name, int fd, const struct stat *st,
    struct oid *ret, uint64_t *ret_size, struct err *e)
{
	if (st->st_nlink != 1)
		return 1;
	if ((st->st_uid != geteuid() && fchown(fd, geteuid(), getegid()) != 0) || fchmod(fd, 0444) != 0) {
		if (errno == EPERM)
			return 1;
		return err_sys(e, "%s: cannot take over", name);
	}
	if (odb_file_hash(fd, name, ret, ret_size, e) != 0 || odb_small_flush(s, e) != 0 ||
	    fd_sync(fd, name, e) != 0)
		return -1;
	return odb_file_publish(s, dirfd, name, ret, e);
}

static int
odb_adopt_fd(struct store *s, int dirfd, const char *name, int fd, struct oid *ret,
    uint64_t *ret_size, struct err *e)
{
	struct stat st;
	int rc = 1;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DENIED, "%s: not a regular file", name);
	if (st.st_size > ODB_SMALL_MAX)
		rc = odb_adopt_rename(s, dirfd, name, fd, &st, ret, ret_size, e);
	if (rc <= 0)
		return rc;
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_sys(e, "%s: cannot read", name);
	if (odb_put_fd(s, fd, name, NULL, ret, ret_size, e) != 0)
		return -1;
	return unlinkat(dirfd, name, 0) == 0 ? 0 : err_sys(e, "%s: cannot remove", name);
}

int
odb_adopt(struct store *s, int dirfd, const char *name, struct oid *ret, uint64_t *ret_size,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct oid id;
	uint64_t size;

	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	fd = fd_open_beneath(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0 || odb_adopt_fd(s, dirfd, name, fd, &id, &size, e) != 0)
		return -1;
	*ret = id;
	*ret_size = size;
	return 0;
}
