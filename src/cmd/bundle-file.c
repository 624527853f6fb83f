#include "cmd/bundle-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "store/history.h"

#define BUNDLE_FILE_PIECE (256u * 1024)

static int
bundle_file_pieces(int fd, const char *path, struct bundle_reader *r, struct progress *p, struct err *e)
{
	CLEANUP(cleanup_free) unsigned char *piece = malloc(BUNDLE_FILE_PIECE);
	size_t n;

	if (piece == NULL)
		return err_nomem(e);
	do {
		if (interrupt_check(e) != 0 || fd_read_upto(fd, piece, BUNDLE_FILE_PIECE, &n, path, e) != 0)
			return -1;
		if (bundle_reader_push(r, piece, n, e) != 0)
			return err_prefix(e, "%s", path);
		progress_add(p, n);
	} while (n == BUNDLE_FILE_PIECE);
	return 0;
}

int
bundle_file_open(const char *path, struct bundle_file *ret, struct err *e)
{
	CLEANUP(bundle_reader_freep) struct bundle_reader *r = NULL;
	CLEANUP(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct bundle b = BUNDLE_INIT;
	struct progress p;
	struct stat st;
	int rc;

	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "%s: no such file", path);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_sys(e, "%s: cannot open", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: not a regular file", path);
	if (bundle_reader_new(&r, e) != 0)
		return -1;
	progress_start(&p, stderr, "reading the bundle", (uint64_t)st.st_size);
	rc = bundle_file_pieces(fd, path, r, &p, e);
	progress_end(&p);
	if (rc != 0)
		return -1;
	if (bundle_reader_finish(r, &b, e) != 0)
		return err_prefix(e, "%s", path);
	*ret = (struct bundle_file){.fd = fd, .path = path, .b = b};
	fd = -1;
	return 0;
}

void
bundle_file_close(struct bundle_file *f)
{
	cleanup_close(&f->fd);
	f->fd = -1;
	bundle_reader_release(&f->b);
}

static int
bundle_file_pread(const struct bundle_file *f, const struct bundle_object *o, struct buf *ret,
    struct err *e)
{
	size_t done = 0, len = (size_t)o->size;

	if (buf_reserve(ret, len, e) != 0)
		return -1;
	while (done < len) {
		ssize_t n = pread(f->fd, ret->data + ret->len, len - done, (off_t)(o->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "%s: cannot read", f->path);
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "%s: was cut short while it was used", f->path);
		done += (size_t)n;
		ret->len += (size_t)n;
	}
	return 0;
}

int
bundle_file_read(const struct bundle_file *f, const struct bundle_object *o, size_t max,
    struct buf *ret, struct err *e)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT;
	char hex[OID_HEX_SIZE];
	struct oid id;

	oid_hex(&o->ref.id, hex);
	if (o->size > max)
		return err_set(e, ERR_LIMIT, "%s: object %s is longer than %zu bytes", f->path, hex, max);
	if (bundle_file_pread(f, o, &bytes, e) != 0 || oid_from_data(&id, bytes.data, bytes.len, e) != 0)
		return -1;
	if (!oid_equal(&id, &o->ref.id))
		return err_set(e, ERR_CORRUPT, "%s: was changed while it was used", f->path);
	buf_add(ret, bytes.data, bytes.len);
	return buf_check(ret, e);
}

int
bundle_file_fetch(void *file, const struct oid *id, size_t max, struct buf *ret, struct err *e)
{
	const struct bundle_file *f = file;
	const struct bundle_object *o = bundle_reader_find_id(&f->b, id);
	char hex[OID_HEX_SIZE];

	if (o != NULL)
		return bundle_file_read(f, o, max, ret, e);
	oid_hex(id, hex);
	return err_set(e, ERR_NOTFOUND, "%s: object %s is not in it", f->path, hex);
}

/* Without a history, parents may be elsewhere. */
static void
bundle_file_cut(const struct bundle_file *f, struct commit *c)
{
	size_t kept = 0;

	for (size_t i = 0; f->b.index.head_count == 0 && i < c->parent_count; i++)
		if (bundle_reader_find(&f->b, &(struct object_ref){OBJECT_COMMIT, c->parents[i]}) != NULL)
			c->parents[kept++] = c->parents[i];
	if (f->b.index.head_count == 0)
		c->parent_count = kept;
}

/* A history_read_fn. */
static int
bundle_file_commit(void *arg, const struct oid *id, struct commit *ret, struct err *e)
{
	const struct bundle_file *f = arg;
	const struct bundle_object *o = bundle_reader_find(&f->b, &(struct object_ref){OBJECT_COMMIT, *id});
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char hex[OID_HEX_SIZE];

	oid_hex(id, hex);
	if (o == NULL)
		return err_set(e, ERR_CORRUPT, "%s: aicert-bundle(5) section 4: commit %s is not in it",
		    f->path, hex);
	if (bundle_file_read(f, o, COMMIT_BYTES_MAX, &text, e) != 0)
		return -1;
	if (commit_decode(text.data, text.len, ret, e) == 0) {
		bundle_file_cut(f, ret);
		return 0;
	}
	if (e->code == ERR_FORMAT)
		e->code = ERR_CORRUPT;
	return err_prefix(e, "%s: commit %s", f->path, hex);
}

int
bundle_file_walk(const struct bundle_file *f, bundle_file_commit_fn *fn, void *arg, struct err *e)
{
	const struct history_source from = {bundle_file_commit, (void *)(uintptr_t)f};
	CLEANUP(cleanup_free) struct oid *starts = NULL;
	size_t n = 0;

	if (f->b.index.head_count > 0)
		return history_walk_with(&from, f->b.index.heads, f->b.index.head_count, fn, arg, e);
	starts = calloc(f->b.count + 1, sizeof *starts);
	if (starts == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < f->b.count; i++)
		if (f->b.objects[i].ref.type == OBJECT_COMMIT)
			starts[n++] = f->b.objects[i].ref.id;
	return history_walk_with(&from, starts, n, fn, arg, e);
}
