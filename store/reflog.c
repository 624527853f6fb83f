#include "store/reflog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/interrupt.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "store/refs.h"

#define REFLOG_LINE_MAX (1024 * 1024)
#define REFLOG_BLOCK (64 * 1024)
#define REFLOG_NONE "0000000000000000000000000000000000000000000000000000000000000000"

static int
reflog_path(const char *ref, char **ret, struct err *e)
{
	char *path;

	if (!refs_name_ok(ref))
		return err_set(e, ERR_USAGE, "%s: not the name of a ref", ref);
	path = buf_strfmt(e, "logs/%s", ref);
	if (path == NULL)
		return -1;
	*ret = path;
	return 0;
}

/* Directories that are new are synced upwards, so that the file survives. */
static int
reflog_open(struct store *s, const char *path, int *ret_fd, struct err *e)
{
	CLEANUP(cleanup_free) char *dir = buf_strfmt(e, "%.*s", (int)(path_base(path) - path - 1), path);
	CLEANUP(cleanup_close) int dirfd = -1;
	int fd;

	if (dir == NULL)
		return -1;
	fd = fd_open_beneath(store_dirfd(s), path, O_RDWR | O_APPEND, 0, e);
	if (fd < 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (fd < 0) {
		if (store_make_dirs(s, dir, e) != 0)
			return -1;
		fd = fd_open_beneath(store_dirfd(s), path, O_RDWR | O_APPEND | O_CREAT, 0644, e);
		if (fd < 0)
			return -1;
		dirfd = fd_open_beneath(store_dirfd(s), dir, O_RDONLY | O_DIRECTORY, 0, e);
		if (dirfd < 0 || fd_sync(dirfd, dir, e) != 0) {
			close(fd);
			return -1;
		}
	}
	*ret_fd = fd;
	return 0;
}

/* One line; blanks stand for what would break it. */
static void
reflog_add_text(struct buf *b, const char *text, const char *bad)
{
	for (; *text != '\0'; text++)
		buf_addc(b, strchr(bad, *text) != NULL ? ' ' : *text);
}

static int
reflog_format(const struct reflog_entry *entry, struct buf *ret, struct err *e)
{
	char old[OID_HEX_SIZE] = REFLOG_NONE, new_[OID_HEX_SIZE] = REFLOG_NONE, time[TIMESTAMP_SIZE];

	if (timestamp_format(time, entry->time, e) != 0)
		return -1;
	if (entry->has_old)
		oid_hex(&entry->old, old);
	if (entry->has_new)
		oid_hex(&entry->new_, new_);
	buf_addf(ret, "%s %s ", old, new_);
	reflog_add_text(ret, entry->author, "\n\r\t");
	buf_addf(ret, " %s\t", time);
	reflog_add_text(ret, entry->message, "\n\r");
	buf_addc(ret, '\n');
	return buf_check(ret, e);
}

/* A writer that died may have left half a line: it ends before ours begins. */
static int
reflog_torn(int fd, const char *path, bool *ret, struct err *e)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_FORMAT, "%s: not a regular file", path);
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		return err_sys(e, "%s: cannot read", path);
	*ret = last != '\n';
	return 0;
}

int
reflog_append(struct store *s, const char *ref, const struct reflog_entry *entry, struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	struct err local;
	bool torn = false;

	if (e == NULL)
		e = &local;
	if (reflog_path(ref, &path, e) != 0 || reflog_open(s, path, &fd, e) != 0 ||
	    reflog_torn(fd, path, &torn, e) != 0)
		return -1;
	if (torn)
		buf_addc(&line, '\n');
	if (reflog_format(entry, &line, e) != 0 || fd_write_all(fd, line.data, line.len, path, e) != 0 ||
	    fd_sync(fd, path, e) != 0)
		return -1;
	return fd_close(&fd, path, e);
}

static bool
reflog_parse_id(const char *hex, bool *ret_has, struct oid *ret)
{
	*ret_has = strcmp(hex, REFLOG_NONE) != 0;
	return oid_from_hex(ret, hex, NULL) == 0;
}

/* line is cut to pieces: "<old> <new> <author> <time>\t<message>". */
static bool
reflog_parse(char *line, struct reflog_entry *ret)
{
	struct reflog_entry entry = {0};
	size_t ids = 2 * OID_HEX_SIZE;
	char *tab = strchr(line, '\t');
	char *space;

	if (tab == NULL || tab < line + ids || line[ids / 2 - 1] != ' ' || line[ids - 1] != ' ')
		return false;
	*tab = line[ids / 2 - 1] = line[ids - 1] = '\0';
	space = strrchr(line + ids, ' ');
	if (space == NULL)
		return false;
	*space = '\0';
	if (!reflog_parse_id(line, &entry.has_old, &entry.old) ||
	    !reflog_parse_id(line + ids / 2, &entry.has_new, &entry.new_) ||
	    timestamp_parse(space + 1, &entry.time, NULL) != 0)
		return false;
	entry.author = line + ids;
	entry.message = tab + 1;
	*ret = entry;
	return true;
}

int
reflog_blocks(int fd, const char *what, reflog_bytes_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_free) char *block = malloc(REFLOG_BLOCK);
	size_t len = REFLOG_BLOCK;
	int rc = 0;

	if (block == NULL)
		return err_nomem(e);
	while (rc == 0 && len == REFLOG_BLOCK) {
		if (interrupt_check(e) != 0 || fd_read_upto(fd, block, REFLOG_BLOCK, &len, what, e) != 0)
			return -1;
		rc = len > 0 ? fn(arg, block, len, e) : 0;
	}
	return rc < 0 ? -1 : 0;
}

int
reflog_bytes(struct store *s, const char *ref, reflog_bytes_fn *fn, void *arg, struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(cleanup_close) int fd = -1;

	if (reflog_path(ref, &path, e) != 0)
		return -1;
	fd = fd_open_beneath(store_dirfd(s), path, O_RDONLY | O_NONBLOCK, 0, e);
	if (fd < 0)
		return e->code == ERR_NOTFOUND ? 0 : -1;
	return reflog_blocks(fd, path, fn, arg, e);
}

struct reflog_lines {
	struct buf line;        /* begun in an earlier block */
	bool over;              /* it is longer than any that we write: its rest is skipped */
	size_t bad;
	reflog_each_fn *fn;
	void *arg;
};

/* 1: enough */
static int
reflog_line(struct reflog_lines *l, struct err *e)
{
	struct reflog_entry entry;

	if (buf_check(&l->line, e) != 0)
		return -1;
	if (l->over || memchr(buf_str(&l->line), '\0', l->line.len) != NULL || l->line.len == 0 ||
	    !reflog_parse((char *)l->line.data, &entry))
		l->bad++;
	else if (l->fn != NULL && l->fn(l->arg, &entry) != 0)
		return 1;
	buf_reset(&l->line);
	l->over = false;
	return 0;
}

static int
reflog_split(void *arg, const void *data, size_t len, struct err *e)
{
	struct reflog_lines *l = arg;
	const char *p = data, *stop = p + len;
	int rc = 0;

	while (p < stop && rc == 0) {
		const char *end = memchr(p, '\n', (size_t)(stop - p));
		size_t n = (size_t)((end != NULL ? end : stop) - p);

		l->over = l->over || n > REFLOG_LINE_MAX - l->line.len;
		if (!l->over)
			buf_add(&l->line, p, n);
		if (end != NULL)
			rc = reflog_line(l, e);
		p = end != NULL ? end + 1 : stop;
	}
	return rc;
}

int
reflog_each(struct store *s, const char *ref, reflog_each_fn *fn, void *arg, size_t *ret_bad,
    struct err *e)
{
	struct reflog_lines l = {.line = BUF_INIT, .fn = fn, .arg = arg};
	struct err local;
	int rc;

	if (e == NULL)
		e = &local;
	rc = reflog_bytes(s, ref, reflog_split, &l, e);
	if (rc == 0 && (l.line.len > 0 || l.over) && reflog_line(&l, e) < 0)
		rc = -1;
	buf_free(&l.line);
	if (rc == 0)
		*ret_bad = l.bad;
	return rc;
}
