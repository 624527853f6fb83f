#include "cmd/bundle-write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/progress.h"
#include "store/odb.h"

struct bundle_out {
	struct store *s;
	int fd;
	const char *path;
	struct buf sums;
	uint64_t size;
	struct progress progress;
};

/* An odb_sink. */
static int
bundle_out_bytes(void *arg, const void *data, size_t len, struct err *e)
{
	struct bundle_out *o = arg;

	if (interrupt_check(e) != 0 || fd_write_all(o->fd, data, len, o->path, e) != 0)
		return -1;
	o->size += len;
	progress_add(&o->progress, len);
	return 0;
}

static int
bundle_out_header(struct bundle_out *o, const char *name, uint64_t size, struct err *e)
{
	unsigned char block[BUNDLE_BLOCK];

	bundle_header(name, size, block);
	return bundle_out_bytes(o, block, sizeof block, e);
}

static int
bundle_out_zeros(struct bundle_out *o, size_t len, struct err *e)
{
	static const unsigned char zeros[BUNDLE_END];

	return bundle_out_bytes(o, zeros, len, e);
}

/* A member whose bytes are in memory. */
static int
bundle_out_text(struct bundle_out *o, const char *name, const struct buf *text, struct err *e)
{
	if (bundle_out_header(o, name, text->len, e) != 0 ||
	    bundle_out_bytes(o, text->data, text->len, e) != 0)
		return -1;
	return bundle_out_zeros(o, bundle_padding(text->len), e);
}

static int
bundle_out_index(struct bundle_out *o, struct bundle_index *x, struct err *e)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct oid id;

	if (bundle_index_encode(x, &text, e) != 0 || oid_from_data(&id, text.data, text.len, e) != 0)
		return -1;
	bundle_sum_line(&id, BUNDLE_INDEX_NAME, &o->sums);
	return bundle_out_text(o, BUNDLE_INDEX_NAME, &text, e);
}

static int
bundle_out_object(struct bundle_out *o, const struct object_ref *ref, struct err *e)
{
	char name[BUNDLE_NAME_SIZE];
	uint64_t size, begin;

	bundle_name(ref, name);
	if (odb_size(o->s, &ref->id, &size, e) != 0)
		return -1;
	if (size > bundle_object_max(ref->type))
		return err_set(e, ERR_LIMIT, "%s: too long for a bundle", name);
	if (bundle_out_header(o, name, size, e) != 0)
		return -1;
	begin = o->size;
	if (odb_stream(o->s, &ref->id, bundle_out_bytes, o, e) != 0)
		return -1;
	if (o->size - begin != size)
		return err_set(e, ERR_CORRUPT, "%s: is not as long as the store says", name);
	bundle_sum_line(&ref->id, name, &o->sums);
	return bundle_out_zeros(o, bundle_padding(size), e);
}

static int
bundle_out_all(struct bundle_out *o, struct bundle_collect *c, struct err *e)
{
	if (bundle_out_index(o, &c->index, e) != 0)
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (bundle_out_object(o, &c->refs[i], e) != 0)
			return -1;
	if (buf_check(&o->sums, e) != 0 || bundle_out_text(o, BUNDLE_SUMS_NAME, &o->sums, e) != 0)
		return -1;
	return bundle_out_zeros(o, BUNDLE_END, e);
}

static int
bundle_write_to(struct store *s, struct bundle_collect *c, int fd, const char *path, uint64_t *ret_size,
    struct err *e)
{
	struct bundle_out o = {.s = s, .fd = fd, .path = path};
	int rc;

	progress_start(&o.progress, stderr, "writing the bundle", 0);
	rc = bundle_out_all(&o, c, e);
	progress_end(&o.progress);
	buf_free(&o.sums);
	if (rc == 0)
		*ret_size = o.size;
	return rc;
}

/* A file without a name, in the directory that path is to be in. */
static int
bundle_write_dir(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(cleanup_free) char *dir = slash == NULL ? buf_strdup(".", e) :
	    buf_strfmt(e, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	int fd;

	if (dir == NULL)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "%s: cannot open the directory", dir);
}

/* The finished file gets its name: never over another unless that was asked for. */
static int
bundle_write_name(int dirfd, const char *tmp, const char *name, bool force, const char *path,
    struct err *e)
{
	if (renameat2(dirfd, tmp, dirfd, name, force ? 0 : RENAME_NOREPLACE) != 0)
		return errno == EEXIST ? err_set(e, ERR_EXISTS, "%s: is there already (-f replaces it)", path) :
		    err_sys(e, "%s: cannot create", path);
	return fd_sync(dirfd, path, e);
}

static int
bundle_write_file(struct store *s, struct bundle_collect *c, const char *path, bool force,
    uint64_t *ret_size, struct err *e)
{
	CLEANUP(cleanup_close) int dirfd = bundle_write_dir(path, e);
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(cleanup_free) char *tmp = buf_strfmt(e, ".%s.tmp-%ld", path_base(path), (long)getpid());
	struct stat st;

	if (dirfd < 0 || tmp == NULL)
		return -1;
	if (!force && fstatat(dirfd, path_base(path), &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "%s: is there already (-f replaces it)", path);
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_sys(e, "%s: cannot create", path);
	if (bundle_write_to(s, c, fd, path, ret_size, e) != 0 || fd_sync(fd, path, e) != 0 ||
	    fd_close(&fd, path, e) != 0 ||
	    bundle_write_name(dirfd, tmp, path_base(path), force, path, e) != 0) {
		unlinkat(dirfd, tmp, 0);
		return -1;
	}
	return 0;
}

int
bundle_write(struct store *s, struct bundle_collect *c, const char *path, bool force,
    uint64_t *ret_size, struct err *e)
{
	if (strcmp(path, "-") == 0)
		return bundle_write_to(s, c, STDOUT_FILENO, "standard output", ret_size, e);
	if (*path_base(path) == '\0')
		return err_set(e, ERR_USAGE, "%s: a directory, not a file", path);
	return bundle_write_file(s, c, path, force, ret_size, e);
}
