/*
 * A bucket in a directory, for any web server to hand out (static:/DIR), and the same
 * bucket read over https from whichever server that is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/atomic-file.h"
#include "base/fd.h"
#include "base/interrupt.h"
#include "crypto/hash.h"
#include "base/hex.h"
#include "remote/bucket.h"
#include "store/odb.h"
#include "store/part.h"

#define STATIC_LOCK_MS 60000

struct static_dir {
	struct bucket bucket;   /* first */
	char *path;
	int dirfd;              /* -1: not there yet */
	bool made;              /* with all that is in it */
};

static void
static_close(struct remote *r)
{
	struct static_dir *d = r->state;

	bucket_end(&d->bucket);
	cleanup_close(&d->dirfd);
	free(d->path);
	free(d);
	r->state = NULL;
}

static int
static_make(struct static_dir *d, struct err *e)
{
	if (d->made)
		return 0;
	if (mkdir(d->path, 0777) != 0 && errno != EEXIST)
		return err_sys(e, "%s: cannot create the directory", d->path);
	if (d->dirfd < 0)
		d->dirfd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dirfd < 0)
		return err_sys(e, "%s: cannot open", d->path);
	if (fd_mkdirs_beneath(d->dirfd, "packs", 0777, e) != 0 ||
	    fd_mkdirs_beneath(d->dirfd, "objects", 0777, e) != 0)
		return err_prefix(e, "%s", d->path);
	d->made = true;
	return fd_sync(d->dirfd, d->path, e);
}

/* Which version it is: the digest of its bytes. */
static int
static_tag(const struct buf *text, char ret[BUCKET_TAG_SIZE], struct err *e)
{
	unsigned char digest[HASH_SHA256_SIZE];

	if (hash_once(HASH_SHA256, text->data, text->len, digest, e) != 0)
		return -1;
	hex_encode(ret, digest, sizeof digest);
	return 0;
}

static int
static_read(void *self, const char *key, size_t max, struct buf *ret, char ret_tag[BUCKET_TAG_SIZE],
    struct err *e)
{
	struct static_dir *d = self;
	CLEANUP(cleanup_close) int fd = -1;

	if (d->dirfd < 0)
		d->dirfd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dirfd < 0)
		return err_set(e, ERR_NOTFOUND, "%s: not there", d->path);
	fd = fd_open_beneath(d->dirfd, key, O_RDONLY | O_NONBLOCK, 0, e);
	if (fd < 0 || fd_read_all(fd, max, ret, key, e) != 0)
		return -1;
	return ret_tag != NULL ? static_tag(ret, ret_tag, e) : 0;
}

/* Read again under the lock: the one place where versions are compared. */
static int
static_swap(const struct static_dir *d, const void *data, size_t len, const char *tag,
    struct err *e)
{
	struct atomic_file_lock lock = ATOMIC_FILE_LOCK_INIT;
	CLEANUP(buf_free) struct buf now = BUF_INIT;
	char found[BUCKET_TAG_SIZE];
	int rc;

	if (atomic_file_lock(&lock, d->dirfd, BUCKET_MANIFEST, STATIC_LOCK_MS, e) != 0)
		return -1;
	rc = fd_read_file(d->dirfd, BUCKET_MANIFEST, BUCKET_MANIFEST_MAX, &now, e);
	if (rc == 0 ? tag == NULL : e->code == ERR_NOTFOUND && tag != NULL)
		rc = err_set(e, ERR_CONFLICT, "%s: changed meanwhile", d->path);
	else if (rc == 0 && (rc = static_tag(&now, found, e)) == 0 && strcmp(found, tag) != 0)
		rc = err_set(e, ERR_CONFLICT, "%s: changed meanwhile", d->path);
	else if (rc != 0 && e->code == ERR_NOTFOUND)
		rc = 0;
	if (rc == 0)
		rc = atomic_file_lock_commit(&lock, data, len, e);
	atomic_file_unlock(&lock);
	return rc;
}

static int
static_write(void *self, const char *key, const void *data, size_t len, const char *tag,
    struct err *e)
{
	struct static_dir *d = self;
	CLEANUP(cleanup_close) int parent = -1;
	const char *base;

	if (static_make(d, e) != 0)
		return -1;
	if (strcmp(key, BUCKET_MANIFEST) == 0)
		return static_swap(d, data, len, tag, e);
	return fd_open_parent(d->dirfd, key, &parent, &base, e) != 0 ? -1 :
	    atomic_file_write(parent, base, data, len, 0644, e);
}

static void
static_key(const struct remote_item *item, char ret[BUCKET_KEY_MAX])
{
	char hex[OID_HEX_SIZE];

	oid_hex(&item->ref.id, hex);
	snprintf(ret, BUCKET_KEY_MAX, "objects/%s", hex);
}

static int
static_missing(void *self, struct remote_item *items, size_t n, struct err *e)
{
	const struct static_dir *d = self;
	char key[BUCKET_KEY_MAX];
	struct stat st;

	(void)e;
	for (size_t i = 0; i < n; i++) {
		static_key(&items[i], key);
		items[i].state = d->dirfd >= 0 && fstatat(d->dirfd, key, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && (uint64_t)st.st_size == items[i].size ? REMOTE_HAS : REMOTE_LACKS;
	}
	return 0;
}

static int
static_get_one(struct static_dir *d, const struct remote_item *item, const char *key,
    struct progress *p, struct err *e)
{
	CLEANUP(cleanup_close) int fd = fd_open_beneath(d->dirfd, key, O_RDONLY | O_NONBLOCK, 0, e);
	struct part_source source = {.fd = fd, .what = key, .progress = p};
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (item->exact ?
	    (uint64_t)st.st_size != item->size : (uint64_t)st.st_size > item->size))
		return err_set(e, ERR_REFUSED, "%s: not a file of the length that it must have", key);
	source.size = (uint64_t)st.st_size;
	return part_copy(d->bucket.remote->store, &item->ref.id, &source, e);
}

static int
static_put_one(struct static_dir *d, const struct remote_item *item, const char *key,
    struct progress *p, struct err *e)
{
	const struct odb_export_place place = {.dirfd = d->dirfd, .name = key, .mode = 0444,
	    .sync = true, .progress = p};

	/* what is there with another length is what a crash or somebody else left */
	if (unlinkat(d->dirfd, key, 0) != 0 && errno != ENOENT)
		return err_sys(e, "%s/%s: cannot replace", d->path, key);
	return odb_export_at(d->bucket.remote->store, &item->ref.id, &place, e) == 0 ||
	    e->code == ERR_EXISTS ? 0 : -1;
}

static bool
static_fatal(const struct err *e)
{
	return e->code == ERR_CANCELLED || e->code == ERR_NOMEM || e->code == ERR_DENIED ||
	    (e->code == ERR_IO && (e->sys == ENOSPC || e->sys == EDQUOT || e->sys == EROFS));
}

static int
static_move(struct static_dir *d, struct remote_item *items, size_t n, bool in, struct err *e)
{
	struct remote *r = d->bucket.remote;
	char key[BUCKET_KEY_MAX];
	struct progress p;
	uint64_t total = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		total += items[i].size;
	progress_start(&p, r->progress, in ? "fetching" : "sending", total);
	for (size_t i = 0; i < n && rc == 0; i++) {
		static_key(&items[i], key);
		rc = interrupt_check(e) != 0 ? -1 : in ? static_get_one(d, &items[i], key, &p, e) :
		    static_put_one(d, &items[i], key, &p, e);
		items[i].state = rc == 0 ? REMOTE_HAS : e->code == ERR_NOTFOUND ? REMOTE_LACKS : REMOTE_FAILED;
		if (rc != 0 && static_fatal(e))
			break;
		if (items[i].state == REMOTE_FAILED)
			notice_say(&r->notice, "%s: %s", key, e->msg);
		rc = 0;
	}
	progress_end(&p);
	return rc;
}

static int
static_get(void *self, struct remote_item *items, size_t n, struct err *e)
{
	return static_move(self, items, n, true, e);
}

static int
static_put(void *self, struct remote_item *items, size_t n, struct err *e)
{
	return static_make(self, e) != 0 ? -1 : static_move(self, items, n, false, e);
}

static const struct bucket_ops static_bucket = {
	.read = static_read, .write = static_write, .missing = static_missing, .get = static_get,
	.put = static_put,
};

static int
static_open(struct remote *r, struct err *e)
{
	struct static_dir *d = calloc(1, sizeof *d);

	if (d == NULL)
		return err_nomem(e);
	d->bucket = (struct bucket){.ops = &static_bucket, .self = d, .remote = r};
	d->dirfd = -1;
	r->state = d;
	d->path = buf_strdup(r->url + strlen("static:"), e);
	if (d->path == NULL)
		return -1;
	if (d->path[0] != '/')
		return err_set(e, ERR_USAGE, "%s: give the directory in full: static:/DIR", r->url);
	if (r->writing) /* made by the first write */
		return 0;
	d->dirfd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->dirfd >= 0)
		return 0;
	return errno == ENOENT ? err_set(e, ERR_NOTFOUND, "%s: no such directory", d->path) :
	    err_sys(e, "%s: cannot open", d->path);
}

const struct remote_ops static_ops = {
	.name = "static", .open = static_open, .close = static_close, .refs = bucket_refs,
	.missing = bucket_missing, .read = bucket_read, .get = bucket_get, .put = bucket_put,
	.update = bucket_update,
};
