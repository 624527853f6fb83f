#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"

/* A file on its way from outside. */
struct odb_adopt {
	int dirfd;
	const char *name;
	int fd;
	bool known;         /* id is the caller's word */
	struct oid id;
	uint64_t size;
};

/*
 * Into the store by rename.  The file becomes ours and read-only before it is
 * hashed: its maker (a run has a uid of its own) cannot open it any more.
 * 1: it must be copied (another file system, or it has other names).
 */
static int
odb_adopt_rename(struct store *s, struct odb_adopt *a, const struct stat *st, struct err *e)
{
	if (st->st_nlink != 1)
		return 1;
	if ((st->st_uid != geteuid() && fchown(a->fd, geteuid(), getegid()) != 0) ||
	    fchmod(a->fd, 0444) != 0) {
		if (errno == EPERM)
			return 1;
		return err_sys(e, "%s: cannot take over", a->name);
	}
	a->size = (uint64_t)st->st_size;
	if ((!a->known && odb_file_hash(a->fd, a->name, &a->id, &a->size, e) != 0) ||
	    odb_small_flush(s, e) != 0 ||
	    fd_sync(a->fd, a->name, e) != 0)
		return -1;
	return odb_file_publish(s, a->dirfd, a->name, &a->id, e);
}

static int
odb_adopt_file(struct store *s, struct odb_adopt *a, struct err *e)
{
	struct stat st;
	int rc = 1;

	if (fstat(a->fd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", a->name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_DENIED, "%s: not a regular file", a->name);
	if (st.st_size > ODB_SMALL_MAX)
		rc = odb_adopt_rename(s, a, &st, e);
	if (rc <= 0)
		return rc;
	if (lseek(a->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "%s: cannot read", a->name);
	if (odb_put_fd(s, a->fd, a->name, a->known ? &a->id : NULL, &a->id, &a->size, e) != 0)
		return -1;
	return unlinkat(a->dirfd, a->name, 0) == 0 ? 0 : err_sys(e, "%s: cannot remove", a->name);
}

static int
odb_adopt_run(struct store *s, int dirfd, const char *name, struct odb_adopt *a, struct err *e)
{
	CLEANUP(cleanup_close) int parent = -1;
	CLEANUP(cleanup_close) int fd = -1;

	if (store_read_only(s))
		return err_set(e, ERR_DENIED, "%s: the store is read-only", store_path(s));
	if (fd_open_parent(dirfd, name, &parent, &a->name, e) != 0)
		return -1;
	a->dirfd = parent;
	fd = fd_open_beneath(parent, a->name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, e);
	if (fd < 0)
		return -1;
	a->fd = fd;
	return odb_adopt_file(s, a, e);
}

int
odb_adopt(struct store *s, int dirfd, const char *name, struct oid *ret, uint64_t *ret_size,
    struct err *e)
{
	struct odb_adopt a = {.fd = -1};

	if (odb_adopt_run(s, dirfd, name, &a, e) != 0)
		return -1;
	*ret = a.id;
	*ret_size = a.size;
	return 0;
}

int
odb_adopt_known(struct store *s, int dirfd, const char *name, const struct oid *id, struct err *e)
{
	struct odb_adopt a = {.fd = -1, .known = true, .id = *id};

	return odb_adopt_run(s, dirfd, name, &a, e);
}
