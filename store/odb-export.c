#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "store/elsewhere.h"
#include "store/odb-file.h"
#include "store/odb.h"

#define ODB_EXPORT_CHUNK (256 * 1024)

/* A copy on its way: a file without a name where the file system has such, else one
 * that says whose it is. */
struct odb_export {
	struct store *s;
	const struct oid *id;
	const struct odb_export_place *place;
	int dirfd;
	const char *name;
	int fd;
	char tmp[32];           /* "": it has no name */
};

static int
odb_export_sink(void *arg, const void *data, size_t len, struct err *e)
{
	const struct odb_export *x = arg;

	if (x->place->progress != NULL)
		progress_add(x->place->progress, len);
	return fd_write_all(x->fd, data, len, x->name, e);
}

/* Blocks that are shared may be of a damaged file: what is there now is read. */
static int
odb_export_verify(struct odb_export *x, struct err *e)
{
	CLEANUP(hash_freep) struct hash *h = NULL;
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(ODB_EXPORT_CHUNK);
	char hex[OID_HEX_SIZE];
	struct oid found;
	size_t n;

	if (chunk == NULL)
		return err_nomem(e);
	if (hash_new(HASH_SHA256, &h, e) != 0)
		return -1;
	if (lseek(x->fd, 0, SEEK_SET) != 0)
		return err_sys(e, "%s: cannot read", x->name);
	do {
		if (fd_read_upto(x->fd, chunk, ODB_EXPORT_CHUNK, &n, x->name, e) != 0 ||
		    hash_update(h, chunk, n, e) != 0)
			return -1;
		if (x->place->progress != NULL)
			progress_add(x->place->progress, n);
	} while (n == ODB_EXPORT_CHUNK);
	if (hash_final(h, found.b, e) != 0)
		return -1;
	oid_hex(x->id, hex);
	return oid_equal(&found, x->id) ? 0 : err_set(e, ERR_CORRUPT, "%s: object %s does not have its"
	    " digest", store_path(x->s), hex);
}

/* The bytes: blocks shared where the file system can, else copied. */
static int
odb_export_bytes(struct odb_export *x, struct err *e)
{
	CLEANUP(source_close) struct source from = SOURCE_INIT;
	int rc = odb_file_open(x->s, x->id, &from.fd, &from.size, e);

	if (rc == 0 && !odb_has_own(x->s, x->id))
		rc = elsewhere_find(x->s, x->id, 0, &from, e);
	if (rc < 0)
		return -1;
	if (rc == 1 && ioctl(x->fd, FICLONE, from.fd) == 0)
		return odb_export_verify(x, e);
	return odb_stream(x->s, x->id, odb_export_sink, x, e);
}

static int
odb_export_create(struct odb_export *x, struct err *e)
{
	uint64_t nonce;

	x->fd = openat(x->dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (x->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
		return err_sys(e, "%s: cannot create", x->name);
	if (random_bytes(&nonce, sizeof nonce, e) != 0)
		return -1;
	snprintf(x->tmp, sizeof x->tmp, ".aicert-%016" PRIx64, nonce);
	x->fd = openat(x->dirfd, x->tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (x->fd >= 0)
		return 0;
	x->tmp[0] = '\0';
	return err_sys(e, "%s: cannot create", x->name);
}

/* Under its name, which must be free. */
static int
odb_export_name(struct odb_export *x, struct err *e)
{
	char self[40];
	int rc;

	if (x->tmp[0] != '\0') {
		rc = renameat2(x->dirfd, x->tmp, x->dirfd, x->name, RENAME_NOREPLACE);
	} else {
		snprintf(self, sizeof self, "/proc/self/fd/%d", x->fd);
		rc = linkat(AT_FDCWD, self, x->dirfd, x->name, AT_SYMLINK_FOLLOW);
	}
	if (rc == 0) {
		x->tmp[0] = '\0';
		return 0;
	}
	if (errno == EEXIST)
		return err_set(e, ERR_EXISTS, "%s: exists already", x->name);
	return err_sys(e, "%s: cannot put in place", x->name);
}

static int
odb_export_do(struct odb_export *x, struct err *e)
{
	if (odb_export_create(x, e) != 0 || odb_export_bytes(x, e) != 0)
		return -1;
	if (fchmod(x->fd, (mode_t)x->place->mode) != 0)
		return err_sys(e, "%s: cannot set its permissions", x->name);
	if (x->place->sync && fd_sync(x->fd, x->name, e) != 0)
		return -1;
	return odb_export_name(x, e) != 0 ? -1 : fd_close(&x->fd, x->name, e);
}

/* Verified before it has the name: no wrong byte is ever seen under it. */
int
odb_export_at(struct store *s, const struct oid *id, const struct odb_export_place *place,
    struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	struct odb_export x = {.s = s, .id = id, .place = place, .fd = -1};
	int rc;

	if (fd_open_parent(place->dirfd, place->name, &dirfd, &x.name, e) != 0)
		return -1;
	x.dirfd = dirfd;
	rc = odb_export_do(&x, e);
	if (x.tmp[0] != '\0')
		unlinkat(dirfd, x.tmp, 0);
	cleanup_close(&x.fd);
	return rc;
}

int
odb_export(struct store *s, const struct oid *id, int dirfd, const char *name, unsigned mode,
    struct err *e)
{
	const struct odb_export_place place = {.dirfd = dirfd, .name = name, .mode = mode};

	return odb_export_at(s, id, &place, e);
}
