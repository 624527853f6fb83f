#include "serve/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "store/odb.h"

#define UPLOAD_DIR "upload"
#define UPLOAD_BLOCK 131072
#define UPLOAD_MODE 0600
#define UPLOAD_MODE_WHOLE 0700          /* as many bytes as were announced are here */
#define UPLOAD_ATTEMPTS 5
#define UPLOAD_NAME_SIZE (OID_HEX_SIZE + 64)
#define UPLOAD_RESERVE_SHARE 64         /* of the file system: for what the daemon must write */
#define UPLOAD_RESERVE_MAX (1024u * 1024 * 1024)
#define UPLOAD_LOOK_BYTES (16u * 1024 * 1024)   /* between looks at what is free */

struct upload {
	struct oid id;
	char name[UPLOAD_NAME_SIZE];
	struct store *store;    /* borrowed */
	int dirfd;
	int fd;
	bool locked;            /* one sender at a time */
	struct hash *hash;      /* of what is in the file */
	uint64_t offset;        /* bytes in the file */
	uint64_t end;           /* of this range */
	uint64_t total;
};

static void
upload_name(const struct oid *id, const char *owner, char ret[UPLOAD_NAME_SIZE])
{
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	snprintf(ret, UPLOAD_NAME_SIZE, "%s%s%s", hex, *owner != '\0' ? "-" : "", owner);
}

static int
upload_dir(struct store *s, bool create, struct err *e)
{
	if (create && mkdirat(store_tmp_fd(s), UPLOAD_DIR, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "tmp/" UPLOAD_DIR ": cannot create the directory");
	return fd_open_beneath(store_tmp_fd(s), UPLOAD_DIR, O_RDONLY | O_DIRECTORY, 0, e);
}

/* The digest so far, read again: it may be from before a restart. */
static int
upload_rehash(struct upload *u, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *block = malloc(UPLOAD_BLOCK);
	uint64_t done = 0;
	size_t n = 1;

	if (block == NULL)
		return err_nomem(e);
	while (done < u->offset && n > 0) {
		if (interrupt_check(e) != 0 || fd_read_upto(u->fd, block, UPLOAD_BLOCK, &n, u->name, e) != 0 ||
		    hash_update(u->hash, block, n, e) != 0)
			return -1;
		done += n;
	}
	if (done != u->offset)
		return err_set(e, ERR_CONFLICT, "%s: the part here changed", u->name);
	return 0;
}

/* Nobody's parts fill the disk. */
static int
upload_check_room(const struct upload *u, uint64_t wanted, struct err *e)
{
	uint64_t room, reserve;
	struct statvfs v;

	if (fstatvfs(u->dirfd, &v) != 0)
		return err_sys(e, "cannot find the free space of the store's file system");
	room = (uint64_t)v.f_bavail * v.f_frsize;
	reserve = (uint64_t)v.f_blocks / UPLOAD_RESERVE_SHARE * v.f_frsize;
	if (reserve > UPLOAD_RESERVE_MAX)
		reserve = UPLOAD_RESERVE_MAX;
	if (room >= reserve && room - reserve >= wanted)
		return 0;
	return err_set(e, ERR_LIMIT, "%s: there is no room for it", u->name);
}

/* The file that is locked is the part still: who held the lock before may have made an object
 * of it, by rename, and whoever writes to it now would damage that. */
static bool
upload_is_part(const struct upload *u)
{
	struct stat open_, there;

	return fstat(u->fd, &open_) == 0 &&
	    fstatat(u->dirfd, u->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    open_.st_dev == there.st_dev && open_.st_ino == there.st_ino;
}

static int
upload_prepare(struct upload *u, const struct upload_range *range, uint64_t *ret_offset,
    struct err *e)
{
	struct stat st;

	if (flock(u->fd, LOCK_EX | LOCK_NB) != 0) {
		*ret_offset = 0;
		return err_set(e, ERR_CONFLICT, "%s: another connection is sending it", u->name);
	}
	if (!upload_is_part(u))
		return err_set(e, ERR_CONFLICT, "%s: came whole just now", u->name);
	u->locked = true;
	if (range->length > 0 && fchmod(u->fd, UPLOAD_MODE) != 0)
		return err_sys(e, "%s: cannot change its mode", u->name);
	if (!range->resume && ftruncate(u->fd, 0) != 0)
		return err_sys(e, "%s: cannot empty", u->name);
	if (fstat(u->fd, &st) != 0)
		return err_sys(e, "%s: cannot look at it", u->name);
	u->offset = (uint64_t)st.st_size;
	if (u->offset != range->start) {
		*ret_offset = u->offset;
		return err_set(e, ERR_CONFLICT, "%s: %llu bytes are here, not %llu", u->name,
		    (unsigned long long)u->offset, (unsigned long long)range->start);
	}
	return upload_check_room(u, range->length, e) != 0 ? -1 : upload_rehash(u, e);
}

/* Calls fn with the name of every part, until it says false. */
static void
upload_each(int dirfd, bool (*fn)(void *arg, int dirfd, const char *name), void *arg)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (d == NULL) {
		cleanup_close(&fd);
		return;
	}
	rewinddir(d);
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.' && !fn(arg, dirfd, entry->d_name))
			break;
	closedir(d);
}

struct upload_count {
	const char *owner;
	unsigned parts, max;
};

static bool
upload_count_one(void *arg, int dirfd, const char *name)
{
	struct upload_count *c = arg;

	(void)dirfd;
	c->parts += strlen(name) > OID_HEX_SIZE && strcmp(name + OID_HEX_SIZE, c->owner) == 0;
	return c->parts < c->max;
}

/* Before a new part; one that is there is continued. */
static int
upload_check_count(const struct upload *u, const char *owner, unsigned max, struct err *e)
{
	struct upload_count c = {.owner = owner, .max = max};
	struct stat st;

	if (max == 0 || fstatat(u->dirfd, u->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	upload_each(u->dirfd, upload_count_one, &c);
	return c.parts < max ? 0 : err_set(e, ERR_LIMIT, "%u objects of yours have come in part: finish"
	    " some first", c.parts);
}

/* The directory goes with its last file: another connection may remove it before ours is
 * made, so it is tried again. */
static int
upload_open_file(struct upload *u, const char *owner, unsigned parts_max, struct err *e)
{
	for (int i = 0; i < UPLOAD_ATTEMPTS; i++) {
		u->dirfd = upload_dir(u->store, true, e);
		if (u->dirfd >= 0 && upload_check_count(u, owner, parts_max, e) != 0)
			return -1;
		if (u->dirfd >= 0)
			u->fd = fd_open_beneath(u->dirfd, u->name, O_RDWR | O_CREAT | O_NONBLOCK, UPLOAD_MODE, e);
		if (u->fd >= 0)
			return 0;
		if (u->dirfd >= 0)
			close(u->dirfd);
		u->dirfd = -1;
		if (e->code != ERR_NOTFOUND)
			break;
	}
	return -1;
}

int
upload_open(struct store *s, const struct oid *id, const char *owner,
    const struct upload_range *range, struct upload **ret, uint64_t *ret_offset, struct err *e)
{
	struct upload *u;

	*ret_offset = 0;
	if (range->total > (uint64_t)JCS_INT_MAX || range->length > range->total ||
	    range->start > range->total - range->length)
		return err_set(e, ERR_LIMIT, "an object of %llu bytes",
		    (unsigned long long)range->total);
	u = calloc(1, sizeof *u);
	if (u == NULL)
		return err_nomem(e);
	*u = (struct upload){.id = *id, .store = s, .dirfd = -1, .fd = -1,
		.end = range->start + range->length, .total = range->total};
	upload_name(id, owner, u->name);
	if (upload_open_file(u, owner, range->parts_max, e) != 0 || hash_new(HASH_SHA256, &u->hash, e) != 0 ||
	    upload_prepare(u, range, ret_offset, e) != 0) {
		upload_close(u);
		return -1;
	}
	*ret = u;
	return 0;
}

int
upload_write(struct upload *u, const void *data, size_t len, struct err *e)
{
	if (len > u->end - u->offset)
		return err_set(e, ERR_LIMIT, "%s: more bytes than announced", u->name);
	if (u->offset / UPLOAD_LOOK_BYTES != (u->offset + len) / UPLOAD_LOOK_BYTES &&
	    upload_check_room(u, len, e) != 0)
		return -1;
	if (fd_write_all(u->fd, data, len, u->name, e) != 0 ||
	    hash_update(u->hash, data, len, e) != 0) {
		/* what the file holds and what was hashed must stay the same */
		if (ftruncate(u->fd, (off_t)u->offset) != 0)
			unlinkat(u->dirfd, u->name, 0);
		return -1;
	}
	u->offset += len;
	/* who ends before upload_finish() leaves it to upload_complete() */
	if (u->offset == u->total && fchmod(u->fd, UPLOAD_MODE_WHOLE) != 0)
		return err_sys(e, "%s: cannot change its mode", u->name);
	return 0;
}

int
upload_finish(struct upload *u, bool *ret_whole, uint64_t *ret_offset, struct err *e)
{
	struct oid found;

	if (u->offset != u->end)
		return err_set(e, ERR_FORMAT, "%s: fewer bytes than announced", u->name);
	if (u->offset < u->total) {
		*ret_whole = false;
		*ret_offset = u->offset;
		return 0;
	}
	if (hash_final(u->hash, found.b, e) != 0)
		return -1;
	if (!oid_equal(&found, &u->id)) {
		char hex[OID_HEX_SIZE];

		unlinkat(u->dirfd, u->name, 0);
		u->locked = false;
		oid_hex(&found, hex);
		return err_set(e, ERR_REFUSED, "%s: the bytes have SHA-256 %s; nothing is kept",
		    u->name, hex);
	}
	/* it is locked, and only this process writes there: what was hashed is what it holds */
	if (odb_adopt_known(u->store, u->dirfd, u->name, &u->id, e) != 0)
		return -1;
	u->locked = false; /* the name is gone, or another's by now */
	*ret_whole = true;
	*ret_offset = u->total;
	return 0;
}

void
upload_close(struct upload *u)
{
	if (u == NULL)
		return;
	if (u->locked && u->offset == 0)
		unlinkat(u->dirfd, u->name, 0); /* nothing came */
	hash_free(u->hash);
	if (u->fd >= 0)
		close(u->fd);
	if (u->dirfd >= 0) {
		close(u->dirfd);
		unlinkat(store_tmp_fd(u->store), UPLOAD_DIR, AT_REMOVEDIR); /* when it is empty */
	}
	free(u);
}

/* *ret_size: of a part that is whole. */
static bool
upload_is_whole(struct store *s, const struct oid *id, const char *owner, uint64_t *ret_size)
{
	struct err ignored;
	CLEANUP(cleanup_close) int dirfd = upload_dir(s, false, &ignored);
	char name[UPLOAD_NAME_SIZE];
	struct stat st;

	upload_name(id, owner, name);
	if (dirfd < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 0777) != UPLOAD_MODE_WHOLE)
		return false;
	*ret_size = (uint64_t)st.st_size;
	return true;
}

int
upload_complete(struct store *s, const struct oid *id, const char *owner, bool *ret, struct err *e)
{
	struct upload_range range = {.resume = true};
	struct upload *u;
	uint64_t offset;
	bool whole;
	int rc;

	*ret = false;
	if (!upload_is_whole(s, id, owner, &range.total))
		return 0;
	range.start = range.total;
	if (upload_open(s, id, owner, &range, &u, &offset, e) != 0)
		return e->code == ERR_CONFLICT ? 0 : -1;
	rc = upload_finish(u, &whole, &offset, e);
	upload_close(u);
	if (rc != 0)
		return e->code == ERR_REFUSED ? 0 : -1;
	*ret = whole;
	return 0;
}

int
upload_offset(struct store *s, const struct oid *id, const char *owner, uint64_t *ret, struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = upload_dir(s, false, e);
	char name[UPLOAD_NAME_SIZE];
	struct stat st;

	upload_name(id, owner, name);
	if (dirfd < 0)
		return -1;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_NOTFOUND, "object %.64s: not here", name);
	*ret = (uint64_t)st.st_size;
	return 0;
}

static bool
upload_sweep_one(void *arg, int dirfd, const char *name)
{
	const int64_t *before = arg;
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (int64_t)st.st_mtime < *before)
		unlinkat(dirfd, name, 0);
	return true;
}

void
upload_sweep(struct store *s, int64_t now, int64_t kept_s)
{
	struct err ignored;
	CLEANUP(cleanup_close) int dirfd = upload_dir(s, false, &ignored);
	int64_t before = now - kept_s;

	if (dirfd >= 0)
		upload_each(dirfd, upload_sweep_one, &before);
}
