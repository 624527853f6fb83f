#include "store/reflog.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fd.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "store/refs.h"

#define REFLOG_BYTES_MAX (64 * 1024 * 1024)
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
reflog_each(struct store *s, const char *ref, reflog_each_fn *fn, void *arg, size_t *ret_bad,
    struct err *e)
{
	CLEANUP(cleanup_free) char *path = NULL;
	CLEANUP(cleanup_close) int fd = -1;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct err local;
	size_t bad = 0;
	char *line, *end;

	if (e == NULL)
		e = &local;
	if (reflog_path(ref, &path, e) != 0)
		return -1;
	fd = fd_open_beneath(store_dirfd(s), path, O_RDONLY | O_NONBLOCK, 0, e);
	if (fd < 0 && e->code != ERR_NOTFOUND)
		return -1;
	if (fd >= 0 && fd_read_all(fd, REFLOG_BYTES_MAX, &text, path, e) != 0)
		return -1;
	for (line = (char *)text.data; line != NULL && *line != '\0'; line = end) {
		struct reflog_entry entry;

		end = strchrnul(line, '\n');
		if (*end == '\n')
			*end++ = '\0';
		if (!reflog_parse(line, &entry))
			bad++;
		else if (fn != NULL && fn(arg, &entry) != 0)
			break;
	}
	*ret_bad = bad;
	return 0;
}
