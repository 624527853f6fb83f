#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "crypto/random.h"
#include "store/odb-file.h"
#include "store/odb.h"

static int
odb_export_sink(void *arg, const void *data, size_t len, struct err *e)
{
	return fd_write_all(*(int *)arg, data, len, "a copy of an object", e);
}

/* The bytes into fd: blocks shared where the file system can, else copied. */
static int
odb_export_bytes(struct store *s, const struct oid *id, int fd, struct err *e)
{
	CLEANUP(cleanup_close) int from = -1;
	uint64_t size;
	int rc = odb_file_open(s, id, &from, &size, e);

	if (rc < 0)
		return -1;
	if (rc == 1 && ioctl(fd, FICLONE, from) == 0) {
		if (lseek(fd, 0, SEEK_SET) != 0)
			return err_sys(e, "a copy of an object: cannot read");
		return odb_file_verify(s, id, fd, e);
	}
	return odb_stream(s, id, odb_export_sink, &fd, e);
}

static int
odb_export_fill(struct store *s, const struct oid *id, int dirfd, const char *tmp, unsigned mode,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = openat(dirfd, tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "%s: cannot create", tmp);
	if (odb_export_bytes(s, id, fd, e) != 0)
		return -1;
	if (fchmod(fd, (mode_t)mode) != 0)
		return err_sys(e, "%s: cannot set its permissions", tmp);
	return fd_close(&fd, tmp, e);
}

static int
odb_export_at(struct store *s, const struct oid *id, int dirfd, const char *name, unsigned mode,
    struct err *e)
{
	char tmp[32];
	uint64_t nonce;

	if (random_bytes(&nonce, sizeof nonce, e) != 0)
		return -1;
	snprintf(tmp, sizeof tmp, ".aicert-%016" PRIx64, nonce);
	if (odb_export_fill(s, id, dirfd, tmp, mode, e) != 0)
		goto undo;
	if (renameat2(dirfd, tmp, dirfd, name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		err_set(e, ERR_EXISTS, "%s: exists already", name);
	else
		err_sys(e, "%s: cannot rename into place", name);
undo:
	unlinkat(dirfd, tmp, 0);
	return -1;
}

/* Verified under another name first: no wrong byte is ever seen under this one. */
int
odb_export(struct store *s, const struct oid *id, int dirfd, const char *name, unsigned mode,
    struct err *e)
{
	CLEANUP(cleanup_close) int fd = -1;
	const char *base;

	return fd_open_parent(dirfd, name, &fd, &base, e) != 0 ? -1 :
	    odb_export_at(s, id, fd, base, mode, e);
}
