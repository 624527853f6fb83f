#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "store/elsewhere.h"
#include "store/fsck-state.h"
#include "store/odb-file.h"
#include "store/odb-small.h"
#include "store/odb.h"

#define FSCK_REPAIR_NAMES 1000
#define FSCK_REPAIR_NAME_SIZE 256
#define FSCK_REPAIR_LOG_MAX 200         /* of a ref's name, so that there is room for ".999" */
#define FSCK_REPAIR_LOCK_MS 10000
#define FSCK_REPAIR_CHUNK (256 * 1024)

/* Good bytes on their way to be the object. */
struct fsck_repair {
	struct fsck *f;
	const struct oid *id;
	char hex[OID_HEX_SIZE];
	struct odb_file file;
	char from[1024];        /* where they come from, for people */
};

static int
fsck_repair_copy(int from, int to, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *chunk = malloc(FSCK_REPAIR_CHUNK);
	size_t n;

	if (chunk == NULL)
		return err_nomem(e);
	do {
		if (fd_read_upto(from, chunk, FSCK_REPAIR_CHUNK, &n, "good bytes", e) != 0 ||
		    fd_write_all(to, chunk, n, "good bytes", e) != 0)
			return -1;
	} while (n == FSCK_REPAIR_CHUNK);
	return 0;
}

/* 1: the new file has the digest; 0: it has not; -1: nothing more can be written. */
static int
fsck_repair_verify(struct fsck_repair *r, struct err *e)
{
	if (lseek(r->file.fd, 0, SEEK_SET) != 0)
		return err_sys(e, "good bytes: cannot read them again");
	if (odb_file_verify(r->f->s, r->id, r->file.fd, e) == 0)
		return 1;
	if (e->code != ERR_CORRUPT)
		return -1;
	while (ftruncate(r->file.fd, 0) != 0)
		if (errno != EINTR)
			return err_sys(e, "good bytes: cannot empty the file");
	return lseek(r->file.fd, 0, SEEK_SET) == 0 ? 0 :
	    err_sys(e, "good bytes: cannot empty the file");
}

/* What this machine cannot do ends it; that one place has no good bytes does not. */
static bool
fsck_repair_fatal(const struct err *e)
{
	return e->code == ERR_NOMEM || e->code == ERR_CANCELLED || e->code == ERR_DENIED ||
	    (e->code == ERR_IO && e->sys != EIO);
}

/* Both forms the store itself can have: one may be good. */
static int
fsck_repair_from_copy(struct fsck_repair *r, struct err *e)
{
	CLEANUP(buf_free) struct buf row = BUF_INIT;
	CLEANUP(cleanup_close) int fd = -1;
	struct store *s = r->f->s;
	uint64_t size;

	if (odb_small_read(s, r->id, &row, e) == 1) {
		snprintf(r->from, sizeof r->from, "its copy in objects/small.db");
		return fd_write_all(r->file.fd, row.data, row.len, "good bytes", e) != 0 ? -1 :
		    fsck_repair_verify(r, e);
	}
	if (odb_file_open(s, r->id, &fd, &size, e) != 1)
		return 0;
	snprintf(r->from, sizeof r->from, "its copy as a file");
	if (fsck_repair_copy(fd, r->file.fd, e) != 0)
		return e->sys == EIO ? 0 : -1;
	return fsck_repair_verify(r, e);
}

static int
fsck_repair_from_elsewhere(struct fsck_repair *r, struct err *e)
{
	for (unsigned nth = 0;; nth++) {
		CLEANUP(source_close) struct source p = SOURCE_INIT;
		int rc = elsewhere_find(r->f->s, r->id, nth, &p, e);

		if (rc <= 0)
			return rc;
		if (fsck_repair_copy(p.fd, r->file.fd, e) != 0)
			return -1;
		snprintf(r->from, sizeof r->from, "%s", p.path);
		rc = fsck_repair_verify(r, e);
		if (rc != 0)
			return rc;
	}
}

static int
fsck_repair_from_remote(struct fsck_repair *r, struct err *e)
{
	const struct fsck_options *o = r->f->o;

	if (o->fetch == NULL)
		return 0;
	snprintf(r->from, sizeof r->from, "a remote");
	if (o->fetch(o->arg, r->id, r->file.fd, e) == 0)
		return fsck_repair_verify(r, e);
	if (fsck_repair_fatal(e))
		return -1;
	return 0;
}

/* A name of its own for everything damaged that is ever found. */
static int
fsck_repair_name(const char *name, int dirfd, char ret[FSCK_REPAIR_NAME_SIZE], struct err *e)
{
	struct stat st;

	for (int i = 0; i < FSCK_REPAIR_NAMES; i++) {
		snprintf(ret, FSCK_REPAIR_NAME_SIZE, i == 0 ? "%s" : "%s.%d", name, i);
		if (fstatat(dirfd, ret, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
			return 0;
	}
	return err_set(e, ERR_LIMIT, FSCK_QUARANTINE "/%s: too many of that name", name);
}

static int
fsck_repair_dir(struct store *s, int *ret_fd, struct err *e)
{
	int fd;

	if (store_make_dirs(s, FSCK_QUARANTINE, e) != 0)
		return -1;
	fd = fd_open_beneath(store_dirfd(s), FSCK_QUARANTINE, O_RDONLY | O_DIRECTORY, 0, e);
	if (fd < 0)
		return -1;
	*ret_fd = fd;
	return 0;
}

/* The damaged file gets a second name before it loses the first. */
static int
fsck_repair_keep_file(struct fsck_repair *r, int dirfd, struct err *e)
{
	CLEANUP(cleanup_close) int objects = fd_open_beneath(store_dirfd(r->f->s), "objects",
	    O_RDONLY | O_DIRECTORY, 0, e);
	CLEANUP(cleanup_close) int parent = -1;
	char name[ODB_FILE_NAME_SIZE], kept[FSCK_REPAIR_NAME_SIZE];
	const char *base;
	struct stat st;

	odb_file_name(r->id, name);
	if (objects < 0)
		return -1;
	if (fd_open_parent(objects, name, &parent, &base, e) != 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	if (fstatat(parent, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "objects/%s: cannot look at it", name);
	if (fsck_repair_name(r->hex, dirfd, kept, e) != 0)
		return -1;
	if (linkat(parent, base, dirfd, kept, 0) != 0 && renameat(parent, base, dirfd, kept) != 0)
		return err_sys(e, "objects/%s: cannot be kept in " FSCK_QUARANTINE, name);
	return fd_sync(dirfd, FSCK_QUARANTINE, e);
}

static int
fsck_repair_keep_row(struct fsck_repair *r, int dirfd, struct err *e)
{
	CLEANUP(atomic_file_unlock) struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(buf_free) struct buf row = BUF_INIT;
	char kept[FSCK_REPAIR_NAME_SIZE];
	struct oid found;

	if (odb_small_raw(r->f->s, r->id, &row, e) != 1)
		return 0; /* absent, or nothing to be read */
	if (oid_from_data(&found, row.data, row.len, e) != 0)
		return -1;
	if (oid_equal(&found, r->id))
		return 0; /* the file was the bad one */
	/* the lock says that what is on its way to the name is not left over */
	return fsck_repair_name(r->hex, dirfd, kept, e) != 0 ||
	    atomic_file_lock(&lock, dirfd, kept, FSCK_REPAIR_LOCK_MS, e) != 0 ? -1 :
	    atomic_file_write(dirfd, kept, row.data, row.len, 0444, e);
}

/* The file in objects/ab is not what it should be. */
static bool
fsck_repair_file_bad(struct fsck_repair *r)
{
	CLEANUP(cleanup_close) int fd = -1;
	struct err ignored;
	uint64_t size;
	int rc = odb_file_open(r->f->s, r->id, &fd, &size, &ignored);

	return rc < 0 || (rc == 1 && odb_file_verify(r->f->s, r->id, fd, &ignored) != 0);
}

/* In place of a bad row, when it is one. */
static int
fsck_repair_row(struct fsck_repair *r, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	struct err ignored;

	if (odb_small_read(r->f->s, r->id, &bytes, &ignored) >= 0)
		return 0; /* absent, or good */
	buf_reset(&bytes);
	if (lseek(r->file.fd, 0, SEEK_SET) != 0)
		return err_sys(e, "good bytes: cannot read them again");
	/* a row can be longer than what is put as one today */
	if (fd_read_all(r->file.fd, DB_VALUE_MAX, &bytes, "good bytes", e) != 0)
		return -1;
	return odb_small_put(r->f->s, r->id, bytes.data, bytes.len, e);
}

/* Good bytes are in r->file: the damaged ones are kept, then replaced. */
static int
fsck_repair_place(struct fsck_repair *r, struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = -1;
	bool file = fsck_repair_file_bad(r), has;
	struct stat st;

	if (fstat(r->file.fd, &st) != 0)
		return err_sys(e, "good bytes: cannot look at them");
	if (fsck_repair_dir(r->f->s, &dirfd, e) != 0 || fsck_repair_keep_row(r, dirfd, e) != 0 ||
	    (file && fsck_repair_keep_file(r, dirfd, e) != 0) || fsck_repair_row(r, e) != 0)
		return -1;
	has = odb_has_own(r->f->s, r->id);
	if (!file && has)
		return 0; /* the row was all that was wrong */
	if (odb_small_flush(r->f->s, e) != 0)
		return -1;
	return odb_file_commit(r->f->s, &r->file, r->id, e);
}

/* 1: good bytes in r->file, 0: nobody has them */
static int
fsck_repair_find(struct fsck_repair *r, struct err *e)
{
	int rc = fsck_repair_from_copy(r, e);

	if (rc == 0)
		rc = fsck_repair_from_elsewhere(r, e);
	return rc != 0 ? rc : fsck_repair_from_remote(r, e);
}

int
fsck_repair_object(struct fsck *f, const struct oid *id)
{
	struct fsck_repair r = {.f = f, .id = id, .file = {.fd = -1}};
	struct err e = {0};
	int rc;

	oid_hex(id, r.hex);
	if (odb_file_create(f->s, &r.file, f->e) != 0)
		return -1;
	rc = fsck_repair_find(&r, &e);
	if (rc == 1)
		rc = fsck_repair_place(&r, &e) == 0 ? 1 : -1;
	odb_file_abort(f->s, &r.file);
	if (rc == 1) {
		f->r.repaired++;
		fsck_state_say(f, FSCK_REPAIRED, "object %s: from %s", r.hex, r.from);
	}
	if (rc < 0)
		*f->e = e;
	return rc;
}

int
fsck_repair_keep_log(struct fsck *f, const char *ref)
{
	CLEANUP(cleanup_free) char *path = buf_strfmt(f->e, "logs/%s", ref);
	CLEANUP(cleanup_free) char *flat = buf_strfmt(f->e, FSCK_QUARANTINE_LOG "%.*s", FSCK_REPAIR_LOG_MAX, ref);
	CLEANUP(cleanup_close) int dirfd = -1;
	CLEANUP(cleanup_close) int parent = -1;
	char kept[FSCK_REPAIR_NAME_SIZE];
	const char *base;

	if (path == NULL || flat == NULL || fsck_repair_dir(f->s, &dirfd, f->e) != 0)
		return -1;
	for (char *p = flat; (p = strchr(p, '/')) != NULL;)
		*p = '%';
	if (fd_open_parent(store_dirfd(f->s), path, &parent, &base, f->e) != 0)
		return f->e->code == ERR_NOTFOUND ? 0 : -1;
	if (fsck_repair_name(flat, dirfd, kept, f->e) != 0)
		return -1;
	if (renameat(parent, base, dirfd, kept) != 0)
		return errno == ENOENT ? 0 : err_sys(f->e, "%s: cannot be kept in " FSCK_QUARANTINE, path);
	return fd_sync(dirfd, FSCK_QUARANTINE, f->e) != 0 ? -1 : fd_sync(parent, path, f->e);
}
